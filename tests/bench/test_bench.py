"""The benchmarks run and say what they measured; what they measure is no test."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.__main__ import BENCHMARKS, main
from bench.rounds import in_turns

ROOT = Path(__file__).parents[2]


def test_conditions_take_turns_and_medians_decide() -> None:
    """One lucky round of either condition does not decide."""
    seen: list[str] = []
    usual, changed = iter([10.0, 12.0, 100.0]), iter([6.0, 1.0, 9.0])

    def one(name: str, figures: object) -> float:
        seen.append(name)
        return next(figures)  # type: ignore[call-overload,no-any-return]  # an iterator of figures

    comparison = in_turns(3, lambda: one("usual", usual), lambda: one("changed", changed))
    assert seen == ["usual", "changed"] * 3
    assert comparison.ratio == 6.0 / 12.0


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error starts nothing and lists what there is."""
    with pytest.raises(SystemExit):
        main(["helthy-bank"])
    assert "healthy-bank" in capsys.readouterr().err


def test_every_benchmark_is_described() -> None:
    """The page of figures names the command of each."""
    page = (ROOT / "docs" / "performance.md").read_text()
    assert [name for name in BENCHMARKS if f'NAMES="{name}"' not in page] == []


@pytest.mark.world
@pytest.mark.timeout(240)
def test_f18_a_healthy_banks_purchases_go_on_while_another_hangs() -> None:
    """F18: beside a bank that hangs purchases are still made, and the run prints its ratio and leaves clean books."""
    command = [sys.executable, "-m", "bench", "healthy-bank", "--rounds", "1", "--seconds", "3"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    ratio = re.search(r"ratio: (\d+\.\d+)", done.stdout)
    assert ratio
    assert float(ratio[1]) > 0
