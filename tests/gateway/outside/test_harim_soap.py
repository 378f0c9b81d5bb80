"""The SOAP dialect against a real server: signed both ways, one deadline, and every misbehaviour is a value."""

from __future__ import annotations

import dataclasses
import logging
import threading
from collections.abc import Callable
from typing import Any

import pytest

from foundation import soap
from foundation.certificates import pinned_certificates
from foundation.database import Database, NetworkInTransaction
from foundation.hard_xml import Element
from foundation.signatures import Signer
from foundation.soap import SOAP_11, SOAP_12, Version
from foundation.xml_signatures import EnvelopeSigner, EnvelopeVerifier
from gateway.domain.issuers import Issuer
from gateway.harim.client import HarimClient
from gateway.harim.soap_v1 import contract
from gateway.harim.v1 import OUR_FAULT, REFUSALS
from gateway.ports import PinRefusal, PinRefused, PinSent, PinUnanswered
from sandbox.certificates import certificate_of, new_identity
from tests.fakes.http import Reply, Request, Site, serving
from tests.fakes.shop import ISSUER, PAN
from tests.gateway.outside.test_harim import OURS, REQUEST

PSP, BANK, BANKS_NEXT, STRANGER = (new_identity(name) for name in ("psp", "bank", "bank-next", "stranger"))
MESSAGE = {"fa": "پیام", "en": "message"}
REFUSAL = {"request_id": REQUEST.request_id, "code": "STALE", "message": MESSAGE}
CORRELATION = "8c7a52a1-52e5-4f6b-a0f4-9f7e0f1f6f0d"
SENT = {
    "request_id": REQUEST.request_id,
    "correlation_id": CORRELATION,
    "code": "ACCEPTED",
    "message": MESSAGE,
    "code_length": 6,
}
XML = {"Content-Type": SOAP_11.content_type}


def issuer_at(site: Site, timeout_ms: int = 1_000, certificates: str | None = None) -> Issuer:
    """The issuer's row for a server of this test: no bare key, one pinned certificate."""
    return dataclasses.replace(
        ISSUER,
        harim_dialect="harim-v1-soap",
        harim_url=site.url,
        harim_key_id="",
        harim_public_key=b"",
        harim_certificates=certificate_of(BANK) if certificates is None else certificates,
        harim_timeout_ms=timeout_ms,
    )


@pytest.fixture
def client() -> HarimClient:
    """Our side."""
    return HarimClient(Signer("pooya-1", OURS), EnvelopeSigner(PSP))


def heard(request: Request) -> tuple[dict[str, Any], str]:
    """Verify a request as a bank does; return what it says and its signature value."""
    _, envelope = soap.open_envelope(request.body, max_bytes=65_536)
    to = f"http://{request.headers['Host']}{request.path}"
    signed = EnvelopeVerifier(pinned_certificates(certificate_of(PSP))).verify_request(envelope, to=to)
    return contract().read_request(signed.body).document, signed.value


def bank(
    answer: dict[str, Any] | None = None,
    *,
    by: bytes = BANK,
    operation: str = "RequestDynamicPin",
    version: Version = SOAP_11,
    spoil: Callable[[Element], object] | None = None,
    confirms: str | None = None,
) -> Callable[[Request], Reply]:
    """A bank that verifies the request and signs its answer; ``spoil`` changes it before that."""

    def reply(request: Request) -> Reply:
        value = heard(request)[1]
        envelope = contract().answer(version, operation, answer or {"accepted": SENT})
        if spoil is not None:
            spoil(envelope)
        EnvelopeSigner(by).sign_answer(envelope, confirms=confirms or value)
        return Reply(200, XML, soap.written(envelope))

    return reply


def test_d21_the_request_follows_the_contract_and_the_answer_is_believed(client: HarimClient) -> None:
    """D21: signed, verified, and every field of the wire is where the contract says."""
    told = {"expires_in_seconds": 120, "resend_in_seconds": 60, "mobile_last_two": "07"}
    with serving(bank({"accepted": SENT | told})) as site:
        answer = client.request_pin(issuer_at(site), REQUEST)

    assert answer == PinSent(
        code_length=6, expires_in_seconds=120, resend_in_seconds=60, mobile_last_two="07", correlation_id=CORRELATION
    )
    sent, _ = heard(site.requests[0])
    assert site.requests[0].path == "/harim/v1/soap"
    assert site.requests[0].headers["SOAPAction"] == '"urn:pooya:harim:v1/RequestDynamicPin"'
    assert site.requests[0].headers["Content-Type"] == "text/xml; charset=utf-8"
    assert sent["card"] == {"pan": PAN, "cvv2": "123", "expiry": "0812"}
    assert (sent["type"], sent["amount"], sent["fee"], sent["sequence"]) == ("PURCHASE", 250_000, 0, 2)
    assert (sent["transaction_ref"], sent["payee_key"], sent["payee_name"]) == ("A" * 16, "", "کتاب سرا")


