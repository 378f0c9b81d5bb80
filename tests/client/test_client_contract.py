"""Every operation of the published contract has a method of the client, which asks and reads as the contract says."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from jsonschema import Draft202012Validator, FormatChecker

import pooya
from pooya import Client, Endpoint, Event, Payment, Unavailable
from tests.client.test_client import SECRET, answering, problem, said
from tests.fakes.http import Reply, Request, serving

V1 = Path(__file__).parents[2] / "contracts" / "merchant" / "v1"
CONTRACT: dict[str, Any] = json.loads((V1 / "openapi.json").read_text())
OPERATIONS: dict[str, tuple[str, str, dict[str, Any]]] = {
    operation["operationId"]: (method.upper(), path, operation)
    for path, methods in CONTRACT["paths"].items()
    for method, operation in methods.items()
}
SINCE = dt.datetime(2026, 11, 24, 12, tzinfo=dt.UTC)
CARD = "card_0123456789abcdef0123456789abcdef"
PAYMENT, ENDPOINT, EVENT = "pay_0123456789ABCDEFGHJK", "whe_0123456789ABCDEFGHJK", "evt_0123456789abcdef"
DESTINATION = "dest_0123456789abcdef0123456789abcdef"
BILLER_SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
OPEN: dict[str, Any] = {"amount": 250_000, "order_id": "A-1", "callback_url": "https://shop.example/back"}

CALLS: dict[str, Callable[[Client], object]] = {
    "openPayment": lambda client: client.open(**OPEN, description="x", mobile="09121234567"),
    "openBills": lambda client: client.open_bills(
        [("7748317800142", "1770160")],
        order_id="A-1",
        callback_url="https://shop.example/back",
        description="x",
        mobile="09121234567",
    ),
    "openTopUp": lambda client: client.open_top_up(
        "09121234567",
        50_000,
        order_id="A-1",
        callback_url="https://shop.example/back",
        operator="mci",
        description="x",
        mobile="09121234567",
    ),
    "refuseBill": lambda client: client.refuse_bill(
        "7748317800142", "1770160", tracking_code="48151623420815", secret=BILLER_SECRET, reason="x"
    ),
    "openTransfer": lambda client: client.transfers.open(
        order_id="A-1",
        callback_url="https://shop.example/back",
        amount=250_000,
        destination_token=DESTINATION,
        description="x",
        mobile="09121234567",
    ),
    "getTransfer": lambda client: client.transfers.get(PAYMENT),
    "listTransfers": lambda client: next(
        client.transfers.list(state="confirmed", order_id="A-1", limit=2, cursor="q83vAQIDBAUGXw")
    ),
    "listDestinations": lambda client: next(client.transfers.destinations(limit=2, cursor="q83vAQIDBAUGXw")),
    "deleteDestination": lambda client: client.transfers.delete_destination(DESTINATION),
    "listPayments": lambda client: next(
        client.list(
            state="authorised",
            order_id="A-1",
            amount=250_000,
            card_token=CARD,
            rrn="632800000001",
            tracking_code="48151623420815",
            created_from=SINCE,
            created_before=SINCE,
            limit=2,
            cursor="q83vAQIDBAUGXw",
        )
    ),
    "listUnconfirmed": lambda client: next(client.unconfirmed(limit=2, cursor="q83vAQIDBAUGXw")),
    "getPayment": lambda client: client.get(PAYMENT),
    "listEvents": lambda client: client.history(PAYMENT),
    "getPaymentOfOrder": lambda client: client.get_by_order("A-1"),
    "confirmPayment": lambda client: client.confirm(PAYMENT, amount=250_000),
    "reversePayment": lambda client: client.reverse(PAYMENT, amount=250_000),
    "listSettlements": lambda client: next(client.settlements.list(limit=2, cursor="q83vAQIDBAUGXw")),
    "listSettlementLines": lambda client: next(client.settlements.lines("set_12", limit=2, cursor="q83vAQIDBAUGXw")),
    "refundPayment": lambda client: client.refund(PAYMENT, refund_id="A-1-1", amount=100_000, reason="x"),
    "listRefunds": lambda client: client.refunds(PAYMENT),
    "listWebhookEndpoints": lambda client: client.endpoints.list(),
    "addWebhookEndpoint": lambda client: client.endpoints.add(
        "https://shop.example/hooks", event_types=["payment.confirmed"], description="x"
    ),
    "getWebhookEndpoint": lambda client: client.endpoints.get(ENDPOINT),
    "changeWebhookEndpoint": lambda client: client.endpoints.change(
        ENDPOINT, url="https://shop.example/2", event_types=[], description="x", enabled=False
    ),
    "removeWebhookEndpoint": lambda client: client.endpoints.remove(ENDPOINT),
    "rotateWebhookSecret": lambda client: client.endpoints.rotate(ENDPOINT, overlap_seconds=0),
    "redeliverWebhookEvents": lambda client: client.endpoints.redeliver(ENDPOINT, since=SINCE),
    "listWebhookEvents": lambda client: next(
        client.events.list(type="payment.confirmed", payment_id=PAYMENT, since=SINCE, limit=2, cursor=EVENT)
    ),
    "getWebhookEvent": lambda client: client.events.get(EVENT),
    "listWebhookDeliveries": lambda client: client.events.deliveries(EVENT),
    "redeliverWebhookEvent": lambda client: client.events.redeliver(EVENT, endpoint_id=ENDPOINT),
    "listProblems": lambda client: client.problems(),
}
"""Each operation with a call that gives every value the operation takes."""


def schema(node: dict[str, Any]) -> Draft202012Validator:
    """Return what judges by a schema of the contract."""
    return Draft202012Validator(node | {"components": CONTRACT["components"]}, format_checker=FormatChecker())


def good(operation: dict[str, Any]) -> Reply:
    """The operation's good answer, from the published examples."""
    status, answer = next((int(code), said) for code, said in operation["responses"].items() if code < "300")
    if "content" not in answer:
        return Reply(status)
    content = next(iter(answer["content"].values()))
    name = content["schema"]["$ref"].rsplit("/", 1)[1]
    return said(json.loads((V1 / "examples" / f"{name}.json").read_text()), status)


