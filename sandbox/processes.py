"""The processes of the sandbox: which there are, how each is known to answer, how they start and end, by id."""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

from sandbox.banks import BANK_TWO, BANKS, Bank
from sandbox.places import POLL_SECONDS, CannotRun, is_running, last_line, spawn
from sandbox.world import ADDRESS, PORTS, World

READY_SECONDS = 60.0
STOP_SECONDS = 8.0
RESTARTS_WITHIN_SECONDS = 60.0
PROBE_SECONDS = 2.0

Check = Callable[[World], bool]


@dataclass(frozen=True, slots=True)
class Program:
    """One process: whose settings it has, its words, and how to tell that it answers."""

    name: str
    organisation: str
    command: tuple[str, ...]
    answers: Check


def _web(name: str, application: str, workers: int) -> tuple[str, ...]:
    flags = f"--worker-class gevent --workers {workers} --graceful-timeout 3 --timeout 60 --keep-alive 30"
    return ("gunicorn", application, "--bind", f"{ADDRESS}:{{{name}}}", *flags.split(), "--log-level", "warning")


def _healthy(name: str) -> Check:
    return lambda world: _get(f"http://{ADDRESS}:{world.ports[name]}/healthz")


def _listens(name: str) -> Check:
    return lambda world: _connects(world.ports[name])


def _front(world: World) -> bool:
    return all(_connects(world.ports[name]) for name in (*(bank.front for bank in BANKS), "hanging_bank"))


def _bank(bank: Bank) -> tuple[Program, ...]:
    whose, name = bank.organisation, bank.program
    return (
        Program(name, whose, _web(bank.web, "sandbox.wsgi:bank", 1), _healthy(bank.web)),
        Program(f"{name}-host", whose, ("sandbox.crash_points", "otp", "host"), _listens(bank.host)),
        Program(f"{name}-worker", whose, ("sandbox.crash_points", "otp", "worker"), _always),
    )


def _always(_: World) -> bool:
    return True


_FRONTS = tuple(f"{{{port}}}" for bank in BANKS for port in (bank.front, bank.host))
PROGRAMS: tuple[Program, ...] = (
    *(program for bank in BANKS for program in _bank(bank)),
    Program("bank-front", BANK_TWO.organisation, ("sandbox.bank_front", *_FRONTS, "{hanging_bank}"), _front),
    Program("top-up-provider", "gateway", ("sandbox.top_up_provider", "{top_up}"), _listens("top_up")),
    Program("gateway", "gateway", _web("gateway", "sandbox.wsgi:gateway", 2), _healthy("gateway")),
    Program("gateway-worker", "gateway", ("sandbox.crash_points", "gateway", "worker"), _always),
    Program("shop", "shop", _web("shop", "wsgi:merchant_demo", 1), _healthy("shop")),
    Program("shop-worker", "shop", ("merchant_demo", "worker"), _always),
)
"""Started in this order, ended in the opposite one."""


class Processes:
    """The running processes of one sandbox."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pids: dict[str, int] = {}
        self._restarts: dict[str, list[float]] = {}

    def start(self) -> None:
        """Start everything and return when everything answers.

        Raises:
            CannotRun: naming the process that does not, with its log's last line.
        """
        self._world.logs.mkdir(parents=True, exist_ok=True)
        for program in PROGRAMS:
            self._start(program)
        deadline = time.monotonic() + READY_SECONDS
        for program in PROGRAMS:
            while not program.answers(self._world):
                self._refuse_if_gone(program)
                if time.monotonic() > deadline:
                    raise CannotRun(f"{program.name} does not answer; see {self._log(program)}")
                time.sleep(POLL_SECONDS)
            self._refuse_if_gone(program)

    def restart_the_dead(self) -> list[str]:
        """Start again what has ended by itself; returns a sentence for each.

        Raises:
            CannotRun: when one ends again and again.
        """
        said = []
        for program in PROGRAMS:
            if is_running(self._pids[program.name]):
                continue
            now = time.monotonic()
            recent = [at for at in self._restarts.get(program.name, []) if at > now - RESTARTS_WITHIN_SECONDS]
            if len(recent) >= self._world.restarts_a_minute:
                raise CannotRun(f"{program.name} ended {len(recent) + 1} times in a minute; see {self._log(program)}")
            self._restarts[program.name] = [*recent, now]
            _kill_group(self._pids[program.name], signal.SIGKILL)
            self._start(program)
            said.append(f"{program.name} had ended and was started again")
        return said

    def stop(self) -> None:
        """End every process by its id, the last started first, and wait until it is gone."""
        for program in reversed(PROGRAMS):
            pid = self._pids.pop(program.name, None)
            if pid is not None:
                _end_group(pid)
        self._world.processes_file.unlink(missing_ok=True)

    def stop_left_over(self) -> None:
        """End what an earlier sandbox left running here because it was killed itself."""
        try:
            found: dict[str, int] = json.loads(self._world.processes_file.read_text())
        except (OSError, ValueError):
            return
        words = {program.name: _known_by(program) for program in PROGRAMS}
        for name, pid in found.items():
            if name in words and is_running(pid, words[name]):
                _end_group(pid)
        self._world.processes_file.unlink(missing_ok=True)

    def _start(self, program: Program) -> None:
        ports = {name: str(port) for name, port in self._world.ports.items()}
        words = [word.format(**ports) for word in program.command]
        environment = self._world.environment(program.organisation)
        self._pids[program.name] = spawn([sys.executable, "-m", *words], self._log_file(program), environment)
        self._world.processes_file.parent.mkdir(parents=True, exist_ok=True)
        beside = self._world.processes_file.with_suffix(".new")
        beside.write_text(json.dumps(self._pids))
        beside.replace(self._world.processes_file)  # readers see the old list or the new one, never half of one

    def _refuse_if_gone(self, program: Program) -> None:
        if not is_running(self._pids[program.name]):
            text = self._log_file(program).read_text(errors="replace")
            raise CannotRun(f"{program.name} ended at once: {last_line(text)} (all of it: {self._log(program)})")

    def _log_file(self, program: Program) -> Path:
        return self._world.logs / f"{program.name}.log"

    def _log(self, program: Program) -> str:
        return os.path.relpath(self._log_file(program))


def _known_by(program: Program) -> str:
    """Return the word of its command line that tells a process of ours from another with a reused id."""
    return program.command[0] if program.command[0].startswith("sandbox.") else program.command[1]


def check_ports(world: World) -> None:
    """Make sure that nobody listens where we are going to.

    Raises:
        CannotRun: naming the port and the variable that moves it.
    """
    for name, (variable, _) in PORTS.items():
        port = world.ports[name]
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listener.bind((ADDRESS, port))
            except OSError as error:
                why = error.strerror.lower() if error.strerror else "not available"
                raise CannotRun(
                    f"port {port} ({name}) cannot be used: {why}; stop what uses it or set {variable} to another port"
                ) from None


def _get(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as answer:  # noqa: S310 - an address of our own
            return bool(answer.status == HTTPStatus.OK)
    except (urllib.error.URLError, OSError):
        return False


def _connects(port: int) -> bool:
    try:
        socket.create_connection((ADDRESS, port), timeout=PROBE_SECONDS).close()
    except OSError:
        return False
    return True


def _end_group(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    deadline = time.monotonic() + STOP_SECONDS
    while is_running(pid) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    _kill_group(pid, signal.SIGKILL)
    while is_running(pid):
        time.sleep(POLL_SECONDS)


def _kill_group(pid: int, by: signal.Signals) -> None:
    try:
        os.killpg(pid, by)  # every process leads a group of its own
    except ProcessLookupError:
        return
