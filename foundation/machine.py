"""A state machine as a table: the one place that says what may follow what."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

S = TypeVar("S", bound=StrEnum)
E = TypeVar("E", bound=StrEnum)


class IllegalTransition(Exception):
    """This event has no row for this state; nothing was changed."""

    def __init__(self, before: StrEnum | None, event: StrEnum) -> None:
        super().__init__(f"{event} is not possible in state {before or 'none'}")
        self.before = before
        self.event = event


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, E]):
    """One row: in state ``before`` (``None`` = does not exist yet), ``event`` leads to ``after``."""

    before: S | None
    event: E
    after: S


class Machine(Generic[S, E]):
    """A table of transitions, checked for double rows when it is made."""

    def __init__(self, transitions: Iterable[Transition[S, E]]) -> None:
        self.transitions = tuple(transitions)
        self._after = {(row.before, row.event): row.after for row in self.transitions}
        if len(self._after) != len(self.transitions):
            raise ValueError("two rows answer the same event in the same state")

    def next(self, before: S | None, event: E) -> S:
        """Return the state after ``event``, or raise :class:`IllegalTransition`."""
        try:
            return self._after[before, event]
        except KeyError:
            raise IllegalTransition(before, event) from None

    def befores(self, event: E) -> tuple[S, ...]:
        """Return the states in which ``event`` is possible: the ``WHERE state IN (…)`` of its statement."""
        return tuple(row.before for row in self.transitions if row.event == event and row.before is not None)

    def states(self) -> frozenset[S]:
        """Return every state a row mentions."""
        ends = {row.after for row in self.transitions}
        return frozenset(ends | {row.before for row in self.transitions if row.before is not None})

    def terminal(self) -> frozenset[S]:
        """Return the states that no row leaves."""
        return self.states() - {row.before for row in self.transitions if row.before is not None}

    def reachable(self) -> frozenset[S]:
        """Return the states that can be reached from nothing."""
        found: set[S] = set()
        frontier: list[S | None] = [None]
        while frontier:
            here = frontier.pop()
            new = {row.after for row in self.transitions if row.before == here} - found
            found |= new
            frontier.extend(new)
        return frozenset(found)

    def mermaid(self) -> str:
        """Draw the table as a mermaid state diagram."""
        rows = [f"    {row.before or '[*]'} --> {row.after}: {row.event}" for row in self.transitions]
        ends = [f"    {state} --> [*]" for state in sorted(self.terminal())]
        return "\n".join(["stateDiagram-v2", *rows, *ends])