def test_d19_an_unproven_request_sends_the_pan_alone(client: HarimClient) -> None:
    """D19: CVV2 and expiry go together or not at all."""
    with serving(bank({"accepted": SENT | {"code": "ALREADY_SENT"}})) as site:
        answer = client.request_pin(issuer_at(site), dataclasses.replace(REQUEST, cvv2=None))

    assert isinstance(answer, PinSent)
    assert answer.already_sent
    assert heard(site.requests[0])[0]["card"] == {"pan": PAN}


@pytest.mark.parametrize(("code", "reason"), sorted(REFUSALS.items()))
def test_every_refusal_has_its_reason(client: HarimClient, code: str, reason: PinRefusal) -> None:
    """The code table is walked row by row, on this wire too."""
    with serving(bank({"refusal": REFUSAL | {"code": code, "retry_after_seconds": 30}})) as site:
        assert client.request_pin(issuer_at(site), REQUEST) == PinRefused(reason, 30)


@pytest.mark.parametrize("code", sorted(OUR_FAULT))
def test_what_is_our_fault_is_not_the_cardholders(client: HarimClient, code: str) -> None:
    """The customer hears one sentence, the log hears the code."""
    with serving(bank({"refusal": REFUSAL | {"code": code}})) as site:
        assert client.request_pin(issuer_at(site), REQUEST) == PinRefused(PinRefusal.NOT_ACCEPTED)


def surprise(envelope: Element) -> None:
    """Add what a later version may have."""
    place = envelope[0][0][0]
    place.append(place.makeelement("{urn:pooya:harim:v1}something_new"))


def test_an_answer_may_grow(client: HarimClient) -> None:
    """Version 1 grows by optional members only; one that we do not know is passed over."""
    with serving(bank(spoil=surprise)) as site:
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinSent)


def text_of(name: str, text: str) -> Callable[[Element], object]:
    """Let one element say something else."""

    def spoil(envelope: Element) -> None:
        envelope.find(f".//{{urn:pooya:harim:v1}}{name}").text = text

    return spoil


def empty_body(envelope: Element) -> None:
    """Say nothing."""
    del envelope[0][0]


def two_parts(envelope: Element) -> None:
    """Accept and refuse at once."""
    answer = envelope[0][0]
    answer.append(answer.makeelement("{urn:pooya:harim:v1}refusal"))


def unsigned(_: Request) -> Reply:
    """Answer without signing."""
    return Reply(200, XML, soap.written(contract().answer(SOAP_11, "RequestDynamicPin", {"accepted": SENT})))


def unsigned_fault(_: Request) -> Reply:
    """Refuse our signature, as a bank does that does not know us."""
    return Reply(500, XML, soap.written(soap.fault(SOAP_11, "Client", "The signature was not accepted.")))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (bank(by=STRANGER), "signature"),
        (bank(confirms="AAAA"), "signature"),
        (unsigned, "signature"),
        (unsigned_fault, "signature"),
        (lambda _: Reply(302, {"Location": "http://localhost:1/"}), "body"),
        (lambda _: Reply(200, {"Content-Type": "text/html"}, b"<html><body>Sorry</body></html>"), "body"),
        (lambda _: Reply(200, {"Content-Type": "text/html"}, b"<!DOCTYPE html><html></html>"), "body"),
        (lambda _: Reply(200, XML, b""), "body"),
        (lambda _: Reply(200, XML, b"\x00\xff garbage"), "body"),
        (lambda _: Reply(200, XML, b" " * 70_000), "too large"),
        (bank(operation="Ping", answer={"pong": {"status": "ok", "bank": MESSAGE}}), "another operation's"),
        (bank(spoil=two_parts), "another operation's"),
        (bank(spoil=empty_body), "body"),
        (bank(spoil=text_of("code_length", "six")), "body"),
        (bank(spoil=text_of("mobile_last_two", "six"), answer={"accepted": SENT | {"mobile_last_two": "11"}}), "body"),
        (bank({"accepted": SENT | {"request_id": "another"}}), "another request's"),
        (bank({"accepted": SENT | {"code": "CARD_BLOCKED"}}), "code"),
        (bank({"refusal": REFUSAL | {"code": "ACCEPTED"}}), "code"),
        (bank({"refusal": REFUSAL | {"code": "PERHAPS"}}), "code"),
    ],
)
def test_d21_what_cannot_be_believed_is_no_answer(
    client: HarimClient, answer: Callable[[Request], Reply], why: str
) -> None:
    """D21: unsigned, another's, another request's, garbage, HTML, nothing: incoherent, and nothing is followed."""
    with serving(answer) as site:
        found = client.request_pin(issuer_at(site), REQUEST)

    assert isinstance(found, PinUnanswered)
    assert found.why.startswith("incoherent")
    assert why in found.why
    assert len(site.requests) == 1


