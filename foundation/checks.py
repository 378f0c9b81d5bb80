"""Rules that a database must keep, as a table of named queries, asked by a role that can only read (D39).

A rule about things of one kind has a scope: it is asked about bounded lists of their ids, so that no statement grows
with the table. Every query is a statement of its own with a time-out; one that fails is a verdict, never an exception.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from foundation.database import Database

LIST_MAX = 2_000
"""Ids that one statement is asked about."""

ROLL_MAX = 500
"""Ids that the rolling pass looks at in one round."""

RECENT_MAX = 20_000
"""Ids that changed lately, looked at in one round; what is beyond comes with the rolling pass."""

EXAMPLES_MAX = 5

_FOUND = """
WITH found (subject, rial) AS ({sql})
SELECT count(*) AS number, CAST(coalesce(sum(rial), 0) AS bigint) AS rial,
  (array_agg(CAST(subject AS text) ORDER BY subject))[1:5] AS examples FROM found
"""


class Severity(StrEnum):
    """How much haste a violated rule needs."""

    MONEY = "money"
    DELAY = "delay"


@dataclass(frozen=True, slots=True)
class Scope:
    """Things of one kind: ``recent`` lists what changed from ``:since`` on, ``following`` what comes after ``:after``.

    Both return one column of text and at most ``:most`` rows; ``following`` begins at the empty text, in order.
    """

    name: str
    recent: str
    following: str


@dataclass(frozen=True, slots=True)
class Check:
    """One rule: its query returns ``(subject, rial)`` of whatever breaks it, and nothing while it holds.

    Args:
        name: stands in the metric, the log and the documents.
        means: the rule in words.
        sql: with a scope it is asked about ``CAST(:subjects AS …[])``.
        scope: the kind of thing it is about; none means that its query is small by itself.
    """

    name: str
    means: str
    severity: Severity
    sql: str
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Measure:
    """A number that lives in the database: its query returns ``(label, value)``; ``labels`` are shown as 0 if absent.

    Args:
        label: what the label is called; empty for a single number.
    """

    name: str
    means: str
    sql: str
    label: str = ""
    labels: tuple[str, ...] = ("",)


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything that is asked of one database."""

    checks: tuple[Check, ...]
    measures: tuple[Measure, ...]
    scopes: tuple[Scope, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule: how often it is broken and about how much money, or why it could not be asked."""

    name: str
    severity: str
    number: int = 0
    rial: int = 0
    examples: tuple[str, ...] = ()
    failed: str | None = None

    @property
    def holds(self) -> bool:
        """Whether it was asked and nothing breaks it."""
        return not self.number and self.failed is None

    def __str__(self) -> str:
        """Write one line."""
        if self.failed is not None:
            return f"not asked {self.name}: {self.failed}"
        if not self.number:
            return f"holds     {self.name}"
        return f"VIOLATED  {self.name}: {self.number} times, {self.rial} rial, for example {', '.join(self.examples)}"


@dataclass(frozen=True, slots=True)
class Report:
    """All verdicts and measures of one round, in the order of the tables."""

    verdicts: tuple[Verdict, ...]
    measures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    @property
    def clean(self) -> bool:
        """Whether every rule was asked and holds."""
        return all(verdict.holds for verdict in self.verdicts)

    @property
    def unexplained_rial(self) -> int:
        """Sum of the money that broken rules about money are about."""
        return sum(verdict.rial for verdict in self.verdicts if verdict.severity == Severity.MONEY)

    @property
    def lines(self) -> tuple[str, ...]:
        """One line per rule, then the sum."""
        return (*map(str, self.verdicts), f"unexplained: {self.unexplained_rial} rial")

    def as_json(self) -> dict[str, Any]:
        """Return it as it is kept and printed for programs."""
        return {
            "clean": self.clean,
            "unexplained_rial": self.unexplained_rial,
            "checks": [{**asdict(verdict), "examples": list(verdict.examples)} for verdict in self.verdicts],
            "measures": {name: dict(values) for name, values in self.measures.items()},
        }

    @classmethod
    def of_json(cls, kept: Mapping[str, Any]) -> Report:
        """Read back what :meth:`as_json` wrote."""
        verdicts = (Verdict(**{**row, "examples": tuple(row["examples"])}) for row in kept["checks"])
        return cls(tuple(verdicts), kept["measures"])


class Inspector:
    """Asks the rules of one database.

    Args:
        reader: the database under its read-only role.
    """

    def __init__(self, reader: Database, rules: Rules) -> None:
        self._reader = reader
        self._rules = rules

    def everything(self) -> Report:
        """Ask every rule about everything there is, list by list."""
        return self._report({scope.name: self._all(scope) for scope in self._rules.scopes})

    def latest(self, since: dt.datetime, cursors: Mapping[str, str]) -> tuple[Report, dict[str, str]]:
        """Ask about what changed from ``since`` on and about the next list of the rolling pass behind ``cursors``.

        Returns:
            The report, and the cursors of the next round; a pass that came to its end begins again.
        """
        lists: dict[str, list[list[str]]] = {}
        moved: dict[str, str] = {}
        for scope in self._rules.scopes:
            following = self._ids(scope.following, after=cursors.get(scope.name, ""), most=ROLL_MAX)
            moved[scope.name] = following[-1] if len(following) == ROLL_MAX else ""
            recent = self._ids(scope.recent, since=since, most=RECENT_MAX)
            subjects = list(dict.fromkeys((*recent, *following)))
            lists[scope.name] = [subjects[at : at + LIST_MAX] for at in range(0, len(subjects), LIST_MAX)]
        return self._report(lists), moved

    def _report(self, lists: Mapping[str, Iterable[Sequence[str]]]) -> Report:
        whole = {check.name: Verdict(check.name, check.severity) for check in self._rules.checks}
        for check in self._rules.checks:
            if check.scope is None:
                whole[check.name] = self._ask(check, {})
        for scope, subjects in lists.items():
            for some in subjects:
                for check in self._rules.checks:
                    if check.scope == scope:
                        found = self._ask(check, {"subjects": list(some)})
                        whole[check.name] = _together(whole[check.name], found)
        measures = {measure.name: self._measure(measure) for measure in self._rules.measures}
        return Report(tuple(whole.values()), measures)

    def _ask(self, check: Check, values: Mapping[str, Any]) -> Verdict:
        try:
            with self._reader.single() as connection:
                row = connection.execute(text(_FOUND.format(sql=check.sql)), dict(values)).one()
        except SQLAlchemyError as error:
            return Verdict(check.name, check.severity, failed=type(error).__name__)
        return Verdict(check.name, check.severity, row.number, row.rial, tuple(row.examples or ()))

    def _measure(self, measure: Measure) -> dict[str, float]:
        """Return the values by label; nothing at all when the question failed, which is no zero."""
        try:
            with self._reader.single() as connection:
                rows = connection.execute(text(measure.sql)).all()
        except SQLAlchemyError:
            return {}
        return dict.fromkeys(measure.labels, 0.0) | {str(label): float(value or 0) for label, value in rows}

    def _all(self, scope: Scope) -> Iterator[list[str]]:
        after = ""
        while some := self._ids(scope.following, after=after, most=LIST_MAX):
            yield some
            after = some[-1]

    def _ids(self, sql: str, **values: Any) -> list[str]:
        with self._reader.single() as connection:
            return [str(row[0]) for row in connection.execute(text(sql), values)]


def _together(one: Verdict, other: Verdict) -> Verdict:
    examples = (*one.examples, *other.examples)[:EXAMPLES_MAX]
    failed = one.failed or other.failed
    return Verdict(one.name, one.severity, one.number + other.number, one.rial + other.rial, examples, failed)
