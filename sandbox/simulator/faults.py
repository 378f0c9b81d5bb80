"""Simulated time and sudden death: a database that reads the run's clock and can be the place where a process dies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Connection

from foundation.database import Database

BEGIN = dt.datetime(2026, 11, 21, 6, 30, tzinfo=dt.UTC)
READ_CLOCK = (
    "CREATE OR REPLACE FUNCTION house_now() RETURNS timestamptz LANGUAGE sql VOLATILE PARALLEL SAFE AS "
    "$$SELECT CAST(current_setting('simulator.now') AS timestamptz)$$"
)


class Crashed(BaseException):
    """A process died here: no handler of the applications catches this, so it unwinds like death."""


@dataclass
class Clock:
    """The run's time, and how far each organisation's clock is off it, in seconds."""

    seconds: float = 0.0
    skews: dict[str, float] = field(default_factory=dict)

    def now(self, organisation: str) -> dt.datetime:
        """Return what an organisation's clock shows."""
        return BEGIN + dt.timedelta(seconds=self.seconds + self.skews.get(organisation, 0.0))


@dataclass
class Fuse:
    """Counts the places where a process may die; burns through at the chosen one. ``None`` never burns."""

    left: int | None = None

    def burn(self) -> None:
        """Pass one place, or die there."""
        if self.left is None:
            return
        self.left -= 1
        if self.left < 0:
            self.left = None
            raise Crashed


class SimulatedDatabase(Database):
    """A database on the run's clock; before and after each use its process may die (so also after a COMMIT)."""

    def __init__(self, url: str, organisation: str, clock: Clock, fuse: Fuse) -> None:
        super().__init__(url, pool_size=1, application_name=f"simulator-{organisation}")
        self._organisation = organisation
        self._clock = clock
        self._fuse = fuse
        self._shown: dt.datetime | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction between two places of death."""
        self._fuse.burn()
        self.show_time()
        with super().begin() as connection:
            yield connection
        self._fuse.burn()

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """Lend a connection between two places of death."""
        self._fuse.burn()
        self.show_time()
        with super().single() as connection:
            yield connection
        self._fuse.burn()

    def show_time(self) -> None:
        """Tell the session what time it is, if that changed."""
        now = self._clock.now(self._organisation)
        if now != self._shown:
            with super().single() as connection:
                connection.exec_driver_sql(f"SET simulator.now = '{now.isoformat()}'")
            self._shown = now
