"""``python -m sandbox up | reset | audit | info --json | run | docs | simulate | chaos | crash``: its commands."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable

from sandbox.audit import audit
from sandbox.chaos import command as chaos
from sandbox.crashes import POINTS, CrashFile
from sandbox.documents import write_pages
from sandbox.info import info_of
from sandbox.places import CannotRun
from sandbox.simulator.command import add_arguments, run_seeds
from sandbox.up import reset, up
from sandbox.world import PROGRAMS, World


def main(arguments: list[str]) -> int:
    """Run one command; what stands in its way is said in a sentence, and the exit code is 1."""
    parser = argparse.ArgumentParser(prog="python -m sandbox", description="The whole world on one machine.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, what) in COMMANDS.items():
        command = commands.add_parser(name, help=what)
        if name == "info":
            command.add_argument("--json", action="store_true", help="for programs (it is the only form)")
    crash = commands.add_parser("crash", help="let a process die at a named place; without a name, list the places")
    crash.add_argument("wish", nargs="?", metavar="NAME[:N[:stop]]", help="at the N-th passing; stop freezes it")
    run = commands.add_parser("run", help="run a command as an operator: run gateway reconcile list")
    run.add_argument("organisation", choices=PROGRAMS)
    run.add_argument("words", nargs=argparse.REMAINDER, help="of the organisation's own command")
    add_arguments(commands.add_parser("simulate", help="run both organisations under faults from one seed"))
    chaos.add_arguments(commands.add_parser("chaos", help="break processes while people buy, then compare the books"))
    chosen = parser.parse_args(arguments)
    try:
        if chosen.command == "simulate":
            return run_seeds(chosen.steps, chosen.seed, chosen.seeds, replay=chosen.replay)
        if chosen.command == "chaos":
            return chaos.run(chosen.seconds, chosen.seed, keep=chosen.keep)
        if chosen.command == "crash":
            return _crash(World.from_environment(), chosen.wish)
        if chosen.command == "run":
            return _run(World.from_environment(), chosen.organisation, chosen.words)
        return COMMANDS[chosen.command][0](World.from_environment())
    except CannotRun as error:
        print(error, file=sys.stderr)
        return 1


def _up(world: World) -> int:
    up(world)
    return 0


def _reset(world: World) -> int:
    reset(world)
    return 0


def _info(world: World) -> int:
    print(json.dumps(info_of(world), ensure_ascii=False, indent=2))
    return 0


def _run(world: World, organisation: str, words: list[str]) -> int:
    """Become the organisation's own command, in the environment of its processes."""
    world.handed_out()  # says so where nothing was ever started
    os.execve(  # noqa: S606 - ours, and no shell shall read the words
        sys.executable, [sys.executable, "-m", PROGRAMS[organisation], *words], world.environment(organisation)
    )


def _crash(world: World, wish: str | None) -> int:
    if wish is None:
        print("\n".join(f"{name:36} {what}" for name, what in POINTS.items()))
    else:
        CrashFile(world.crash_file).arm(wish)
    return 0


def _docs(_: World) -> int:
    write_pages()
    return 0


def _audit(world: World) -> int:
    report = audit(world)
    print("\n".join(report.lines))
    return 0 if report.clean else 1


COMMANDS: dict[str, tuple[Callable[[World], int], str]] = {
    "up": (_up, "start everything and keep it running"),
    "reset": (_reset, "forget data, keys and messages"),
    "info": (_info, "print what a program needs to drive a running sandbox"),
    "audit": (_audit, "compare gateway, bank and shop"),
    "docs": (_docs, "write the generated pages of docs/"),
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
