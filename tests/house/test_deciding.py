"""What decides about money: the application's own database and its clock, no reader's copy and no machine's clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = ("foundation", "gateway", "otp")

READER = {"reader", "reader_database_url", "open_reader"}
HOLDS_THE_READER = {
    "foundation/audit_trail.py": "proves a chain",
    "foundation/checks.py": "asks the rules",
    "foundation/monitor.py": "opens it",
    "gateway/__main__.py": "closes it",
    "gateway/config.py": "its address",
    "gateway/services/audit_trail.py": "proves the trail",
    "gateway/services/gateway.py": "carries it",
    "gateway/services/ledger.py": "proves the chain",
    "gateway/services/list_stuck.py": "shows operators what waits",
    "gateway/services/watch.py": "the monitor",
    "gateway/wiring.py": "opens it",
    "gateway/worker.py": "begins the monitor where there is one",
    "otp/__main__.py": "closes it",
    "otp/config.py": "its address",
    "otp/services/audit_trail.py": "proves the trail",
    "otp/services/bank.py": "carries it",
    "otp/services/watch.py": "the monitor",
    "otp/wiring.py": "opens it",
    "otp/worker.py": "begins the monitor where there is one",
}

CLOCKS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime"}
TELL_TIME = {"time", "datetime", "date", "dt.datetime", "dt.date", "datetime.datetime", "datetime.date"}
READS_ITS_OWN_CLOCK = {
    "foundation/xml_signatures.py": "an envelope carries when it was signed, and is refused when it is old",
    "gateway/switch/network.py": "a sign-on or an echo carries a local time; nothing is decided by it",
    "gateway/wiring.py": "a webhook carries when it was signed",
}
"""Every use of a machine's clock that can jump. How long something took is measured by one that only goes forward."""


def _modules() -> Iterator[tuple[str, ast.Module]]:
    for package in PRODUCTION:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def _names(tree: ast.Module) -> set[str]:
    named = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    named |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    return named | {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def _asks_the_machine(tree: ast.Module) -> bool:
    asked = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and node.attr in CLOCKS]
    of_time = [node for node in asked if ast.unparse(node.value) in TELL_TIME]
    return bool(of_time) or any(isinstance(node, ast.ImportFrom) and node.module == "time" for node in ast.walk(tree))


def test_f16_no_path_of_money_holds_the_readers_way_in() -> None:
    """F16: only who proves and who watches asks the read-only role, which may lag; services decide without it."""
    assert {name for name, tree in _modules() if _names(tree) & READER} == set(HOLDS_THE_READER)


def test_f20_d33_no_machines_clock_decides() -> None:
    """F20, D33: a worker or a web process that is minutes off decides the same: it decides by another clock."""
    assert {name for name, tree in _modules() if _asks_the_machine(tree)} == set(READS_ITS_OWN_CLOCK)


@pytest.mark.parametrize(
    "code",
    [
        "import datetime as dt\ndt.datetime.now(dt.UTC)",
        "import datetime as dt\ndt.date.today()",
        "from datetime import datetime\ndatetime.now()",
        "import time\ntime.time()",
        "from time import time",
    ],
)
def test_f20_a_use_of_the_machines_clock_is_seen(code: str) -> None:
    """The ways to ask for it that this house could write."""
    assert _asks_the_machine(ast.parse(code))
    assert not _asks_the_machine(ast.parse("import time\ntime.monotonic()\nrow.now"))
