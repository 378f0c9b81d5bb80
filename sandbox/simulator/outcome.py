"""How a run ended, and how that is told."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.audit import Report


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended; ``violation`` is ``None`` when every invariant held.

    Args:
        oldest: the most steps that an attempt had to wait for its final result.
        unknown: the most steps that an attempt was neither decided nor being reversed.
        rested: simulated seconds from the end of all faults until every payment was decided.
    """

    seed: int
    steps: int
    seconds: float
    digest: str
    payments: int
    changes: int
    oldest: int
    unknown: int
    rested: float
    violation: str | None
    history: tuple[str, ...]
    report: Report | None

    @property
    def lines(self) -> tuple[str, ...]:
        """What is printed."""
        rate = self.steps / self.seconds if self.seconds else 0.0
        told = f"seed {self.seed}: {self.steps} steps, {self.payments} payments, {self.changes} changes"
        waits = f"longest unknown {self.unknown} steps, without result {self.oldest}, at rest after {self.rested:.0f} s"
        first = f"{told}, {rate:.0f} steps/s, {waits}, digest {self.digest[:16]}"
        if self.violation is None:
            return (first, *(self.report.lines if self.report else ()))
        again = f"again: python -m sandbox simulate --steps {self.steps} --seed {self.seed} --replay"
        return (*self.history, first, f"violated at step {self.steps}: {self.violation}", again)

    @property
    def clean(self) -> bool:
        """Whether all held and the books agree."""
        return self.violation is None and self.report is not None and self.report.clean
