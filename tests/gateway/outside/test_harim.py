"""The Harim client against a real server: signed both ways, and every misbehaviour is a value."""

from __future__ import annotations

import dataclasses
import json
import threading
from collections.abc import Callable

import pytest

from foundation.database import Database, NetworkInTransaction
from foundation.signatures import RequestToSign, Signer, Verifier, public_key_of
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.breaker import SILENCES_MAX
from gateway.domain.issuers import Issuer
from gateway.harim.client import DIALECTS, HarimClient
from gateway.harim.v1 import ACCEPTED, OUR_FAULT, REFUSALS
from gateway.ports import PinRefusal, PinRefused, PinSent, PinUnanswered
from sandbox.certificates import new_identity
from tests.fakes.harim import REQUEST
from tests.fakes.http import Reply, Request, Site, serving
from tests.fakes.shop import ISSUER, PAN

OURS, BANKS, STRANGERS = (bytes([number]) * 32 for number in (1, 2, 3))
SENT = {"request_id": REQUEST.request_id, "correlation_id": "c", "code": "ACCEPTED", "code_length": 6}


def issuer_at(site: Site, timeout_ms: int = 1_000) -> Issuer:
    """The issuer's row for a server of this test."""
    return dataclasses.replace(
        ISSUER, harim_url=site.url, harim_public_key=public_key_of(BANKS), harim_timeout_ms=timeout_ms
    )


@pytest.fixture
def client() -> HarimClient:
    """Our side."""
    return HarimClient(Signer("pooya-1", OURS), EnvelopeSigner(new_identity("pooya")))


def bank(
    body: object, *, status: int = 200, key: bytes = BANKS, key_id: str = "bank-two", scheme: str = "http"
) -> Callable[[Request], Reply]:
    """A bank that verifies the request and signs its answer."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    def answer(request: Request) -> Reply:
        url = f"{scheme}://{request.headers['Host']}{request.path}"
        message = RequestToSign(request.method, url, request.headers)
        Verifier({"pooya-1": public_key_of(OURS)}).verify_request(message, request.body)
        headers = Signer(key_id, key).sign_answer(
            message, status=status, headers={"Content-Type": "application/json"}, body=content
        )
        return Reply(status, headers, content)

    return answer


def test_d21_the_request_follows_the_contract_and_the_answer_is_believed(client: HarimClient) -> None:
    """D21: signed, verified, and every field of the wire is where the contract says."""
    told = {"expires_in_seconds": 120, "resend_in_seconds": 60, "mobile_last_two": "67"}
    with serving(bank(SENT | told | {"something_new": 1})) as site:
        answer = client.request_pin(issuer_at(site), REQUEST)

    assert answer == PinSent(
        code_length=6, expires_in_seconds=120, resend_in_seconds=60, mobile_last_two="67", already_sent=False
    )
    sent = json.loads(site.requests[0].body)
    assert site.requests[0].path == "/harim/v1/dynamic-pins"
    assert sent["card"] == {"pan": PAN, "cvv2": "123", "expiry": "0812"}
    assert (sent["type"], sent["amount"], sent["fee"], sent["sequence"]) == ("PURCHASE", 250_000, 0, 2)
    assert (sent["transaction_ref"], sent["payee_key"], sent["payee_name"]) == ("A" * 16, "", "کتاب سرا")


def test_d19_an_unproven_request_sends_the_pan_alone(client: HarimClient) -> None:
    """D19: CVV2 and expiry go together or not at all."""
    with serving(bank(SENT | {"code": "ALREADY_SENT"})) as site:
        answer = client.request_pin(issuer_at(site), dataclasses.replace(REQUEST, cvv2=None))

    assert isinstance(answer, PinSent)
    assert answer.already_sent
    assert json.loads(site.requests[0].body)["card"] == {"pan": PAN}


@pytest.mark.parametrize(("code", "reason"), sorted(REFUSALS.items()))
def test_every_refusal_has_its_reason(client: HarimClient, code: str, reason: PinRefusal) -> None:
    """The code table is walked row by row."""
    body = {"request_id": REQUEST.request_id, "code": code, "retry_after_seconds": 30}
    with serving(bank(body, status=422)) as site:
        assert client.request_pin(issuer_at(site), REQUEST) == PinRefused(reason, 30)


@pytest.mark.parametrize("code", sorted(OUR_FAULT))
def test_what_is_our_fault_is_not_the_cardholders(client: HarimClient, code: str) -> None:
    """The customer hears one sentence, the log hears the code."""
    with serving(bank({"request_id": REQUEST.request_id, "code": code}, status=400)) as site:
        assert client.request_pin(issuer_at(site), REQUEST) == PinRefused(PinRefusal.NOT_ACCEPTED)


def test_no_code_is_in_two_tables() -> None:
    """A code means one thing."""
    assert len(ACCEPTED) + len(REFUSALS) + len(OUR_FAULT) == len({*ACCEPTED, *REFUSALS, *OUR_FAULT})
    assert set(REFUSALS.values()) | {PinRefusal.NOT_ACCEPTED} == set(PinRefusal)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (bank(SENT, key=STRANGERS), "signature"),
        (bank(SENT, key_id="bank-three"), "signature"),
        (lambda _: Reply(200, {"Content-Type": "application/json"}, json.dumps(SENT).encode()), "signature"),
        (lambda _: Reply(302, {"Location": "http://localhost:1/"}), "signature"),
        (bank(b"<html>"), "body"),
        (bank({"code": "ACCEPTED", "code_length": "6"}), "body"),
        (bank(SENT | {"request_id": "another"}), "another request's"),
        (bank(SENT | {"code": "PERHAPS"}), "code"),
        (bank(SENT, status=500), "code"),
        (bank({"request_id": None, "code": "CARD_BLOCKED"}), "code"),
        (bank(b" " * 70_000), "too large"),
    ],
)
def test_d21_what_cannot_be_believed_is_no_answer(
    client: HarimClient, answer: Callable[[Request], Reply], why: str
) -> None:
    """D21: unsigned, signed by another, redirecting, garbled, too large: incoherent, and nothing is followed."""
    with serving(answer) as site:
        found = client.request_pin(issuer_at(site), REQUEST)

    assert isinstance(found, PinUnanswered)
    assert why in found.why
    assert len(site.requests) == 1


def test_a_slow_bank_is_silent_in_time(client: HarimClient) -> None:
    """F18: the issuer's time-out ends the wait, and a request is not repeated after it."""
    let_go = threading.Event()

    def slow(request: Request) -> Reply:
        let_go.wait(5)
        return bank(SENT)(request)

    with serving(slow) as site:
        assert client.request_pin(issuer_at(site, timeout_ms=200), REQUEST) == PinUnanswered("silent")
        let_go.set()
    assert len(site.requests) == 1


