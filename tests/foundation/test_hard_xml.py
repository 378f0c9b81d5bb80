"""The hard parser: everything that XML can be used for besides carrying a message is refused."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation.hard_xml import XmlRefused, parse, schema_of

CAP = 65_536
CORPUS = Path(__file__).parents[1] / "corpus" / "soap"

ENTITY_BOMB = b'<!DOCTYPE a [<!ENTITY b "bb"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><a>&c;&c;&c;&c;</a>'
EXTERNAL_FILE = b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
EXTERNAL_ADDRESS = b'<!DOCTYPE a [<!ENTITY x SYSTEM "http://127.0.0.1:1/">]><a>&x;</a>'
EXTERNAL_DTD = b'<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>'
PARAMETER_ENTITY = b'<!DOCTYPE a [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><a/>'


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"nonsense",
        b"<a>",
        b"<a/><b/>",
        b"<a b='1' b='2'/>",
        b"<x:a/>",
        b"\x00<a/>",
        b"<a>\x01</a>",
        b"<a>&#0;</a>",
        b"<a>&unknown;</a>",
        b"<a>\xff</a>",
        "<a/>".encode("utf-16"),
        "<a/>".encode("utf-32"),
        b'<?xml version="1.0" encoding="utf-16"?>' + "<a/>".encode("utf-16-le"),
        ENTITY_BOMB,
        EXTERNAL_FILE,
        EXTERNAL_ADDRESS,
        EXTERNAL_DTD,
        PARAMETER_ENTITY,
        b"<!DOCTYPE html><html/>",
        b"\xef\xbb\xbf<!DOCTYPE a><a/>",
        b"<a>" * 300 + b"</a>" * 300,
    ],
)
def test_what_is_not_plain_xml_is_refused(raw: bytes) -> None:
    """No DTD, no entity of its own, no other encoding, no depth without end."""
    with pytest.raises(XmlRefused):
        parse(raw, max_bytes=CAP)


def test_what_is_too_large_is_not_even_parsed() -> None:
    """One byte above the cap is refused as too large although it is no XML at all."""
    with pytest.raises(XmlRefused, match="too large"):
        parse(b"\x00" * (CAP + 1), max_bytes=CAP)


def test_within_the_cap_nothing_takes_long() -> None:
    """The worst that fits into the cap, many nodes, many attributes, one long text, is parsed and stays small."""
    nodes = b"<a>" + b"<b/>" * 16_000 + b"</a>"
    attributes = b"<a " + b" ".join(b'a%d=""' % number for number in range(6_000)) + b"/>"
    text = b"<a>" + b"x" * 65_000 + b"</a>"
    started = time.monotonic()

    assert len(parse(nodes, max_bytes=CAP)) == 16_000
    assert len(parse(attributes, max_bytes=CAP).attrib) == 6_000
    assert len(parse(text, max_bytes=CAP).text) == 65_000
    assert time.monotonic() - started < 30  # a hang, not a speed


def test_comments_and_instructions_leave_no_trace() -> None:
    """A comment cannot cut a text in two: what is signed is what is read."""
    root = parse(b"<?go away?><a>12<!-- 34 -->56<?x y?>78</a>", max_bytes=CAP)

    assert root.text == "125678"
    assert len(root) == 0


def test_the_declared_encoding_does_not_matter() -> None:
    """Everything is read as UTF-8, whatever the first line says."""
    root = parse("<?xml version='1.0' encoding='iso-8859-1'?><a>پ</a>".encode(), max_bytes=CAP)

    assert root.text == "پ"


def test_a_file_that_is_no_schema_is_refused(tmp_path: Path) -> None:
    """Our own files come through the same parser."""
    path = tmp_path / "no.xsd"
    for raw in (b"<a/>", b"<!DOCTYPE a><a/>"):
        path.write_bytes(raw)
        with pytest.raises(XmlRefused):
            schema_of(path)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=400) | st.text(alphabet="<>/&;!?='\" ab:[]-#x%DOCTYPEN\n", max_size=300).map(str.encode))
def test_no_bytes_whatever_break_it(raw: bytes) -> None:
    """Fuzzing: a tree or XmlRefused, nothing else."""
    with contextlib.suppress(XmlRefused):
        assert parse(raw, max_bytes=CAP) is not None


@pytest.mark.parametrize("path", sorted(CORPUS.glob("*")), ids=lambda path: path.name)
def test_the_corpus_breaks_nothing(path: Path) -> None:
    """Everything that was ever worth keeping: a tree or XmlRefused."""
    with contextlib.suppress(XmlRefused):
        assert parse(path.read_bytes(), max_bytes=CAP) is not None