def test_d21_an_answer_cannot_be_put_under_another_request(client: HarimClient) -> None:
    """D21: the first answer, played again to the same request signed anew, is not believed."""
    kept: list[Reply] = []

    def once(request: Request) -> Reply:
        kept.append(kept[0] if kept else bank()(request))
        return kept[-1]

    with serving(once) as site:
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinSent)
        assert client.request_pin(issuer_at(site), REQUEST) == PinUnanswered("incoherent: signature")


def test_an_answer_by_soap_12_is_read_too(client: HarimClient) -> None:
    """The signature decides, not the version."""
    with serving(bank(version=SOAP_12)) as site:
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinSent)


def test_d41_the_issuer_changes_its_key_while_we_serve(client: HarimClient) -> None:
    """D41: with both certificates in the row either key is believed; with the old one gone, only the new."""
    old, new = certificate_of(BANK), certificate_of(BANKS_NEXT)
    signers = iter([BANK, BANKS_NEXT, BANK, BANKS_NEXT])
    with serving(lambda request: bank(by=next(signers))(request)) as site:  # noqa: PLW0108 - a new one for each request
        both, after = issuer_at(site, certificates=old + new), issuer_at(site, certificates=new)
        found = [client.request_pin(issuer, REQUEST) for issuer in (both, both, after, after)]

    assert [isinstance(answer, PinSent) for answer in found] == [True, True, False, True]


def test_f18_one_deadline_holds_for_the_whole_exchange(client: HarimClient) -> None:
    """A bank that never answers is silent when its time-out is over."""
    enough = threading.Event()

    def hang(_: Request) -> Reply:
        enough.wait(5)
        return Reply()

    with serving(hang) as site:
        assert client.request_pin(issuer_at(site, timeout_ms=200), REQUEST) == PinUnanswered("silent")
        enough.set()


def test_d21_a_broken_connection_is_tried_once_more_under_the_same_request_id(client: HarimClient) -> None:
    """D21: the same message under a fresh signature."""
    replies = iter([lambda _: Reply(raw=b""), bank()])
    with serving(lambda request: next(replies)(request)) as site:  # noqa: PLW0108 - a new one for each request
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinSent)

    (first, one), (second, two) = map(heard, site.requests)
    assert first == second
    assert one != two


def test_ping_is_signed_both_ways(client: HarimClient) -> None:
    """The check command asks; a stranger's yes is a no."""
    yes = {"pong": {"status": "ok", "bank": MESSAGE}}
    with serving(bank(yes, operation="Ping")) as site:
        assert client.ping(issuer_at(site))
    with serving(bank(yes, operation="Ping", by=STRANGER)) as site:
        assert not client.ping(issuer_at(site))


def test_without_a_certificate_the_dialect_is_not_spoken() -> None:
    """An issuer of this dialect needs our certificate; the enrolment refuses it before."""
    client = HarimClient(Signer("pooya-1", OURS))

    assert not client.speaks("harim-v1-soap")
    with serving(bank()) as site:
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinUnanswered)
    assert site.requests == []


def test_no_call_leaves_inside_a_transaction(client: HarimClient, gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with serving(bank()) as site, gateway_database.begin(), pytest.raises(NetworkInTransaction):
        client.request_pin(issuer_at(site), REQUEST)


def test_envelopes_are_not_logged(client: HarimClient, caplog: pytest.LogCaptureFixture) -> None:
    """Not even at DEBUG does a card number reach the log, from our code or a library's."""
    caplog.set_level(logging.DEBUG)
    with serving(bank()) as site:
        client.request_pin(issuer_at(site), REQUEST)

    assert PAN not in caplog.text
