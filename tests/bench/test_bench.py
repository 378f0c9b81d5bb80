"""The benchmarks run and say what they measured; what they measure is no test."""

import os
import re
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from bench.__main__ import BENCHMARKS, main
from bench.budgets import BUDGETS
from bench.cpu import spent
from bench.rounds import in_turns
from bench.statements import StatementLog, figures
from foundation.database import Database
from sandbox.postgres import Cluster
from sandbox.running import wait_for

ROOT = Path(__file__).parents[2]


def test_conditions_take_turns_and_the_middle_round_decides() -> None:
    """Who begins changes from round to round, and one lucky round of either condition does not decide."""
    seen: list[str] = []
    usual, changed = iter([10.0, 12.0, 100.0]), iter([6.0, 1.0, 9.0])

    def one(name: str, figures: object) -> float:
        seen.append(name)
        return next(figures)  # type: ignore[call-overload,no-any-return]  # an iterator of figures

    comparison = in_turns(3, lambda: one("usual", usual), lambda: one("changed", changed))
    assert seen == ["usual", "changed", "changed", "usual", "usual", "changed"]
    assert comparison.ratios == (0.6, 1.0 / 12.0, 0.09)
    assert comparison.ratio == 0.09
    assert str(comparison) == "ratio: 0.09 (3 rounds, the middle half 0.09 to 0.34)"


def test_an_unknown_benchmark_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """A typing error starts nothing and lists what there is."""
    with pytest.raises(SystemExit):
        main(["helthy-bank"])
    assert "healthy-bank" in capsys.readouterr().err


def test_every_benchmark_is_described() -> None:
    """The page of figures names the command of each."""
    page = (ROOT / "docs" / "performance.md").read_text()
    assert [name for name in BENCHMARKS if f'NAMES="{name}"' not in page] == []


def test_one_round_has_no_spread() -> None:
    """A short run says its one ratio."""
    assert in_turns(1, lambda: 2.0, lambda: 1.0).middle_half == (0.5, 0.5)


def test_processor_time_is_that_of_a_process_and_all_below_it() -> None:
    """A child's time counts while it lives and after its end; a process that sleeps has none."""
    busy = "import time\nwhile time.process_time() < 0.2: pass\nprint(flush=True)\ninput()"
    asleep = "print(flush=True)\ninput()"
    grown = []
    for code in (busy, asleep):
        before = spent([os.getpid()])
        with subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as child:
            assert child.stdout
            child.stdout.readline()
            grown += [spent([child.pid]), spent([os.getpid()]) - before]
            child.communicate("\n")
        grown.append(spent([os.getpid()]) - before)

    assert min(grown[:3]) >= 0.15
    assert grown[3] < 0.15


def test_the_documents_show_every_budget() -> None:
    """The page of figures has the table of budgets as the tests hold it."""
    page = (ROOT / "docs" / "performance.md").read_text()
    rows = [f"| {row.step} | `{row.who}` | {row.statements} | {row.commits} |" for row in BUDGETS]
    assert [row for row in rows if row not in page] == []


def test_statements_are_read_from_the_log_of_the_server(cluster: Cluster) -> None:
    """Each connection's own BEGIN tells which writes commit by themselves; FOR UPDATE in a transaction is no commit."""
    roles = cluster.create_roles("logged")
    cluster.create_database("logged", roles)
    address = cluster.url("logged", roles.owner)
    database = Database(address, application_name="gateway")
    plain = address.replace("+psycopg", "")
    another = psycopg.connect(plain, application_name="otp-host", autocommit=True)

    def purchase() -> None:
        with database.begin() as connection:
            connection.execute(text("SELECT name\n\n  FROM thing WHERE name = :name FOR UPDATE"), {"name": "a"})
            another.execute("\nINSERT INTO thing VALUES (%s)\n", ("b",))
            connection.execute(text("UPDATE thing SET name = :name"), {"name": "c"})

    with closing(database), closing(another):
        with database.begin() as connection:
            connection.execute(text("CREATE TABLE thing (name text)"))
        log = StatementLog(cluster)
        with log.kept():
            found = log.during(purchase)
        wait_for(lambda: not log.during(purchase), "the server to fall silent again")

    assert {who: figures(found[who]) for who in ("gateway", "otp-host")} == {"gateway": (2, 1), "otp-host": (1, 1)}
    assert figures(found["gateway"], without=set(found["gateway"])) == (0, 0)


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
