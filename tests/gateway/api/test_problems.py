"""The catalogue of problems: each row is brought about by a request, and none says more than its table."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from foundation.database import Database
from gateway.api.catalogue import BY_CODE, ROWS, row_of
from gateway.api.door import OPERATIONS
from gateway.app import create_app
from gateway.domain import errors
from gateway.domain.bills import Bill
from gateway.domain.errors import GatewayError
from gateway.services.authorise import pay
from gateway.services.keys import new_key
from gateway.services.owed import add_biller
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop, card

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
PATH = "/api/v1/payments"
BODY = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}
CANARY = "canary-5f1e"

PHONE_BILL = Bill("7748317800142", "1770160")


class Caller:
    """A merchant that does one thing wrong."""

    def __init__(self, shop: Shop) -> None:
        self.shop = shop
        self.cleanup = ExitStack()
        self.client = create_app(gateway=shop.gateway).test_client()

    def open(self, **change: Any) -> TestResponse:
        """Open a payment, with a change."""
        return self.client.post(PATH, json=BODY | change, headers=HEADERS)

    def get(self, path: str, key: str = SECRET_KEY) -> TestResponse:
        """Read something."""
        return self.client.get(f"/api/v1{path}", headers={"Authorization": f"Bearer {key}"})

    def act(self, path: str, body: dict[str, Any] | None = None, **headers: str) -> TestResponse:
        """Do something to a payment."""
        return self.client.post(f"{PATH}/{path}", json=body or {}, headers=HEADERS | headers)

    def hook(self, url: str) -> TestResponse:
        """Add a webhook endpoint."""
        return self.client.post("/api/v1/webhook_endpoints", json={"url": url}, headers=HEADERS)

    def rotate(self) -> TestResponse:
        """Rotate the first endpoint's secret."""
        return self.client.post(f"/api/v1/webhook_endpoints/whe_{MERCHANT.merchant_id}/rotate", headers=HEADERS)

    def with_settings(self, **change: int) -> Caller:
        """Tighten a setting."""
        settings = self.shop.gateway.settings.model_copy(update=change)
        object.__setattr__(self.shop.gateway, "settings", settings)
        return self


def _twice(caller: Caller) -> TestResponse:
    caller.open()
    return caller.open()


def _late_reverse(caller: Caller) -> TestResponse:
    payment = caller.shop.paid()
    caller.shop.confirm(payment)
    caller.shop.later(1_801)
    return caller.act(f"{payment.payment_id}/reverse")


def _other_request(caller: Caller) -> TestResponse:
    headers = HEADERS | {"Idempotency-Key": "one"}
    caller.client.post(PATH, json=BODY, headers=headers)
    return caller.client.post(PATH, json=BODY | {"amount": 9_000}, headers=headers)


def _held(caller: Caller) -> TestResponse:
    payment = caller.shop.paid()
    connection = caller.cleanup.enter_context(caller.shop.owner.engine.begin())
    connection.execute(text("SELECT FROM payment FOR UPDATE"))
    return caller.act(f"{payment.payment_id}/confirm", {"amount": 250_000})


def _flood(caller: Caller) -> TestResponse:
    caller.with_settings(api_calls_per_minute=1).get("/payments")
    return caller.get("/payments")


def _lost(caller: Caller) -> TestResponse:
    away = Database("postgresql+psycopg://nobody@/nowhere?host=/nonexistent", application_name="tests")
    caller.get("/payments")
    object.__setattr__(caller.shop.gateway, "database", away)
    return caller.get("/payments")


def _reader(caller: Caller) -> TestResponse:
    key = new_key(caller.shop.gateway, MERCHANT.terminal_id, scopes=["payments:read"])
    return caller.client.post(PATH, json=BODY, headers={"Authorization": f"Bearer {key}"})