@pytest.fixture
def asked() -> Callable[[str], tuple[Request, object]]:
    """Carry an operation's call out against its example; return what was asked and what came of it."""

    def carry(name: str) -> tuple[Request, object]:
        with serving(lambda _: good(OPERATIONS[name][2])) as site, Client(site.url, SECRET, repeats=0) as client:
            found = CALLS[name](client)
        (request,) = site.requests
        return request, found

    return carry


def test_every_operation_has_a_method() -> None:
    """None is missing, and none is made up."""
    assert set(CALLS) == set(OPERATIONS)


@pytest.mark.parametrize("name", CALLS)
def test_a_method_asks_as_the_contract_says(asked: Callable[[str], tuple[Request, object]], name: str) -> None:
    """Method, path, every parameter, the body, and an idempotency key where one is taken."""
    method, path, operation = OPERATIONS[name]
    request, _ = asked(name)
    url = urlsplit(request.path)

    assert request.method == method
    assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), url.path)
    parameters = {row["name"]: row for row in operation.get("parameters", ())}
    query = {key: values[0] for key, values in parse_qs(url.query).items()}
    assert set(query) == {key for key, row in parameters.items() if row["in"] == "query"}
    for parameter, text in query.items():
        node = parameters[parameter]["schema"]
        whole = "integer" in json.dumps(node) and text.isdigit()
        schema(node).validate(int(text) if whole else text)
    assert ("Idempotency-Key" in request.headers) == ("Idempotency-Key" in parameters)
    if "requestBody" in operation:
        node = operation["requestBody"]["content"]["application/json"]["schema"]
        body = json.loads(request.body)
        schema(node).validate(body)
        taken = CONTRACT["components"]["schemas"][node["$ref"].rsplit("/", 1)[1]]["properties"]
        assert set(body) == set(taken)
    else:
        assert not request.body


