"""Places to die: who passes an armed one for the n-th time dies there, once; nobody else does."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.crashes import FILE_VARIABLE, POINTS, CrashFile
from sandbox.places import CannotRun
from tests.world import RunningWorld

PASS_THREE_TIMES = """
from sandbox.crashes import passing
for number in range(3):
    passing("bank.before_commit")
    passing("gateway.before_response")
    print(number, flush=True)
"""


@pytest.mark.parametrize(
    ("wish", "code", "said"),
    [
        ("bank.before_commit", -signal.SIGKILL, ""),
        ("bank.before_commit:3", -signal.SIGKILL, "0\n1\n"),
        ("bank.before_commit:4", 0, "0\n1\n2\n"),
        ("gateway.after_issuer_call", 0, "0\n1\n2\n"),
    ],
)
def test_d10_who_passes_for_the_nth_time_dies_once(tmp_path: Path, wish: str, code: int, said: str) -> None:
    """D10: the order is taken away by who dies, so the next process lives."""
    file = CrashFile(tmp_path / "run" / "crash_at")
    file.arm(wish)

    first = _pass(tmp_path)

    assert (first.returncode, first.stdout) == (code, said)
    if code:
        assert file.armed is None
        assert _pass(tmp_path).returncode == 0


@pytest.mark.parametrize("wish", ["", "nowhere", "bank.before_commit:x", "bank.before_commit:1:explode"])
def test_a_place_that_there_is_not_is_a_sentence(tmp_path: Path, wish: str) -> None:
    """It names the places that there are, and arms nothing."""
    file = CrashFile(tmp_path / "crash_at")

    with pytest.raises(CannotRun, match=r"gateway\.after_issuer_call"):
        file.arm(wish)
    assert file.armed is None


def test_the_command_lists_the_places_and_arms_one(tmp_path: Path) -> None:
    """Without a name it tells what there is; with one it arms it in this sandbox."""
    world = RunningWorld(tmp_path / "var")

    listed = world.command("crash").stdout
    armed = world.command("crash", "worker.before_reversal:2")

    assert all(name in listed and when in listed for name, when in POINTS.items())
    assert armed.returncode == 0
    assert world.armed_at == "worker.before_reversal"


def _pass(folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, FILE_VARIABLE: str(folder / "run" / "crash_at")}
    command = [sys.executable, "-c", PASS_THREE_TIMES]
    return subprocess.run(  # noqa: S603 - a program of our own
        command, capture_output=True, text=True, check=False, timeout=60, env=environment, cwd=Path(__file__).parents[2]
    )
