"""Simulated time and sudden death: a database that reads the run's clock and can be the place where a process dies."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError

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
    """Counts the uses of a database; at the chosen one the process dies, or only its connection does (F15, D34).

    Args:
        left: uses to pass before; ``None`` never burns.
        lethal: whether the process dies; otherwise the connection is lost and the process has to live with that.
        saw: told what happened.
    """

    left: int | None = None
    lethal: bool = True
    saw: Callable[[str], None] = lambda _: None

    def burn(self, place: str) -> None:
        """Pass one place, or end there."""
        if self.left is None:
            return
        self.left -= 1
        if self.left >= 0:
            return
        self.left = None
        if self.lethal:
            self.saw(f"died {place}")
            raise Crashed
        self.saw(f"connection lost {place}")
        raise OperationalError("COMMIT", {}, psycopg.OperationalError("the connection was lost"))


class SimulatedDatabase(Database):
    """A database on the run's clock; before, in and after each use its process or its connection may die.

    ``used`` says that something may have been written since somebody looked.
    """

    def __init__(self, url: str, organisation: str, clock: Clock, fuse: Fuse) -> None:
        super().__init__(url, pool_size=1, application_name=f"simulator-{organisation}")
        self.used = True
        self._organisation = organisation
        self._clock = clock
        self._fuse = fuse
        self._shown: dt.datetime | None = None

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction that may end before, without or after its COMMIT."""
        self._fuse.burn("before a transaction")
        self.show_time()
        with super().begin() as connection:
            yield connection
            self._fuse.burn("before COMMIT")
        self._fuse.burn("after COMMIT")

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """Lend a connection between two places of death."""
        self._fuse.burn("before a transaction")
        self.show_time()
        with super().single() as connection:
            yield connection
        self._fuse.burn("after COMMIT")

    def show_time(self) -> None:
        """Tell the session what time it is, if that changed."""
        self.used = True
        now = self._clock.now(self._organisation)
        if now != self._shown:
            with super().single() as connection:
                connection.exec_driver_sql(f"SET simulator.now = '{now.isoformat()}'")
            self._shown = now
