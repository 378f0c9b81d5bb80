"""The doors of the weak dialects against anything: an answer in their own words, never a breakdown, never half done."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.hard_xml import Element
from foundation.pan import Pan
from otp.harim_api.sadad import RESPONSE_CODES
from otp.services.register_psp import allow_unbound
from tests.otp.dialect_callers import CEILING, SadadCaller, YaghutCaller

PAN = Pan.parse("9990020000001231")
CORPUS = Path(__file__).parents[1] / "corpus"
TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
)
NAMES = st.from_regex("[A-Za-z_\u0641\u013f][A-Za-z0-9_.\u0641\u013f-]{0,8}", fullmatch=True)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FUZZ = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WORDS = {"", "Client", "InvalidCardStatusWSException", "OTPWSException", "ServiceCallWSException"}
"""Every answer that is none of "we broke"."""


@pytest.fixture
def open_bank(make_bank: Callable[..., Any]) -> Any:
    """Give a bank that holds nobody off and allows the dialects."""
    here = make_bank(strangers_per_minute=1_000_000, directory_seconds=60)
    allow_unbound(here.bank, "pooya", CEILING)
    return here


@pytest.fixture
def sadad(open_bank: Any) -> SadadCaller:
    """Give a PSP."""
    return SadadCaller(open_bank)


@pytest.fixture
def yaghut(open_bank: Any) -> YaghutCaller:
    """Give a PSP."""
    return YaghutCaller(open_bank)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("soap/*")), ids=lambda path: path.name)
def test_the_soap_corpus_is_answered_by_faults(open_bank: Any, yaghut: YaghutCaller, path: Path) -> None:
    """None of it was signed for this door."""
    heard = yaghut.send(path.read_bytes())

    assert (heard.code in {"Client", "VersionMismatch", "MustUnderstand"}, heard.signed) == (True, False)
    assert open_bank.challenges() == []


@pytest.mark.parametrize("path", sorted(CORPUS.glob("json/*")), ids=lambda path: path.name)
def test_the_json_corpus_is_answered_by_refusals(open_bank: Any, sadad: SadadCaller, path: Path) -> None:
    """Each message well signed."""
    assert sadad.send(path.read_bytes()).code == "30"
    assert open_bank.challenges() == []


@FUZZ
@given(number=st.integers(0, 30), text=TEXTS, twice=st.booleans(), rename=st.none() | NAMES)
def test_no_signed_envelope_breaks_the_door(
    yaghut: YaghutCaller,
    number: int,
    text: str,
    twice: bool,  # noqa: FBT001 - drawn, not passed
    rename: str | None,
) -> None:
    """A known PSP writes anything into any element, renames it, doubles it."""

    def before(envelope: Element) -> None:
        parts = list(envelope[-1].iter())[1:]
        part = parts[number % len(parts)]
        part.text = text
        if rename is not None:
            part.tag = rename
        if twice:
            part.append(part.makeelement(part.tag))

    heard = yaghut.send(*yaghut.signed(yaghut.bean(PAN), before=before))

    assert (heard.code in WORDS, heard.signed) == (True, True)


@FUZZ
@given(
    name=st.sampled_from(["amount", "cardMedia", "requestType", "pan", "token", "x"]),
    value=JSON_VALUES,
    inside=st.booleans(),
)
def test_no_signed_json_breaks_the_door(
    sadad: SadadCaller,
    name: str,
    value: object,
    inside: bool,  # noqa: FBT001 - drawn, not passed
) -> None:
    """Any value under any name, outside and inside the card."""
    message = sadad.message(PAN)
    (message["cardMedia"] if inside else message)[name] = value

    heard = sadad.send(json.dumps(message).encode())

    assert (heard.status, heard.signed) == (200, True)
    assert heard.code in set(RESPONSE_CODES.values()) - {"91"}


@FUZZ
@given(raw=st.binary(max_size=300))
def test_no_bytes_break_the_doors(sadad: SadadCaller, yaghut: YaghutCaller, raw: bytes) -> None:
    """Neither JSON nor XML."""
    assert sadad.send(raw).code == "30"
    assert yaghut.send(raw).code in {"Client", "VersionMismatch"}