def _bills(caller: Caller, *bills: Bill, billed: bool = True) -> TestResponse:
    """Open a payment of bills, whose company is connected or not."""
    for bill in bills if billed else ():
        add_biller(caller.shop.gateway, MERCHANT.merchant_id, int(bill.service), bill.company)
    listed = [{"bill_id": bill.bill_id, "pay_id": bill.payment_id} for bill in bills]
    body = {name: value for name, value in BODY.items() if name != "amount"} | {"bills": listed}
    return caller.client.post("/api/v1/bills", json=body, headers=HEADERS)


def _top_up(caller: Caller, **changes: str) -> TestResponse:
    """Open a top-up; nobody delivers here."""
    body = BODY | {"amount": 200_000, "topped_mobile": "09121234567"} | changes
    return caller.client.post("/api/v1/topups", json=body, headers=HEADERS)


def _paid_bill(caller: Caller) -> TestResponse:
    _bills(caller, PHONE_BILL)
    caller.shop.change("UPDATE bill SET claimed = true")
    return _bills(caller, PHONE_BILL)


def _refuse_bill(caller: Caller, tracking_code: str | None = None) -> TestResponse:
    """Say no, with another's signature, to a bill that was paid under the code of its receipt."""
    pay(caller.shop.gateway, _bills(caller, PHONE_BILL).get_json()["page_url"].rpartition("/")[2], card())
    body = {"bill_id": PHONE_BILL.bill_id, "pay_id": PHONE_BILL.payment_id, "signature": "v1," + "A" * 43 + "="}
    body["tracking_code"] = tracking_code or caller.shop.rows("SELECT tracking_code FROM payment")[0][0]
    return caller.client.post("/api/v1/bills/refusals", json=body, headers=HEADERS)


def _refund(caller: Caller, amount: int = 1_000, refund_id: str = "r-1", *, of: str | None = None) -> TestResponse:
    if of is None:
        payment = caller.shop.paid()
        caller.shop.confirm(payment)
        of = payment.payment_id
    return caller.act(f"{of}/refund", {"refund_id": refund_id, "amount": amount})


def _refunded_before(caller: Caller) -> str:
    """Refund a part of a payment; return its id."""
    return str(_refund(caller).get_json()["payment_id"])


def _bill_refund(caller: Caller) -> TestResponse:
    payment = _refunded_before(caller)
    caller.shop.change("UPDATE payment SET kind = 'BILL_PAYMENT', payee_key = repeat('0', 64)")
    return _refund(caller, refund_id="r-2", of=payment)


def _late_refund(caller: Caller) -> TestResponse:
    payment = _refunded_before(caller)
    caller.shop.later(91 * 86_400)
    return _refund(caller, refund_id="r-2", of=payment)


def _owed_nothing(caller: Caller) -> TestResponse:
    payment = _refunded_before(caller)
    caller.shop.change(
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        f"SELECT payment_id, attempt_id, 'x', 'payable\\:{MERCHANT.merchant_id}', 'suspense', 249000 FROM attempt"
    )
    return _refund(caller, refund_id="r-2", of=payment)


def _many_refunds(caller: Caller) -> TestResponse:
    payment = _refunded_before(caller)
    return [_refund(caller, refund_id=f"more-{number}", of=payment) for number in range(50)][-1]


def _transfer(caller: Caller, **fixed: Any) -> TestResponse:
    """Ask for a transfer of which this much is fixed."""
    body = {name: value for name, value in BODY.items() if name != "amount"} | fixed
    return caller.client.post("/api/v1/transfers", json=body, headers=HEADERS)


