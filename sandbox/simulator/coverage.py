"""What a run really met: how often each fault came about, and each row of the state tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from foundation.machine import Machine
from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.payment import MACHINE as PAYMENT
from gateway.domain.refund import MACHINE as REFUND
from gateway.domain.transfer import CREDIT
from otp.domain.challenge import CHALLENGE
from sandbox.simulator.catalogue import FAULTS, UNREACHED, Move

MACHINES: dict[str, Machine[Any, Any]] = {
    "payment": PAYMENT,
    "attempt": ATTEMPT,
    "credit": CREDIT,
    "refund": REFUND,
    "challenge": CHALLENGE,
}
MOVES: dict[Move, str] = {
    (name, str(row.before), str(row.event)): str(row.after)
    for name, machine in MACHINES.items()
    for row in machine.transitions
    if row.before is not None
}
"""Every row of the five tables: machine, state before and event, to the state after."""


TOO_RARE = "too rare for this run"


@dataclass
class Coverage:
    """Counts; several runs may share one."""

    happened: Counter[str] = field(default_factory=Counter)
    moves: Counter[Move] = field(default_factory=Counter)

    def saw(self, what: str) -> None:
        """Count one happening."""
        self.happened[what] += 1

    def moved(self, machine: str, before: str, event: str) -> None:
        """Count one row of a state table."""
        self.moves[machine, before, event] += 1

    def not_met(self) -> list[str]:
        """Return the happenings of the fault table that never came about, each with its row."""
        return [f"{row.number} {name}" for row in FAULTS for name in row.shown_by if not self.happened[name]]

    def not_moved(self) -> list[Move]:
        """Return the rows of the state tables that were never taken and that nothing explains."""
        return [move for move in MOVES if not self.moves[move] and move not in UNREACHED]

    def lines(self) -> Iterator[str]:
        """Write what a run is judged by besides its verdict."""
        yield "faults met (row of the fault table, how often, invariants it tries):"
        for row in FAULTS:
            counts = ", ".join(f"{name} {self.happened[name]}" for name in row.shown_by)
            yield f"  {row.number:<4} {counts}  [{row.tries}]"
        yield "rows of the state tables taken:"
        for move, after in MOVES.items():
            if self.moves[move]:
                yield f"  {move[0]:<9} {move[1]} --{move[2]}--> {after}  {self.moves[move]}"
        for move, after in MOVES.items():
            if not self.moves[move]:
                yield f"  never: {move[0]} {move[1]} --{move[2]}--> {after}: {UNREACHED.get(move, TOO_RARE)}"
