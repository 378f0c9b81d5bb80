"""The documents say what the code says."""

import re
from pathlib import Path

import pytest

from sandbox.cards import CARDS
from sandbox.crashes import POINTS
from sandbox.documents import PAGES

ROOT = Path(__file__).parents[2]
_LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)")
_FOLDERS = (
    *("bench", "clients", "contracts", "docs", "foundation"),
    *("gateway", "merchant_demo", "otp", "sandbox", "tests"),
)
_DOCUMENT = re.compile(r"(?<![\w*/.])[\w./-]+\.md\b")


@pytest.mark.parametrize("name", PAGES)
def test_generated_pages_are_fresh(name: str) -> None:
    """Settings and states in the documents are those of the code; `make docs` writes them again."""
    assert (ROOT / "docs" / name).read_text() == PAGES[name]()


def test_links_lead_somewhere() -> None:
    """Every relative link in a document names a file that is there."""
    pages = [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]
    broken = [
        f"{page.relative_to(ROOT)} → {target}"
        for page in pages
        for target in _LINK.findall(page.read_text())
        if not (page.parent / target).exists()
    ]

    assert broken == []


def test_documents_that_a_text_names_are_there() -> None:
    """Whoever has the repository has every document that its code, tests and pages point to."""
    texts = [path for name in _FOLDERS for path in (ROOT / name).rglob("*.*") if path.suffix in {".md", ".py"}]
    texts += ROOT.glob("*.md")
    names = {path.name for path in texts}
    missing = [
        f"{text.relative_to(ROOT)} → {named}"
        for text in texts
        for named in _DOCUMENT.findall(text.read_text())
        if not (named in names or any((near / named).exists() for near in (text.parent, ROOT, ROOT / "docs")))
    ]

    assert missing == []


def test_every_make_target_explains_itself() -> None:
    """`make` alone lists every target that a person may run."""
    makefile = (ROOT / "Makefile").read_text()
    phony = next(line for line in makefile.splitlines() if line.startswith(".PHONY")).split()[1:]

    assert all(re.search(rf"^{target}:.*## \S", makefile, re.MULTILINE) for target in phony)


def test_the_documents_show_every_place_to_die() -> None:
    """The sandbox's page has the table of places as the code has it."""
    page = (ROOT / "docs" / "sandbox.md").read_text()

    assert [name for name, when in POINTS.items() if f"| `{name}` | {when} |" not in page] == []


def test_the_documents_show_every_behaviour_of_a_card() -> None:
    """The sandbox's page has a row for each behaviour in the table of cards."""
    page = (ROOT / "docs" / "sandbox.md").read_text()

    assert all(f"`{card.behaviour}`" in page for card in CARDS)
