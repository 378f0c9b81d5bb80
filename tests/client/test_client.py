"""The client that merchants install, against a real server that misbehaves as a test tells it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

import pooya
from pooya import Client, Unavailable
from tests.fakes.http import Reply, Request, Site, serving

PAYMENT = {"id": "pay_1", "state": "open", "amount": 250_000, "order_id": "A-1", "page_url": "http://g/pay/x"}
OPEN = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://shop.test/back"}
SECRET = "sk_test_" + "A" * 40


def said(body: object, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    content = {"Content-Type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, content, json.dumps(body).encode())


def problem(status: int, code: str, **more: Any) -> Reply:
    """A refusal of the gateway."""
    return said({"type": f"urn:{code}", "title": "No", "status": status, "detail": "no", "code": code} | more, status)


@contextmanager
def answering(*replies: Reply | Callable[[Request], Reply], repeats: int = 2) -> Iterator[tuple[Client, Site]]:
    """A client of a gateway that gives these answers in order, the last one for ever."""
    waiting = list(replies)

    def answer(request: Request) -> Reply:
        reply = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return reply if isinstance(reply, Reply) else reply(request)

    with serving(answer) as site, Client(site.url, SECRET, timeout_seconds=1, repeats=repeats) as client:
        yield client, site


def test_a_payment_is_opened_with_everything_it_needs() -> None:
    """The key, the body and an idempotency key of its own go along; what is not given is not sent."""
    with answering(said(PAYMENT, 201)) as (client, site):
        payment = client.open(**OPEN, mobile="09121234567")  # type: ignore[arg-type] - one table for several tests

    assert (payment.id, payment.state, payment.amount, payment.page_url) == ("pay_1", "open", 250_000, "http://g/pay/x")
    (request,) = site.requests
    assert (request.method, request.path) == ("POST", "/api/v1/payments")
    assert request.headers["Authorization"] == f"Bearer {SECRET}"
    assert json.loads(request.body) == OPEN | {"mobile": "09121234567"}
    assert len(request.headers["Idempotency-Key"]) == 36


@pytest.mark.parametrize(
    "lost",
    [Reply(raw=b""), Reply(503), problem(503, "unavailable"), Reply(502, {}, b"<html>"), Reply(200, {}, b"{")],
)
def test_a_lost_answer_is_asked_for_again_under_the_same_key(lost: Reply) -> None:
    """The gateway does it once; the caller sees one payment."""
    with answering(lost, lost, said(PAYMENT, 201)) as (client, site):
        assert client.open(**OPEN).id == "pay_1"  # type: ignore[arg-type] - as above

    assert len({request.headers["Idempotency-Key"] for request in site.requests}) == 1
    assert len({request.body for request in site.requests}) == 1
    assert len(site.requests) == 3


def test_repeats_are_bounded_and_leave_the_key_for_later() -> None:
    """Nothing may be assumed after it; the same key is safe at any time."""
    with answering(problem(503, "unavailable")) as (client, site):
        with pytest.raises(Unavailable) as lost:
            client.confirm("pay_1", amount=1, idempotency_key="my-key")
        assert lost.value.idempotency_key == "my-key"
        assert len(site.requests) == 3


def test_a_silent_gateway_is_not_waited_for() -> None:
    """Each wait has its time-out."""
    let_go = threading.Event()

    def silent(_: Request) -> Reply:
        let_go.wait(10)
        return said(PAYMENT)

    with answering(silent, repeats=0) as (client, _):
        with pytest.raises(Unavailable, match="no answer"):
            client.get("pay_1")
        let_go.set()


def test_a_long_pause_is_left_to_the_caller_and_a_short_one_is_kept() -> None:
    """``Retry-After`` decides whether repeating here makes sense."""
    busy = said({"code": "unavailable"}, 503, Retry_After="60")
    with answering(busy) as (client, site):
        with pytest.raises(Unavailable):
            client.get("pay_1")
        assert len(site.requests) == 1
    soon = said({"code": "request_in_progress"}, 409, Retry_After="0")
    with answering(soon, said(PAYMENT)) as (client, site):
        assert client.reverse("pay_1").id == "pay_1"
        assert len(site.requests) == 2
    with answering(soon) as (client, site), pytest.raises(pooya.RequestInProgress):
        client.reverse("pay_1")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (problem(400, "malformed", errors=[{"pointer": "#/amount", "detail": "x"}]), pooya.InvalidRequest),
        (problem(401, "unauthenticated"), pooya.NotAllowed),
        (problem(403, "scope_missing", scope="payments:write"), pooya.NotAllowed),
        (problem(404, "payment_not_found"), pooya.NotFound),
        (problem(409, "not_possible", state="expired"), pooya.NotPossible),
        (problem(409, "amount_mismatch"), pooya.AmountMismatch),
        (problem(409, "duplicate_order", payment_id="pay_0"), pooya.DuplicateOrder),
        (problem(422, "idempotency_mismatch"), pooya.IdempotencyMismatch),
        (problem(422, "invalid_amount"), pooya.InvalidRequest),
        (problem(418, "of_a_later_version"), pooya.Refused),
    ],
)
def test_a_refusal_is_an_error_of_its_code_and_is_not_repeated(reply: Reply, kind: type[pooya.Refused]) -> None:
    """Its facts are attributes."""
    with answering(reply) as (client, site), pytest.raises(pooya.Refused) as refused:
        client.confirm("pay_1", amount=1)
    assert type(refused.value) is kind
    assert (refused.value.status, refused.value.detail) == (reply.status, "no")
    assert len(site.requests) == 1


def test_the_facts_of_a_refusal_are_there_or_none() -> None:
    """What the gateway does not say is not made up."""
    assert pooya.DuplicateOrder(409, {"payment_id": "pay_0"}).payment_id == "pay_0"
    assert pooya.DuplicateOrder(409, {}).payment_id is None
    assert pooya.NotPossible(409, {"state": "expired"}).state == "expired"
    assert pooya.NotPossible(409, {}).state is None
    assert pooya.InvalidRequest(400, {"errors": [{"detail": "x"}]}).errors == [{"detail": "x"}]
    assert pooya.InvalidRequest(400, {}).errors == []


def test_too_many_calls_say_how_long() -> None:
    """The caller decides when to go on."""
    with answering(said({"code": "too_many_calls"}, 429, Retry_After="30")) as (client, site):
        with pytest.raises(pooya.TooManyCalls) as refused:
            client.get("pay_1")
        assert refused.value.retry_after == 30
        assert len(site.requests) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b"null", b"{}", b'{"id": 1, "state": "open", "amount": 1, "order_id": "x"}', b"x" * 2_000_000]
    + [json.dumps(PAYMENT | {name: "1.5"}).encode() for name in ("amount", "created_at", "fee")]
    + [json.dumps(PAYMENT | {"card": {}}).encode()],
)
def test_an_answer_against_the_contract_is_no_answer(body: bytes) -> None:
    """Nothing may be assumed after it; asking again is safe."""
    with answering(Reply(200, {}, body), repeats=0) as (client, _), pytest.raises(Unavailable):
        client.get("pay_1")


def test_redirects_are_not_followed() -> None:
    """The key goes to the gateway and to nobody else."""
    away = said(PAYMENT, 302, Location="http://127.0.0.1:1/")
    with answering(away, repeats=0) as (client, site), pytest.raises(Unavailable):
        client.get("pay_1")
    assert len(site.requests) == 1


def test_fields_and_states_of_later_versions_are_tolerated() -> None:
    """What is known is typed, everything is kept."""
    later = PAYMENT | {
        "state": "on_the_moon",
        "card": {"masked_pan": "999002******1234", "token": "card_x", "colour": "red"},
        "confirmed_at": "2026-11-24T12:00:00Z",
        "first_time": True,
        "more": [1],
    }
    with answering(said(later)) as (client, _):
        payment = client.confirm("pay_1", amount=250_000)
    assert (payment.state, payment.first_time, payment.raw["more"]) == ("on_the_moon", True, [1])
    assert payment.card
    assert payment.card.masked_pan == "999002******1234"
    assert payment.confirmed_at
    assert payment.confirmed_at.year == 2026


def test_a_list_goes_over_its_pages_as_they_are_needed() -> None:
    """Filters stay the same, the cursor goes along, and the last page ends it."""
    pages = [
        {"items": [PAYMENT | {"id": "pay_1"}, PAYMENT | {"id": "pay_2"}], "next_cursor": "c/1"},
        {"items": [PAYMENT | {"id": "pay_3"}], "next_cursor": None},
    ]
    with answering(*map(said, pages)) as (client, site):
        payments = client.list(state="open", limit=2)
        assert next(payments).id == "pay_1"
        assert len(site.requests) == 1
        assert [payment.id for payment in payments] == ["pay_2", "pay_3"]
    assert [request.path.partition("?")[2] for request in site.requests] == [
        "state=open&limit=2",
        "state=open&limit=2&cursor=c%2F1",
    ]


def test_a_list_that_is_none_or_turns_in_circles_ends() -> None:
    """A gateway's mistake is no endless loop."""
    with answering(said({"items": "x"}), repeats=0) as (client, _), pytest.raises(Unavailable):
        list(client.list())
    with answering(said({"items": [PAYMENT], "next_cursor": "c"})) as (client, _):
        assert len(list(client.list())) == 2


def test_an_id_stays_one_part_of_the_path() -> None:
    """Whatever stands in it."""
    with answering(said(PAYMENT)) as (client, site):
        client.get("../keys?x=1")
    assert site.requests[0].path == "/api/v1/payments/..%2Fkeys%3Fx%3D1"


def test_no_error_shows_the_key() -> None:
    """Logs of a shop are read by many."""
    with answering(Reply(raw=b""), repeats=0) as (client, _), pytest.raises(Unavailable) as lost:
        client.get("pay_1")
    assert SECRET not in repr(lost.value)
    assert SECRET not in repr(client)
