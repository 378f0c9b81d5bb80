"""The readers of issuers' answers against anything: whatever comes is a value by the contract, never an exception.

Only the network is left out: a bank that holds the right key says anything, well signed, and one that does not, too.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.conversation import Heard, NoAnswer
from foundation.hard_xml import Element, XmlRefused, parse
from foundation.signatures import RequestToSign, Signer, public_key_of
from foundation.soap import SOAP_11
from foundation.xml_signatures import EnvelopeSigner, EnvelopeVerifier
from gateway.domain.issuers import X509_DIALECTS, Issuer
from gateway.harim.client import DIALECTS
from gateway.harim.transport import Transport
from gateway.ports import Delivery, PinAnswer, PinRefused, PinSent, PinUnanswered
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.harim import REQUEST
from tests.fakes.shop import ISSUER
from tests.gateway.outside.test_harim import BANKS, OURS

PSP, BANK = new_identity("psp"), new_identity("bank")
CORPUS = Path(__file__).parents[2] / "corpus"
CONTRACTS = Path(__file__).parents[3] / "contracts" / "harim"
CORRELATION = "8c7a52a1-52e5-4f6b-a0f4-9f7e0f1f6f0d"
GOOD = {
    "harim-v1-soap": (CONTRACTS / "v1/examples/answer-accepted.xml").read_bytes(),
    "tosan-yaghut": (CONTRACTS / "dialects/examples/yaghut-answer.xml").read_bytes(),
}
FAULT = (CONTRACTS / "dialects/examples/yaghut-fault.xml").read_bytes()
JSON_DIALECTS = sorted(set(DIALECTS) - X509_DIALECTS)
FILES = {
    "xml": sorted([*CORPUS.glob("answers/v1/*"), *CORPUS.glob("answers/yaghut/*"), *CORPUS.glob("soap/*")]),
    "json": sorted([*CORPUS.glob("answers/json/*"), *CORPUS.glob("json/*")]),
}

FUZZ = settings(max_examples=150, deadline=None)
TEXTS = st.text(
    alphabet=st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff")
)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)

pytestmark = pytest.mark.timeout(60)


class Said(Transport):
    """A transport without a network: every question is answered by what ``answer`` makes of it."""

    def __init__(self, answer: Callable[[str, dict[str, str], bytes], Heard]) -> None:
        super().__init__(Signer("pooya-1", OURS), EnvelopeSigner(PSP))
        self._answer = answer

    def converse(self, issuer: Issuer, once: Callable[[Any], Any]) -> Any:
        """Let ``once`` talk to us instead of a line."""
        assert issuer.active
        return once(self)

    def send(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Heard:
        """Answer."""
        assert method in {"GET", "POST"}
        return self._answer(url, headers, body)


def issuer_of(dialect: str) -> Issuer:
    """The issuer's row: known by key and by certificate."""
    row = dataclasses.replace(ISSUER, harim_dialect=dialect, harim_public_key=public_key_of(BANKS))
    return dataclasses.replace(row, harim_certificates=certificate_of(BANK))


def everything(dialect: str, transport: Transport) -> PinAnswer:
    """Ask every question of a dialect; each has one of the answers that the port allows."""
    wire, issuer = DIALECTS[dialect], issuer_of(dialect)
    assert wire.ping(transport, issuer) in {True, False}
    try:
        state = wire.delivery(transport, issuer, CORRELATION)
        assert state is None or isinstance(state, Delivery)
    except NoAnswer:
        pass
    answer = wire.request_pin(transport, issuer, REQUEST)
    assert isinstance(answer, PinSent | PinRefused | PinUnanswered)
    return answer


def unsigned(raw: bytes) -> Transport:
    """Say these bytes."""
    return Said(lambda *_: Heard(200, {"Content-Type": SOAP_11.content_type}, raw))


def signed_json(raw: bytes) -> Transport:
    """Say these bytes, signed for the very question."""

    def answer(url: str, headers: dict[str, str], _: bytes) -> Heard:
        method = "GET" if url.endswith(("/ping", "/delivery")) else "POST"
        message, own = RequestToSign(method, url, headers), {"Content-Type": "application/json"}
        return Heard(200, Signer("bank-two", BANKS).sign_answer(message, status=200, headers=own, body=raw), raw)

    return Said(answer)


def signed_xml(raw: bytes, change: Callable[[Element], object] = lambda _: None) -> Transport:
    """Say this envelope, signed for the very question where anybody could sign it."""

    def answer(url: str, _headers: dict[str, str], body: bytes) -> Heard:
        _, asked = soap.open_envelope(body, max_bytes=65_536)
        value = EnvelopeVerifier(pinned_certificates(certificate_of(PSP))).verify_request(asked, to=url).value
        return Heard(200, {}, _signed(raw, value, change))

    return Said(answer)


