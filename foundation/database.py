"""PostgreSQL: pooled connections, one way to open a transaction, and a guard against talking inside one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import psycopg
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import DBAPIError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.pool import ConnectionPoolEntry

_in_transaction: ContextVar[bool] = ContextVar("in_transaction", default=False)
_PING = text("SELECT 1")
CONNECT_TIMEOUT_SECONDS = 5
POOL_WAIT_SECONDS = 10
STATEMENT_TIMEOUT_MS = 15_000
_ONLY_READING = " -c default_transaction_read_only=on -c plan_cache_mode=force_custom_plan -c jit=off"
LOCK_TIMEOUT_MS = 10_000
TCP_SILENCE = {"keepalives_idle": 10, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""A server that vanished without a word is given up after 20–25 s (milliseconds the last, seconds the others)."""

SHUTDOWN = "57P"
"""Class of the codes with which a server that ends, or does not serve yet, sends its callers away."""

LOOKS = 2
"""A server that ends says why before it closes: the first look reads the words, the second sees the end."""


class NetworkInTransaction(AssertionError):
    """Somebody was about to call the outside while a database transaction was open in this context."""


def guard_no_transaction() -> None:
    """Raise :class:`NetworkInTransaction` if a transaction is open here; every outside call asks first.

    A pooled connection held over a slow call starves every other request (reference figure: all of them time out).
    """
    if _in_transaction.get():
        raise NetworkInTransaction("close the transaction before calling the outside")


class Database:
    """One organisation's database under one role.

    Args:
        url: ``postgresql+psycopg://…``.
        pool_size: connections kept per process; callers beyond it wait at most ten seconds, then fail.
        application_name: what ``pg_stat_activity`` shows.
        read_only: every transaction refuses to write, whatever the role may do, and each question is planned for its
            own values: they are large and rare.
    """

    def __init__(
        self,
        url: str,
        *,
        pool_size: int = 8,
        application_name: str = "pooya",
        read_only: bool = False,
        statement_timeout_ms: int = STATEMENT_TIMEOUT_MS,
    ) -> None:
        self._engine = create_engine(
            url,
            pool_size=pool_size,
            max_overflow=0,
            hide_parameters=True,  # an error text must not carry what a statement was given
            pool_timeout=POOL_WAIT_SECONDS,
            pool_use_lifo=True,
            connect_args={
                "application_name": application_name,
                "connect_timeout": CONNECT_TIMEOUT_SECONDS,
                "options": f"-c statement_timeout={statement_timeout_ms} -c lock_timeout={LOCK_TIMEOUT_MS}"
                " -c idle_in_transaction_session_timeout=20000 -c timezone=UTC" + (_ONLY_READING if read_only else ""),
                **TCP_SILENCE,
            },
        )
        event.listen(self._engine, "checkout", _refuse_ended)
        event.listen(self._engine, "checkin", self._close_late)
        self._closed = False
        self._autocommit = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        self.engine = self._engine

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open the one transaction of this block: commits at its end, rolls back if it raises."""
        guard_no_transaction()
        token = _in_transaction.set(True)
        try:
            with self._engine.begin() as connection:
                yield connection
        finally:
            _in_transaction.reset(token)

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """Lend a connection in autocommit, for a block that is exactly one statement (saves two round trips)."""
        guard_no_transaction()
        token = _in_transaction.set(True)
        try:
            with self._autocommit.connect() as connection:
                yield connection
        finally:
            _in_transaction.reset(token)

    def ping(self) -> bool:
        """Tell whether the database answers now."""
        try:
            with self.single() as connection:
                connection.execute(_PING)
        except (OperationalError, SQLAlchemyError):
            return False
        return True

    def close(self) -> None:
        """Close every pooled connection, and those that are lent when they come back."""
        self._closed = True
        self._engine.dispose()

    def _close_late(self, _connection: object, record: ConnectionPoolEntry) -> None:
        if self._closed:
            record.invalidate()


def is_away(error: SQLAlchemyError) -> bool:
    """Tell whether an error says that the database cannot be reached now, not that it refused one statement.

    What a server refuses has a code; without one, nobody answered.
    """
    if not isinstance(error, DBAPIError):
        return isinstance(error, PoolTimeout)
    cause = error.orig
    unanswered = isinstance(cause, psycopg.OperationalError) and (cause.sqlstate or SHUTDOWN).startswith(SHUTDOWN)
    return error.connection_invalidated or unanswered


def _refuse_ended(connection: psycopg.Connection[Any], _record: object, _proxy: object) -> None:
    """Replace a pooled connection whose server has gone, and with it all the others (F13).

    Asks the operating system, not the server: no round trip. Only this lending is repeated, never a statement, so
    nothing can be done twice (D34).
    """
    try:
        for _ in range(LOOKS):
            connection.pgconn.consume_input()
    except psycopg.OperationalError:
        raise InvalidatePoolError("the database server ended this connection") from None
