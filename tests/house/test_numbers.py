"""The numbers by which code, tests and pages name decisions, invariants and faults are defined in two pages."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

from foundation.checks import Rules
from gateway.store.checks import RULES as GATEWAY_RULES
from otp.store.checks import RULES as BANK_RULES
from sandbox.simulator.catalogue import FAULTS

ROOT = Path(__file__).parents[2]
FOLDERS = (
    *("bench", "clients", "contracts", "docs", "foundation"),
    *("gateway", "merchant_demo", "otp", "sandbox", "tests"),
)
KINDS = {".css", ".html", ".js", ".json", ".md", ".py", ".toml", ".wsdl", ".xsd", ".yaml"}
PAGES = ("decisions.md", "invariants.md")

_NUMBER = re.compile(r"\b[DIF]\d{1,2}[a-z]?\b")
_IN_A_NAME = re.compile(r"def test_(?:\w+?_)??((?:[dif]\d+[a-z]?_)+)")
_ROW = re.compile(r"^\| ([DIF]\d+[a-z]?) \| (.*) \|$", re.MULTILINE)
_NAMED = re.compile(r"`([\w/.]+)`")


def rows() -> dict[str, list[str]]:
    """Return the cells behind each number of both pages."""
    pages = [(ROOT / "docs" / name).read_text() for name in PAGES]
    return {number: cells.split(" | ") for page in pages for number, cells in _ROW.findall(page)}


@functools.cache
def texts() -> dict[str, str]:
    """Read everything that may name a number, but the pages that define them."""
    paths = [path for name in FOLDERS for path in (ROOT / name).rglob("*.*") if path.suffix in KINDS]
    paths += [ROOT / name for name in ("README.md", "CHANGELOG.md", "Makefile", "pyproject.toml")]
    return {
        path.relative_to(ROOT).as_posix(): path.read_text(errors="replace") for path in paths if path.name not in PAGES
    }


def borne(text: str) -> set[str]:
    """Return the numbers in the names of a module's tests, as the pages write them."""
    return {f"{word[0].upper()}{word[1:]}" for names in _IN_A_NAME.findall(text) for word in names.split("_") if word}


def test_every_number_that_is_named_is_defined() -> None:
    """Whoever meets a number finds what it means."""
    defined = set(rows())
    named = {name: {*_NUMBER.findall(text)} | borne(text) for name, text in texts().items()}
    unknown = {name: numbers - defined for name, numbers in named.items() if numbers - defined}

    assert unknown == {}


def test_every_number_is_defined_once() -> None:
    """No number has two meanings."""
    numbers = [number for name in PAGES for number, _ in _ROW.findall((ROOT / "docs" / name).read_text())]

    assert len(numbers) == len(set(numbers))
    assert {number for number in numbers if number[0] == "I"} == {f"I{number}" for number in range(1, 19)}


def test_every_decision_is_named_by_a_test() -> None:
    """A decision without a test named after it is only a wish."""
    tested = {number for name, text in texts().items() if name.startswith("tests/") for number in borne(text)}

    assert {number for number in rows() if number[0] == "D"} - tested == set()


def test_every_invariant_and_fault_is_named_by_code_or_tests() -> None:
    """What nobody holds and nobody tries is only a wish."""
    named = {
        number
        for name, text in texts().items()
        if not name.startswith("docs/")
        for number in {*_NUMBER.findall(text)} | borne(text)
    }

    assert {number for number in rows() if number[0] != "D"} - named == set()


def test_modules_that_hold_a_decision_are_there() -> None:
    """Each decision leads to the code that keeps it."""
    holding = {number: _NAMED.findall(cells[-1]) for number, cells in rows().items() if number[0] == "D"}

    assert [number for number, paths in holding.items() if not paths] == []
    assert [path for paths in holding.values() for path in paths if not (ROOT / path).is_file()] == []


@pytest.mark.parametrize(("column", "rules"), [(1, GATEWAY_RULES), (2, BANK_RULES)])
def test_what_holds_an_invariant_is_there(column: int, rules: Rules) -> None:
    """Each check is one of that organisation's monitor; whatever else is named is a test or a constraint."""
    asked = {check.name for check in rules.checks}
    code = "\n".join(text for name, text in texts().items() if name.startswith(("tests/", "gateway/m", "otp/m")))
    for number, cells in rows().items():
        if number[0] != "I":
            continue
        names = _NAMED.findall(cells[column])
        assert {name for name in names if name.startswith("I")} <= asked, number
        assert all(name in code for name in names if not name.startswith("I")), number
        if any(check.startswith(f"{number}_") for check in asked):
            assert any(name.startswith(f"{number}_") for name in names), number


def test_what_shows_a_fault_is_there() -> None:
    """Each module that is named has a test with the number, and the simulator a case; two rows have neither."""
    met = {row.number for row in FAULTS}
    for number, cells in rows().items():
        if number[0] != "F":
            continue
        modules = _NAMED.findall(cells[-1])
        assert all(number in borne((ROOT / module).read_text()) for module in modules), number
        assert ("simulator" in cells[-1]) == (number in met), number
        assert modules or number in met or cells[-1] == "–", number