def test_a_dripping_bank_is_silent_in_time(client: HarimClient) -> None:
    """F23: bytes that trickle do not stretch the time-out for ever."""
    with serving(lambda _: Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx")) as site:
        found = client.request_pin(issuer_at(site, timeout_ms=300), REQUEST)
    assert isinstance(found, PinUnanswered)


def test_a_refused_connection_is_unreachable(client: HarimClient) -> None:
    """Nobody listens: tried twice, then said."""
    with serving(bank(SENT)) as site:
        pass
    assert client.request_pin(issuer_at(site), REQUEST) == PinUnanswered("unreachable")


def test_d21_a_broken_connection_is_tried_once_more_under_the_same_request_id(client: HarimClient) -> None:
    """D21: the bank answers the first answer again; the signature is fresh."""
    replies = iter([lambda _: Reply(raw=b""), bank(SENT)])
    with serving(lambda request: next(replies)(request)) as site:  # noqa: PLW0108 - a new one for each request
        assert isinstance(client.request_pin(issuer_at(site), REQUEST), PinSent)

    first, second = site.requests
    assert first.body == second.body
    assert first.headers["Signature"] != second.headers["Signature"]


def test_connections_are_kept(client: HarimClient) -> None:
    """Keep-alive: five requests, one connection."""
    with serving(bank(SENT)) as site:
        for _ in range(5):
            client.request_pin(issuer_at(site), REQUEST)
    assert (len(site.requests), site.connections) == (5, 1)


def test_ping_is_signed_both_ways(client: HarimClient) -> None:
    """The check command asks; a stranger's yes is a no."""
    with serving(bank({"status": "ok"})) as site:
        assert client.ping(issuer_at(site))
    with serving(bank({"status": "ok"}, key=STRANGERS)) as site:
        assert not client.ping(issuer_at(site))


def test_no_call_leaves_inside_a_transaction(client: HarimClient, gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with gateway_database.begin(), pytest.raises(NetworkInTransaction):
        client.request_pin(ISSUER, REQUEST)


def test_every_dialect_is_known_by_name(client: HarimClient) -> None:
    """The registry is a dict."""
    assert [name for name in DIALECTS if client.speaks(name)] == list(DIALECTS)
    assert not client.speaks("harim-v9")


def test_f18_a_silent_issuer_is_left_alone_and_another_is_not(client: HarimClient) -> None:
    """After five silences a PIN request is unavailable at once and nothing is sent; another issuer is asked as ever."""
    with serving(bank(SENT)) as site:
        gone = dataclasses.replace(issuer_at(site), harim_url="http://127.0.0.1:1")
        for _ in range(SILENCES_MAX):
            assert client.request_pin(gone, REQUEST) == PinUnanswered("unreachable")

        held_back = client.request_pin(issuer_at(site), REQUEST)
        assert held_back == PinRefused(PinRefusal.TEMPORARILY_UNAVAILABLE)
        assert site.requests == []

        other = dataclasses.replace(issuer_at(site), issuer_id="three")
        assert isinstance(client.request_pin(other, REQUEST), PinSent)