RECIPES: dict[str, Callable[[Caller], TestResponse]] = {
    "malformed": lambda caller: caller.open(amount=CANARY),
    "invalid_bill": lambda caller: _bills(caller, Bill("1234567890123", "1770160"), billed=False),
    "invalid_bills": lambda caller: _bills(caller, PHONE_BILL, PHONE_BILL),
    "unknown_biller": lambda caller: _bills(caller, PHONE_BILL, billed=False),
    "bill_already_paid": _paid_bill,
    "bill_not_found": lambda caller: _refuse_bill(caller, CANARY),
    "refusal_not_signed": _refuse_bill,
    "invalid_top_up": lambda caller: _top_up(caller, topped_mobile=CANARY),
    "operator_not_offered": lambda caller: _top_up(caller, operator="shatel"),
    "transfer_limit": lambda caller: _transfer(caller, amount=5),
    "destination_not_found": lambda caller: _transfer(caller, destination_token="dest_" + "0" * 32),
    "invalid_cursor": lambda caller: caller.get(f"/payments?cursor={CANARY}"),
    "unauthenticated": lambda caller: caller.get("/payments", "sk_test_" + "Z" * 40),
    "key_of_other_mode": lambda caller: caller.get("/payments", "sk_live_" + "A" * 40),
    "scope_missing": _reader,
    "payment_not_found": lambda caller: caller.get(f"/payments/{CANARY}"),
    "order_not_found": lambda caller: caller.get(f"/orders/{CANARY}"),
    "not_found": lambda caller: caller.get(f"/{CANARY}"),
    "method_not_allowed": lambda caller: caller.client.delete(PATH, headers=HEADERS),
    "not_possible": lambda caller: caller.act(f"{caller.open().get_json()['id']}/confirm", {"amount": 250_000}),
    "reversal_window_over": _late_reverse,
    "refunds_exist": lambda caller: caller.act(f"{_refunded_before(caller)}/reverse"),
    "refund_not_offered": _bill_refund,
    "refund_window_over": _late_refund,
    "refund_above_rest": lambda caller: _refund(caller, 250_001),
    "refund_id_taken": lambda caller: _refund(caller, 999, of=_refunded_before(caller)),
    "payable_too_low": _owed_nothing,
    "too_many_refunds": _many_refunds,
    "amount_mismatch": lambda caller: caller.act(f"{caller.shop.paid().payment_id}/confirm", {"amount": 1}),
    "duplicate_order": _twice,
    "request_in_progress": _held,
    "body_too_large": lambda caller: caller.open(description="x" * 20_000),
    "unsupported_media_type": lambda caller: caller.client.post(PATH, data=CANARY, headers=HEADERS),
    "invalid_amount": lambda caller: caller.open(amount=5),
    "invalid_order_id": lambda caller: caller.open(order_id=f"{CANARY} "),
    "invalid_callback": lambda caller: caller.open(callback_url=f"https://{CANARY}.example/"),
    "invalid_text": lambda caller: caller.open(mobile=CANARY),
    "idempotency_mismatch": _other_request,
    "endpoint_not_found": lambda caller: caller.get(f"/webhook_endpoints/{CANARY}"),
    "event_not_found": lambda caller: caller.get(f"/events/{CANARY}"),
    "settlement_not_found": lambda caller: caller.get(f"/settlements/{CANARY}"),
    "invalid_endpoint": lambda caller: caller.hook(f"ftp://{CANARY}.example/"),
    "duplicate_endpoint": lambda caller: caller.hook(str(MERCHANT.webhook_url)),
    "too_many_endpoints": lambda caller: [caller.hook(f"http://localhost:8200/{number}") for number in range(17)][-1],
    "rotation_running": lambda caller: [caller.rotate() for _ in range(2)][-1],
    "too_many_calls": _flood,
    "unavailable": _lost,
}


def test_every_problem_has_a_recipe_and_the_reverse() -> None:
    """No row that nobody can meet, no problem without a row."""
    assert RECIPES.keys() == BY_CODE.keys()
    assert len(BY_CODE) == len(ROWS)


@pytest.mark.parametrize("code", RECIPES)
def test_a_problem_is_what_its_row_says(shop: Shop, code: str) -> None:
    """Status, code, type, title; what was sent never comes back; a wait is said where waiting helps."""
    caller = Caller(shop)
    with caller.cleanup:
        answer = RECIPES[code](caller)
    body, row = answer.get_json(), BY_CODE[code]

    assert (answer.status_code, answer.mimetype) == (row.status, "application/problem+json")
    assert (body["code"], body["status"], body["title"]) == (code, row.status, row.title.en)
    assert body["type"] == f"http://localhost:8000/api/v1/problems#{code}"
    assert CANARY not in answer.text
    assert ("Retry-After" in answer.headers) == (code in {"request_in_progress", "too_many_calls", "unavailable"})


