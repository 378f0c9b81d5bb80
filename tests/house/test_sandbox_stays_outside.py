"""The sandbox wraps the applications from outside; a production image has none of it (D10)."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCTION = ("contracts", "foundation", "gateway", "merchant_demo", "otp")
LIST_ROUTES = """
import importlib, json, sys
from flask import Flask
blueprints = sys.argv[1:]
app = Flask("image")
for name in blueprints:
    module, attribute = name.split(":")
    app.register_blueprint(getattr(importlib.import_module(module), attribute), name=module)
print(json.dumps([rule.rule for rule in app.url_map.iter_rules()]))
"""
BLUEPRINTS = (
    "gateway.web.pages:blueprint",
    "gateway.api.door:blueprint",
    "otp.harim_api.rest:blueprint",
    "otp.ramznegar.pages:blueprint",
    "merchant_demo.pages:blueprint",
    "merchant_demo.webhook:blueprint",
)


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """Give a copy of what a production image holds: everything but sandbox and tests."""
    for name in PRODUCTION:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "wsgi.py", tmp_path)
    return tmp_path


@pytest.mark.parametrize("application", ["gateway.app", "otp.app", "merchant_demo.app", "gateway.worker", "otp.worker"])
def test_d10_production_runs_without_the_sandbox(image: Path, application: str) -> None:
    """Every application and worker imports in an image that has no ``sandbox/``."""
    done = _python(image, f"import {application}")

    assert done.returncode == 0, done.stderr


def test_d10_no_production_route_belongs_to_the_sandbox(image: Path) -> None:
    """Phone, cash machine and control are no routes of the applications themselves."""
    done = _python(image, LIST_ROUTES, *BLUEPRINTS)

    assert done.returncode == 0, done.stderr
    assert "/pay/<page_token>" in done.stdout
    assert "sandbox" not in done.stdout


def test_d10_only_the_sandbox_replaces_the_clock() -> None:
    """No production module but the one that first versions are made with defines ``house_now``."""
    defining = [
        path.relative_to(ROOT).as_posix()
        for folder in PRODUCTION
        for path in (ROOT / folder).rglob("*.py")
        if any(
            isinstance(node, ast.Constant) and isinstance(node.value, str) and "FUNCTION house_now" in node.value
            for node in ast.walk(ast.parse(path.read_text()))
        )
    ]

    assert defining == ["foundation/migrations.py"]


def test_each_application_is_built_only_when_asked_for(image: Path) -> None:
    """Importing ``wsgi`` imports no organisation."""
    done = _python(image, "import sys, wsgi; print([name for name in ('gateway', 'otp') if name in sys.modules])")

    assert done.stdout.strip() == "[]"


def _python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=60)  # noqa: S603 - our own command