def _signed(raw: bytes, value: str, change: Callable[[Element], object]) -> bytes:
    try:
        envelope = parse(raw, max_bytes=1 << 20)
    except XmlRefused:
        return raw
    if len(envelope) != 1 or not str(envelope.tag).endswith("}Envelope"):
        return raw
    change(envelope)
    EnvelopeSigner(BANK).sign_answer(envelope, confirms=value)
    return soap.written(envelope)


EXAMPLES_ID = b"0d9c5f0e-6a57-4c59-9f0b-0c5f3b8a7c11"
GOOD_MEANS = [
    everything(dialect, signed_xml(raw.replace(EXAMPLES_ID, REQUEST.request_id.encode())))
    for dialect, raw in sorted(GOOD.items())
]


@pytest.mark.parametrize("dialect", sorted(X509_DIALECTS))
@pytest.mark.parametrize("path", FILES["xml"], ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_of_envelopes_is_read_to_a_value(dialect: str, path: Path) -> None:
    """Unsigned it is incoherent; signed by the bank itself it is a value, whatever it says."""
    raw = path.read_bytes()

    found = everything(dialect, unsigned(raw))

    assert isinstance(found, PinUnanswered)
    assert found.why.startswith("incoherent")
    everything(dialect, signed_xml(raw))


@pytest.mark.parametrize("dialect", JSON_DIALECTS)
@pytest.mark.parametrize("path", FILES["json"], ids=lambda path: f"{path.parent.name}-{path.name}")
def test_the_corpus_of_json_is_read_to_a_value(dialect: str, path: Path) -> None:
    """The same for JSON, each answer well signed."""
    raw = path.read_bytes()

    everything(dialect, signed_json(raw))

    assert everything(dialect, unsigned(raw)) == PinUnanswered("incoherent: signature")


@FUZZ
@given(
    dialect=st.sampled_from(sorted(GOOD)),
    at=st.floats(0, 1),
    length=st.integers(0, 200),
    put=st.binary(max_size=200),
)
def test_no_change_of_a_signed_answer_is_believed(dialect: str, at: float, length: int, put: bytes) -> None:
    """Bytes cut out and others put in, anywhere: refused, or the same answer as before."""

    def bent(url: str, _headers: dict[str, str], body: bytes) -> Heard:
        _, asked = soap.open_envelope(body, max_bytes=65_536)
        value = EnvelopeVerifier(pinned_certificates(certificate_of(PSP))).verify_request(asked, to=url).value
        raw = _signed(GOOD[dialect].replace(EXAMPLES_ID, REQUEST.request_id.encode()), value, lambda _: None)
        place = int(at * len(raw))
        return Heard(200, {}, raw[:place] + put + raw[place + length :])

    found = everything(dialect, Said(bent))

    if isinstance(found, PinSent):
        assert found in GOOD_MEANS
    else:
        assert isinstance(found, PinUnanswered)
        assert found.why.startswith("incoherent")


def test_the_good_answers_are_good() -> None:
    """Otherwise the test above would show nothing."""
    assert [type(answer) for answer in GOOD_MEANS] == [PinSent, PinSent]


@FUZZ
@given(
    case=st.sampled_from([*GOOD.items(), ("tosan-yaghut", FAULT)]),
    number=st.integers(0, 30),
    text=TEXTS,
    twice=st.booleans(),
    name=st.none() | st.sampled_from(["refusal", "accepted", "return", "detail", "Fault", "x"]),
)
def test_no_signed_text_breaks_the_reader(
    case: tuple[str, bytes],
    number: int,
    text: str,
    twice: bool,  # noqa: FBT001 - drawn, not passed
    name: str | None,
) -> None:
    """The bank itself writes anything into any element, renames it, doubles it."""
    dialect, raw = case

    def change(envelope: Element) -> None:
        parts = list(envelope.iter())[2:]
        part = parts[number % len(parts)]
        part.text = text
        if name is not None:
            part.tag = part.tag.rpartition("}")[0] + ("}" if "}" in part.tag else "") + name
        if twice:
            part.append(part.makeelement(part.tag))

    everything(dialect, signed_xml(raw, change))


@FUZZ
@given(dialect=st.sampled_from(JSON_DIALECTS), value=JSON_VALUES, name=st.sampled_from(["code", "responseCode", "x"]))
def test_no_signed_json_breaks_the_reader(dialect: str, value: object, name: str) -> None:
    """Any value under any name, and any value alone."""
    for document in (value, {name: value}, {"code": "ACCEPTED", "responseCode": "00", "code_length": value}):
        everything(dialect, signed_json(json.dumps(document).encode()))


@FUZZ
@given(dialect=st.sampled_from(sorted(DIALECTS)), raw=st.binary(max_size=300))
def test_no_bytes_break_the_reader(dialect: str, raw: bytes) -> None:
    """Not even bytes that are neither JSON nor XML, signed where that can be."""
    signed = signed_json(raw) if dialect in JSON_DIALECTS else signed_xml(raw)

    assert isinstance(everything(dialect, signed), PinUnanswered)
    assert isinstance(everything(dialect, unsigned(raw)), PinUnanswered)