def test_the_document_names_every_problem() -> None:
    """Each row comes back from some operation, or from an address that is none."""
    named = {code for operation in OPERATIONS for code in operation.every_problem()}

    assert BY_CODE.keys() - named == {"not_found", "method_not_allowed"}
    assert named <= BY_CODE.keys()


def test_a_problem_speaks_the_callers_language(client: FlaskClient) -> None:
    """Accept-Language chooses the title; the code stays."""
    persian = client.get(PATH, headers={"Accept-Language": "fa-IR,fa;q=0.9,en;q=0.5"})

    assert persian.headers["Content-Language"] == "fa"
    assert persian.get_json()["title"] == BY_CODE["unauthenticated"].title.fa
    assert persian.get_json()["code"] == "unauthenticated"


@pytest.mark.parametrize(
    ("sent", "pointer"),
    [
        ({"amount": 5}, "#/amount"),
        ({"order_id": "a b"}, "#/order_id"),
        ({"callback_url": "ftp://localhost"}, "#/callback_url"),
        ({"description": "x" * 121}, "#/description"),
        ({"mobile": "1"}, "#/mobile"),
        ({"a/b~c": 1}, "#/a~1b~0c"),
    ],
)
def test_validation_points_at_the_field(client: FlaskClient, sent: dict[str, Any], pointer: str) -> None:
    """A JSON pointer (RFC 6901), whether the shape or the rule was broken."""
    answer = client.post(PATH, json=BODY | sent, headers=HEADERS)

    assert answer.get_json()["errors"][0]["pointer"] == pointer


def test_a_flood_of_flaws_is_cut(client: FlaskClient) -> None:
    """At most twenty places, each name at most a hundred characters."""
    answer = client.post(PATH, json={f"{number}{'x' * 200}": 1 for number in range(40)}, headers=HEADERS)
    flaws = answer.get_json()["errors"]

    assert len(flaws) == 20
    assert max(len(flaw["pointer"]) for flaw in flaws) <= 102


def test_a_fault_of_ours_says_nothing_of_itself(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither an unforeseen exception nor an error without a row leaks its text."""
    caller = Caller(shop)
    for error in (RuntimeError(CANARY), errors.InvalidCard(CANARY)):

        def fail(*_: object, error: Exception = error, **__: object) -> None:
            raise error

        monkeypatch.setattr("gateway.api.payments.get_payment", fail)
        answer = caller.get("/payments/pay_1")
        assert (answer.status_code, answer.get_json()["code"]) == (503, "unavailable")
        assert CANARY not in answer.text


def _all_errors(kind: type[GatewayError] = GatewayError) -> list[type[GatewayError]]:
    return [kind, *(found for child in kind.__subclasses__() for found in _all_errors(child))]


def test_codes_are_distinct_and_a_child_may_answer_as_its_parent() -> None:
    """Each error has its own code; AttemptInProgress is told to merchants as not possible."""
    codes = [kind.code for kind in _all_errors()]

    assert len(set(codes)) == len(codes)
    row = row_of(errors.AttemptInProgress("open"))
    assert row is not None
    assert row.code == "not_possible"


def test_the_catalogue_is_served_to_programs_and_people(client: FlaskClient) -> None:
    """JSON by default, a page with an anchor per code for a browser, no key for either."""
    listed = client.get("/api/v1/problems").get_json()["items"]
    page = client.get("/api/v1/problems?lang=fa", headers={"Accept": "text/html"})

    assert [item["code"] for item in listed] == [row.code for row in ROWS]
    assert all(f'id="{row.code}"' in page.text and row.title.fa in page.text for row in ROWS)
    assert page.headers["Content-Security-Policy"].startswith("default-src 'none'")
