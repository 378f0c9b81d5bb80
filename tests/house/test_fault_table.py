"""Every row of the fault table (F1 to F35) has a test or a simulator's case with its number.

The table is the list of what goes wrong that this product is built against; ``docs/chaos.md`` and ``docs/simulator.md``
say by what each row is shown.
"""

from __future__ import annotations

import re
from pathlib import Path

from sandbox.simulator.catalogue import FAULTS

ROOT = Path(__file__).parents[2]
ROWS = {f"F{number}" for number in range(1, 36)}
NUMBERED = re.compile(r"def test_(?:\w+?_)??((?:f\d+_)+)")


def named_by_tests() -> set[str]:
    """Return the rows that the names of tests bear."""
    names = (found for path in (ROOT / "tests").rglob("test_*.py") for found in NUMBERED.findall(path.read_text()))
    return {word.upper() for name in names for word in name.strip("_").split("_")}


def test_every_row_of_the_fault_table_is_shown() -> None:
    """By a test's name or by a case of the simulator."""
    assert named_by_tests() | {row.number for row in FAULTS} == ROWS


def test_what_the_documents_say_of_the_rows_is_so() -> None:
    """The simulator's page names just the rows that it shows."""
    page = (ROOT / "docs" / "simulator.md").read_text()
    told = re.search(r"a simulator can show \(([^)]*)\)", page)
    assert told is not None
    spans = re.findall(r"F(\d+)(?: to F(\d+))?", told[1])
    named = {f"F{number}" for first, last in spans for number in range(int(first), int(last or first) + 1)}

    assert named == {row.number for row in FAULTS}
