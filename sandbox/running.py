"""A whole sandbox as another process drives it: its own directory, its own ports, real processes to kill and pause."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import redis

from foundation.flood import KEYS_BEGIN
from sandbox.banks import BANK_TWO
from sandbox.cards import APPROVE
from sandbox.crashes import CrashFile
from sandbox.places import CannotRun
from sandbox.world import PORTS, PROGRAMS, World

ROOT = Path(__file__).parent.parent
VARIABLES = tuple(variable for variable, _ in PORTS.values())
START_SECONDS = 90.0
STOP_SECONDS = 60.0
COMMAND_SECONDS = 120.0
POLL_SECONDS = 0.05


class InVain(AssertionError):
    """Something that was waited for did not come in time."""


def free_ports(count: int) -> list[int]:
    """Return so many TCP ports that nobody on this machine listens on now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


def wait_for(condition: Callable[[], Any], what: str, seconds: float = 20.0, poll_seconds: float = POLL_SECONDS) -> Any:
    """Return the first true answer of ``condition``.

    Raises:
        InVain: naming ``what``, after ``seconds``.
    """
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise InVain(f"waited {seconds} s in vain for {what}")
        time.sleep(poll_seconds)


class RunningWorld:
    """One sandbox, started as a person would start it.

    Args:
        state: its directory.
        ports: one for each of :data:`VARIABLES`; free ones by default.
        settings: further environment variables.
    """

    def __init__(self, state: Path, ports: list[int] | None = None, settings: dict[str, str] | None = None) -> None:
        self.state = state
        numbers = list(ports or free_ports(len(VARIABLES)))
        self.environment = {
            **os.environ,
            **dict(zip(VARIABLES, map(str, numbers), strict=True)),
            "POOYA_STATE": str(state),
            "POOYA_LOG_LEVEL": "DEBUG",
            **(settings or {}),
        }
        self.world = World(state.resolve(), dict(zip(PORTS, numbers, strict=True)))
        self.info: dict[str, Any] = {}
        self._fresh = count()
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> str:
        """Start it and wait until it says that everything answers; returns what it printed.

        Raises:
            CannotRun: with what it printed.
        """
        self.state.mkdir(parents=True, exist_ok=True)
        with self._said.open("w") as out:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "sandbox", "up"],
                cwd=ROOT,
                env=self.environment,
                text=True,
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        process = self._process
        ready = self.world.ready_file
        wait_for(lambda: ready.exists() or process.poll() is not None, "the sandbox to start", START_SECONDS)
        if process.poll() is not None:
            raise CannotRun(f"the sandbox did not start:\n{self._said.read_text()}")
        self.info = json.loads(self.command("info", "--json").stdout)
        return self._said.read_text()

    def stop(self, by: signal.Signals = signal.SIGINT) -> int:
        """Stop it as Ctrl-C does; returns the exit code."""
        if self._process is None:
            raise CannotRun("it was never started")
        self._process.send_signal(by)
        return self._process.wait(timeout=STOP_SECONDS)

    @property
    def ended(self) -> bool:
        """Whether it gave up by itself."""
        return self._process is None or self._process.poll() is not None

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run another command of this sandbox."""
        return subprocess.run(
            [sys.executable, "-m", "sandbox", *words],
            cwd=ROOT,
            env=self.environment,
            text=True,
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )

    def operate(self, organisation: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of an organisation as its operator does: ``operate("gateway", "merchant", "list")``."""
        return subprocess.run(
            [sys.executable, "-m", PROGRAMS[organisation], *words],
            env=self.world.environment(organisation),
            text=True,
            capture_output=True,
            check=False,
            timeout=COMMAND_SECONDS,
        )

    def audit(self) -> list[str]:
        """Run the audit and return its lines.

        Raises:
            AssertionError: when anything is unexplained.
        """
        done = self.command("audit")
        lines = done.stdout.strip().splitlines()
        if lines[-1:] != ["unexplained: 0 rial"] or done.returncode != 0:
            raise AssertionError(done.stdout + done.stderr)
        return lines

    def pid_of(self, name: str) -> int:
        """Return the process id of ``gateway``, ``gateway-worker``, ``bank``, ``bank-host`` and so on."""
        pids: dict[str, int] = json.loads(self.world.processes_file.read_text())
        return pids[name]

    def signal(self, name: str, by: signal.Signals) -> int:
        """Send a signal to a process and its own workers at once; returns the process id."""
        pid = self.pid_of(name)
        os.killpg(pid, by)
        return pid

    def kill(self, name: str) -> None:
        """Kill a process and its own workers at once (SIGKILL), and wait until the sandbox has started it again."""
        pid = self.signal(name, signal.SIGKILL)
        wait_for(lambda: self.pid_of(name) != pid, f"{name} to be started again")

    def crash_at(self, wish: str) -> None:
        """Let the process die that passes a place next; ``wish`` as :meth:`sandbox.crash_points.CrashFile.arm`."""
        self._crash.arm(wish)

    def disarm(self) -> None:
        """Let everybody live."""
        self._crash.disarm()

    def wait_for_crash(self) -> None:
        """Return when somebody has died, or frozen, at the place that was armed."""
        wait_for(lambda: self.armed_at is None, "somebody to pass the armed place")

    @property
    def armed_at(self) -> str | None:
        """The place that is armed and that nobody has passed yet."""
        return self._crash.armed

    @property
    def _crash(self) -> CrashFile:
        return CrashFile(self.world.crash_file)

    def card(self, behaviour: str) -> dict[str, Any]:
        """Return the sandbox's first card that does this."""
        return next(card for card in self.info["cards"] if card["behaviour"] == behaviour)

    def fresh_card(self) -> dict[str, Any]:
        """Return bank two's next good card: the one that was used least, as a card may ask for ten codes an hour."""
        good: list[dict[str, Any]] = [
            card for card in self.info["cards"] if (card["behaviour"], card["bank"]) == (APPROVE, BANK_TWO.name_en)
        ]
        return good[next(self._fresh) % len(good)]

    def forget_calls(self) -> None:
        """Let no address have called yet: whoever tries the world out comes from one, and limits are per address."""
        with redis.Redis.from_url(self.world.redis.url) as client:
            for key in client.scan_iter(f"{KEYS_BEGIN}*"):
                client.delete(key)

    @property
    def _said(self) -> Path:
        return self.state / "said.txt"
