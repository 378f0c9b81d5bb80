"""Both doors of Harim against anything: whatever comes, an answer by the contract, never a breakdown, never a hang."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from foundation.hard_xml import Element
from foundation.signatures import RequestToSign, Signer
from foundation.soap import SOAP_12
from tests.fakes.envelopes import FOLDER, request_of
from tests.otp.conftest import BANK_IDENTITY, PSP_IDENTITY, PSP_PRIVATE_KEY
from tests.otp.soap_caller import TO_BANK, SoapCaller, caller_of

CORPUS = Path(__file__).parents[1] / "corpus"
DOCUMENT = json.loads((FOLDER / "examples" / "request-proven.json").read_text())
SIGNED, _ = request_of(PSP_IDENTITY, DOCUMENT, to=TO_BANK, version=SOAP_12)
OURS = frozenset({"Receiver", "Server"})
"""Faults that would say that the bank broke."""

TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
)
FIELDS = ("request_id", "sequence", "type", "amount", "payee_name", "payee_key", "card", "pan", "cvv2")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def caller(make_bank: Callable[..., Any]) -> SoapCaller:
    """Give a PSP at a bank that holds nobody off and remembers its PSPs."""
    return caller_of(make_bank(strangers_per_minute=1_000_000, directory_seconds=60), PSP_IDENTITY, BANK_IDENTITY)


@pytest.mark.parametrize("path", sorted(CORPUS.glob("soap/*")), ids=lambda path: path.name)
def test_the_soap_corpus_is_answered_by_faults(caller: SoapCaller, path: Path) -> None:
    """Everything that was ever worth keeping."""
    answer = caller.send(path.read_bytes(), version=SOAP_12)

    assert answer.code in {"MALFORMED", "SIGNATURE_REFUSED"}
    assert answer.part not in OURS


@pytest.mark.parametrize("path", sorted(CORPUS.glob("json/*")), ids=lambda path: path.name)
def test_the_json_corpus_is_answered_by_refusals(caller: SoapCaller, path: Path) -> None:
    """The same for REST, each message well signed."""
    assert _rest(caller, path.read_bytes()) in {"MALFORMED", "INCOMPLETE_BINDING"}


@FUZZ
@given(at=st.integers(0, len(SIGNED) - 1), length=st.integers(0, 200), put=st.binary(max_size=200))
def test_no_change_of_a_signed_request_is_believed(caller: SoapCaller, at: int, length: int, put: bytes) -> None:
    """Bytes cut out and others put in, anywhere: refused, or the same message as before, and never a breakdown."""
    answer = caller.send(SIGNED[:at] + put + SIGNED[at + length :], version=SOAP_12)

    if answer.part in {"accepted", "refusal"}:
        assert answer.said["request_id"] == DOCUMENT["request_id"]
    else:
        assert answer.code in {"MALFORMED", "SIGNATURE_REFUSED"}
        assert answer.part not in OURS


@FUZZ
@given(name=st.sampled_from(FIELDS), text=TEXTS, twice=st.booleans())
def test_no_signed_text_breaks_the_reader(caller: SoapCaller, name: str, text: str, twice: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """A known PSP writes anything into any field: always this operation's answer, signed, never "unavailable"."""

    def before(envelope: Element) -> None:
        field = envelope.find(f".//{{*}}{name}")
        field.text = text
        if twice:
            field.append(field.makeelement(field.tag))

    answer = caller.call(DOCUMENT, version=SOAP_12, before=before)

    assert (answer.status, answer.signed) == (200, True)
    assert answer.part in {"accepted", "refusal"}
    assert answer.code != "TEMPORARILY_UNAVAILABLE"


def test_a_name_that_xpath_does_not_know_is_malformed_and_no_breakdown(caller: SoapCaller) -> None:
    """XML allows more names than the search for the wrong field does."""

    def before(envelope: Element) -> None:
        envelope.find(".//{*}amount").tag = "{urn:pooya:harim:v1}A\u013f"

    answer = caller.call(DOCUMENT, version=SOAP_12, before=before)

    assert (answer.status, answer.signed, answer.code) == (200, True, "MALFORMED")


@FUZZ
@given(name=st.sampled_from([*DOCUMENT, "surprise"]), value=JSON_VALUES)
def test_no_signed_json_breaks_the_reader(caller: SoapCaller, name: str, value: object) -> None:
    """The same for REST."""
    assert _rest(caller, json.dumps({**DOCUMENT, name: value}).encode()) != "TEMPORARILY_UNAVAILABLE"


@FUZZ
@given(raw=st.binary(max_size=300))
def test_no_signed_bytes_break_the_reader(caller: SoapCaller, raw: bytes) -> None:
    """Not even bytes that are no JSON."""
    assert _rest(caller, raw) == "MALFORMED"


def _rest(caller: SoapCaller, raw: bytes) -> str:
    asked = RequestToSign("POST", "http://bank.test/harim/v1/dynamic-pins", {"Content-Type": "application/json"})
    Signer("pooya-1", PSP_PRIVATE_KEY).sign_request(asked, raw)
    answer = caller.client.post("/harim/v1/dynamic-pins", data=raw, headers=asked.headers)
    assert answer.status_code < 500 or answer.status_code == 501  # an operation that is off, by its type
    return str(answer.get_json()["code"])
