"""What production imports is what production installs."""

import ast
import importlib.metadata
import re
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = ("contracts", "foundation", "gateway", "merchant_demo", "otp", "pooya", "sandbox")


def _pinned(name: str) -> set[str]:
    lines = (ROOT / name).read_text().splitlines()
    return {re.split(r"[\[=]", line)[0] for line in lines if line and not line.startswith(("#", "-"))}


def _imported(*folders: str) -> set[str]:
    found: set[str] = set()
    for path in (path for folder in folders for path in (ROOT / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - set(sys.stdlib_module_names) - set(OURS)


def _missing(pinned: set[str], *folders: str) -> dict[str, list[str]]:
    sellers = importlib.metadata.packages_distributions()
    named = {
        name: [re.sub(r"[-_.]+", "-", seller).lower() for seller in sellers.get(name, [])]
        for name in _imported(*folders)
    }
    return {name: owners for name, owners in named.items() if not pinned & set(owners)}


def test_production_installs_what_it_imports() -> None:
    """Every package that an organisation imports is pinned in requirements.txt."""
    assert _missing(_pinned("requirements.txt"), *(name for name in OURS if name != "sandbox")) == {}


def test_the_sandbox_installs_what_it_imports() -> None:
    """Every package that the sandbox imports is pinned for it."""
    assert _missing(_pinned("requirements.txt") | _pinned("requirements-sandbox.txt"), "sandbox") == {}


def test_everything_is_pinned_once() -> None:
    """Each line names one version, and no package stands in two files."""
    files = ("requirements.txt", "requirements-sandbox.txt", "requirements-dev.txt")
    lines = [line for name in files for line in (ROOT / name).read_text().splitlines() if line and line[0] not in "#-"]
    names = [re.split(r"[\[=]", line)[0] for line in lines]

    assert all(re.fullmatch(r"[a-z0-9-]+(\[\w+\])?==[\w.]+", line) for line in lines)
    assert len(names) == len(set(names))


@pytest.mark.xdist_group("together")
def test_these_versions_keep_groups_of_tests_together(request: pytest.FixtureRequest) -> None:
    """Pytest 9.2 with pytest-xdist 3.8 ignores groups without a word, and each worker starts a world of its own."""
    grouping = getattr(request.config.option, "loadgroup", False)
    assert request.node.nodeid.endswith("@together") is grouping
