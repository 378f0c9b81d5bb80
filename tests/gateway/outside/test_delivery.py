"""Asking issuers what became of a message, by both dialects against real servers."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from foundation.database import Database, NetworkInTransaction
from foundation.signatures import Signer
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.breaker import SILENCES_MAX
from gateway.harim.client import DELIVERIES_AT_ONCE, DELIVERY_MS_MAX, HarimClient
from gateway.ports import Delivery, PinSent
from tests.fakes.http import Reply, Request, serving
from tests.fakes.shop import ISSUER
from tests.gateway.outside import test_harim, test_harim_soap
from tests.gateway.outside.test_harim import OURS, REQUEST
from tests.gateway.outside.test_harim_soap import CORRELATION, MESSAGE, PSP

TOLD = {"correlation_id": CORRELATION, "state": "accepted"}


@dataclasses.dataclass(frozen=True)
class Wire:
    """One dialect: its issuer's row, and a bank that answers by it."""

    issuer_at: Callable[..., Any]
    bank: Callable[[dict[str, Any], int], Callable[[Request], Reply]]


def by_rest(document: dict[str, Any], status: int) -> Callable[[Request], Reply]:
    """Answer in JSON."""
    return test_harim.bank(document, status=status)


def by_soap(document: dict[str, Any], status: int) -> Callable[[Request], Reply]:
    """Answer in XML."""
    part = "delivery" if status == 200 else "refusal"
    return test_harim_soap.bank({part: document}, operation="GetDeliveryStatus")


@pytest.fixture
def client() -> HarimClient:
    """Our side."""
    return HarimClient(Signer("pooya-1", OURS), EnvelopeSigner(PSP))


@pytest.fixture(params=["rest", "soap"])
def wire(request: pytest.FixtureRequest) -> Wire:
    """Give one wire after the other."""
    rest = Wire(test_harim.issuer_at, by_rest)
    return rest if request.param == "rest" else Wire(test_harim_soap.issuer_at, by_soap)


@pytest.mark.parametrize("state", list(Delivery))
def test_every_state_of_the_contract_is_understood(client: HarimClient, wire: Wire, state: Delivery) -> None:
    """Signed both ways, by the code's id alone: no card is in the question."""
    with serving(wire.bank(TOLD | {"state": state}, 200)) as site:
        assert client.delivery(wire.issuer_at(site), CORRELATION) is state

    (asked,) = site.requests
    assert CORRELATION in asked.path + asked.body.decode()
    assert b"pan" not in asked.body


@pytest.mark.parametrize(
    ("code", "meant"), [("UNSUPPORTED_OPERATION", Delivery.UNDISCLOSED), ("TEMPORARILY_UNAVAILABLE", None)]
)
def test_a_refusal_is_for_good_unless_it_is_temporary(
    client: HarimClient, wire: Wire, code: str, meant: Delivery | None
) -> None:
    """A bank that does not offer it will not be asked again."""
    with serving(wire.bank({"code": code, "message": MESSAGE}, 503)) as site:
        assert client.delivery(wire.issuer_at(site), CORRELATION) is meant


@pytest.mark.parametrize(
    "document",
    [TOLD | {"correlation_id": REQUEST.request_id}, {"correlation_id": CORRELATION}, TOLD | {"state": "teleported"}],
    ids=["another code's", "no state", "a state of a later version"],
)
def test_d21_what_cannot_be_believed_is_no_answer(client: HarimClient, document: dict[str, Any]) -> None:
    """Nothing is told, nothing breaks."""
    with serving(by_rest(document, 200)) as site:
        assert client.delivery(test_harim.issuer_at(site), CORRELATION) is None


def test_d21_anothers_answer_is_no_answer(client: HarimClient, wire: Wire) -> None:
    """Over SOAP by the XSD and the id, over REST by the signature."""
    with serving(lambda _: Reply(200, {"Content-Type": "application/json"}, b'{"state": "accepted"}')) as site:
        assert client.delivery(wire.issuer_at(site), CORRELATION) is None


def test_f18_a_page_never_waits_long_and_a_silent_bank_is_left_alone(client: HarimClient) -> None:
    """The wait has its own, short end; after five silences nothing is asked; PIN requests go on as before."""
    let_go = threading.Event()

    def slow(request: Request) -> Reply:
        let_go.wait(10)
        return test_harim.bank(test_harim.SENT)(request)

    with serving(slow) as site:
        began = time.monotonic()
        assert client.delivery(test_harim.issuer_at(site, timeout_ms=60_000), CORRELATION) is None
        assert time.monotonic() - began < 2 * DELIVERY_MS_MAX / 1000
        gone = test_harim.issuer_at(site, timeout_ms=50)
        for _ in range(SILENCES_MAX - 1):
            assert client.delivery(gone, CORRELATION) is None
        asked = len(site.requests)
        assert client.delivery(gone, CORRELATION) is None
        assert len(site.requests) == asked
        let_go.set()
        assert isinstance(client.request_pin(test_harim.issuer_at(site), REQUEST), PinSent)


def test_f18_no_more_than_its_places_wait_for_one_bank(client: HarimClient) -> None:
    """The fifth question is not asked while four are."""
    let_go, inside = threading.Event(), threading.Semaphore(0)

    def slow(request: Request) -> Reply:
        inside.release()
        let_go.wait(10)
        return by_rest(TOLD, 200)(request)

    with serving(slow) as site:
        issuer = test_harim.issuer_at(site, timeout_ms=60_000)
        threads = [
            threading.Thread(target=client.delivery, args=(issuer, CORRELATION)) for _ in range(DELIVERIES_AT_ONCE)
        ]
        for thread in threads:
            thread.start()
        for _ in threads:
            assert inside.acquire(timeout=5)
        assert client.delivery(issuer, CORRELATION) is None
        assert len(site.requests) == DELIVERIES_AT_ONCE
        let_go.set()
        for thread in threads:
            thread.join()


def test_no_question_leaves_inside_a_transaction(client: HarimClient, gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with gateway_database.begin(), pytest.raises(NetworkInTransaction):
        client.delivery(ISSUER, CORRELATION)


def test_an_id_that_is_no_uuid_is_not_followed(client: HarimClient) -> None:
    """It would stand in an address; the code is sent all the same."""
    with serving(test_harim.bank(test_harim.SENT | {"correlation_id": "../ping", "expires_in_seconds": 60})) as site:
        answer = client.request_pin(test_harim.issuer_at(site), REQUEST)

    assert isinstance(answer, PinSent)
    assert answer.followed_as is None