@pytest.mark.parametrize("name", CALLS)
def test_a_method_reads_what_the_contract_promises(asked: Callable[[str], tuple[Request, object]], name: str) -> None:
    """Each member of the example is an attribute, with its value, or kept whole."""
    _, found = asked(name)
    reply = good(OPERATIONS[name][2])
    body = json.loads(reply.body) if reply.body else None
    many = body["items"] if body and "items" in body else [body]
    for thing, content in zip(found if isinstance(found, list) else [found], many, strict=False):
        if content is None:
            assert thing is None
            continue
        known = {each.name for each in fields(thing)}
        assert set(content) - known <= {"timestamp"}
        for member in set(content) & known - {"card", "destination", "attempts", "event_types", "data", "payouts"}:
            value = getattr(thing, member)
            kind = type(value) if isinstance(value, dt.date) else None
            expected = kind.fromisoformat(content[member]) if kind else content[member]
            assert value == expected, member


def test_a_billers_no_is_signed_as_published() -> None:
    """The signature of the published example."""
    example = json.loads((V1 / "examples" / "RefuseBillIn.json").read_text())
    signed = pooya.sign_refusal(BILLER_SECRET, example["tracking_code"], example["bill_id"], example["pay_id"])
    assert signed == example["signature"]


def test_secrets_of_endpoints_are_not_printed() -> None:
    """They are shown to the program, not to its log."""
    example = json.loads((V1 / "examples" / "EndpointWithSecretOut.json").read_text())
    endpoint = Endpoint.of(example)

    assert endpoint.secret == example["secret"]
    assert str(endpoint.secret) not in repr(endpoint)


def test_a_settlement_is_read_with_its_payouts_and_without_its_lines() -> None:
    """The head of the page of lines; what is none raises."""
    example = json.loads((V1 / "examples" / "SettlementLinesOut.json").read_text())
    with answering(said(example), said({"items": []}), repeats=0) as (client, _):
        found = client.settlements.get("set_12")
        with pytest.raises(Unavailable):
            client.settlements.get("set_12")

    assert (found.id, found.net, sum(one.amount for one in found.payouts)) == ("set_12", 248_800, 248_800)
    assert found.payouts[1].returned_at is not None


def test_notices_are_events_without_a_payment() -> None:
    """What the feed alone tells keeps its facts."""
    notice = {"id": "evt_1", "type": "webhook.undelivered", "created_at": "2026-11-24T12:00:00Z", "data": {"tries": 9}}
    event = Event.of(notice)

    assert (event.payment, event.data) == (None, {"tries": 9})


def test_an_unanswered_removal_is_repeated_and_ends_well() -> None:
    """Gone by then means that the first call did it; gone at once means that there was none."""
    gone = problem(404, "endpoint_not_found")
    with answering(Reply(raw=b""), gone) as (client, site):
        client.endpoints.remove(ENDPOINT)
        assert [request.method for request in site.requests] == ["DELETE", "DELETE"]
    with answering(gone) as (client, _), pytest.raises(pooya.NotFound):
        client.endpoints.remove(ENDPOINT)


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("duplicate_endpoint", 409, pooya.DuplicateEndpoint),
        ("too_many_endpoints", 409, pooya.TooManyEndpoints),
        ("rotation_running", 409, pooya.RotationRunning),
        ("invalid_endpoint", 422, pooya.InvalidRequest),
        ("event_not_found", 404, pooya.NotFound),
    ],
)
def test_refusals_about_webhooks_have_classes(code: str, status: int, kind: type[pooya.Refused]) -> None:
    """As those about payments."""
    with answering(problem(status, code)) as (client, _), pytest.raises(kind):
        client.endpoints.add("https://shop.example/hooks")


def test_every_problem_of_the_catalogue_has_a_class() -> None:
    """But for what has no class of its own anywhere: then it is Unavailable, or plain."""
    codes = {row["code"] for row in json.loads((V1 / "examples" / "ProblemsOut.json").read_text())["items"]}
    unclassed = {code for code in codes if type(pooya.errors.refusal(400, {"code": code})) is pooya.Refused}

    assert unclassed <= {"unavailable", "internal", "not_allowed_here", "method_not_allowed", "failed"}, unclassed


def test_a_list_whose_item_is_none_is_no_answer() -> None:
    """Nothing may be assumed after it."""
    with answering(said({"items": [{"id": 1}]}), repeats=0) as (client, _):
        for ask in (client.endpoints.list, client.problems, lambda: client.history(PAYMENT)):
            with pytest.raises(Unavailable):
                ask()
    assert Payment.__doc__
