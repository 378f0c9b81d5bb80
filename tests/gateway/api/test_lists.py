"""Lists: filters, pages that stay put, plans that use an index; the unconfirmed feed; history; an order's payment."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from gateway.domain.payment import OUTSIDE, TIMELINE, PaymentEvent
from gateway.services.cancel import cancel
from gateway.store.lists import FILTERS, Position, newest_first, unconfirmed
from tests.fakes.counting import counting
from tests.fakes.shop import SECRET_KEY, Shop
from tests.fakes.switch import decline

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
LIST = "/api/v1/payments"
EXAMPLES: dict[str, Any] = {
    "state": "confirmed",
    "order_id": "bulk-77",
    "amount": 77_000,
    "card_token": "card_" + "0" * 32,
    "rrn": "000000000077",
    "tracking_code": "10000000000077",
    "created_from": "2026-01-01T00:00:00Z",
    "created_before": "2027-01-01T00:00:00Z",
}
BULK = """
INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
  callback_url, reference, state, page_expires_at, confirm_window_seconds, created_at, authorised_at, confirmed_at,
  tracking_code, rrn, card_token, pan_masked)
SELECT 'pay_' || lpad(n::text, 20, '0'), 'token' || n, 'PURCHASE', '00000001', '000000000000001', 'bulk-' || n,
  n * 1000, 0, 'http://localhost:8200', translate(lpad(n::text, 16, '0'), '0189', 'ABCD'),
  CASE WHEN n % 50 = 0 THEN 'authorised' ELSE 'confirmed' END, now(), 900,
  now() - make_interval(secs => 6000 - n), now(), now(), (10000000000000 + n)::text, lpad(n::text, 12, '0'),
  'card_' || lpad((n % 100)::text, 32, '0'), '999002******0000'
FROM generate_series(1, 3000) AS n
"""


def get(client: FlaskClient, address: str) -> dict[str, Any]:
    """Read a good answer."""
    answer = client.get(address, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.get_json()
    return body


def ids(page: dict[str, Any]) -> list[str]:
    """Name what a page shows."""
    return [item["id"] for item in page["items"]]


def test_every_filter_finds_its_payment_and_no_other(shop: Shop, client: FlaskClient) -> None:
    """State, order, amount, card, RRN, tracking code and time each single out one of three payments."""
    first, paid, last = shop.open(300_000, order_id="A-1"), shop.paid(200_000), shop.open(100_000, order_id="A-3")
    shown = get(client, f"{LIST}/{paid.payment_id}")
    wanted = {
        "state": ("authorised", paid),
        "order_id": ("A-1", first),
        "amount": ("100000", last),
        "card_token": (shown["card"]["token"], paid),
        "rrn": (shown["rrn"], paid),
        "tracking_code": (shown["tracking_code"], paid),
        "created_from": (f"{last.created_at:%Y-%m-%dT%H:%M:%S.%fZ}", last),
        "created_before": (f"{paid.created_at:%Y-%m-%dT%H:%M:%S.%fZ}", first),
    }

    assert wanted.keys() == FILTERS.keys()
    for name, (value, payment) in wanted.items():
        assert ids(get(client, f"{LIST}?{name}={value}")) == [payment.payment_id], name
    assert ids(get(client, f"{LIST}?state=open&amount=300000&order_id=A-1")) == [first.payment_id]
    assert ids(get(client, f"{LIST}?state=open&order_id=A-2")) == []


def test_pages_are_newest_first_and_stay_put_while_payments_arrive(shop: Shop, client: FlaskClient) -> None:
    """Seven payments in pages of two; new ones between the pages shift nothing and repeat nothing."""
    made = [shop.open().payment_id for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    for _ in range(4):
        page = get(client, f"{LIST}?limit=2{cursor}")
        seen += ids(page)
        cursor = f"&cursor={page['next_cursor']}"
        shop.open()

    assert seen == made[::-1]
    assert page["next_cursor"] is None


def test_payments_of_one_moment_are_each_shown_once(shop: Shop, client: FlaskClient) -> None:
    """The id decides between equal times."""
    made = {shop.open().payment_id for _ in range(5)}
    shop.change("UPDATE payment SET created_at = '2026-11-24T12:00:00Z'")
    first = get(client, f"{LIST}?limit=3")
    second = get(client, f"{LIST}?limit=3&cursor={first['next_cursor']}")

    assert len(ids(first)) == 3
    assert set(ids(first)) | set(ids(second)) == made


def test_a_cursor_is_good_for_its_own_list_only(shop: Shop, client: FlaskClient) -> None:
    """Damaged, of other filters, of the other list: one problem, never another page."""
    for _ in range(3):
        shop.open()
    cursor = get(client, f"{LIST}?limit=1&state=open")["next_cursor"]
    packed = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
    forged = [
        "x", "%F1%A5", cursor[:-9], base64.urlsafe_b64encode(packed[:16]).decode(),
        base64.urlsafe_b64encode(packed[:8] + b"\x7f" * 8 + packed[16:]).decode(),
        base64.urlsafe_b64encode(packed[:16] + b"\x00" * 24).decode(),
    ]  # fmt: skip

    assert len(ids(get(client, f"{LIST}?limit=2&state=open&cursor={cursor}"))) == 2
    for address in (
        *(f"{LIST}?state=open&cursor={each}" for each in forged),
        f"{LIST}?cursor={cursor}",
        f"{LIST}?state=open&amount=250000&cursor={cursor}",
        f"{LIST}/unconfirmed?cursor={cursor}",
    ):
        answer = client.get(address, headers=HEADERS)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_cursor"), address


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=1_0", "limit"),
        ("limit=%DB%B2", "limit"),
        ("limit=1&limit=2", "limit"),
        ("state=paid", "state"),
        ("amount=1.5", "amount"),
        ("rrn=1", "rrn"),
        ("created_from=yesterday", "created_from"),
        ("created_from=2026-11-24T12:00:00+03:30", "created_from"),
        ("created_before=2026-13-41T12:00:00Z", "created_before"),
        ("page=2", "page"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, query: str, parameter: str) -> None:
    """400 with the parameter's name; a plus that became a space is explained."""
    answer = client.get(f"{LIST}?{query}", headers=HEADERS)

    assert (answer.status_code, answer.get_json()["code"]) == (400, "malformed")
    assert answer.get_json()["errors"][0]["parameter"] == parameter


def test_every_filter_and_page_has_an_index(shop: Shop) -> None:
    """EXPLAIN over three thousand payments: no filter, no page and not the feed reads the table from end to end."""
    shop.change(BULK)
    shop.change("ANALYZE payment")
    position = Position(shop.rows("SELECT max(created_at) FROM payment")[0][0], "pay_9")

    wanted: list[dict[str, Any]] = [{}, *({name: EXAMPLES[name]} for name in FILTERS)]
    wanted.append({"state": "authorised", "amount": 50_000})
    for after in (None, position):
        for filters in wanted:
            plan = explained(shop, newest_first, "00000001", filters, after=after, most=26)
            assert "Seq Scan" not in plan, (filters, plan)
            assert "Sort" not in plan or filters.keys() & {"rrn", "tracking_code"}, (filters, plan)
        plan = explained(shop, unconfirmed, "00000001", after=after, most=26)
        assert "Seq Scan" not in plan, plan
        assert "payment_to_confirm" in plan or "payment_unconfirmed" in plan, plan


def explained(shop: Shop, read: Callable[..., Any], *args: Any, **kwargs: Any) -> str:
    """Return the plan of the one statement that ``read`` executes."""
    caught: list[tuple[Any, Any]] = []

    class Spy:
        """Stands in for the connection and remembers."""

        def execute(self, statement: Any, values: Any) -> Any:
            """Remember and pass on."""
            caught.append((statement, values))
            return connection.execute(statement, values)

    with shop.gateway.database.begin() as connection:
        read(Spy(), *args, **kwargs)
        statement, values = caught[0]
        rows = connection.execute(text(f"EXPLAIN {statement.text}"), values).all()
    return "\n".join(row[0] for row in rows)


def test_the_words_of_the_index_are_those_of_the_domain(shop: Shop) -> None:
    """``outside_state`` in SQL says what OUTSIDE says, for every state."""
    for state, word in OUTSIDE.items():
        assert shop.rows("SELECT outside_state(:state)", state=str(state)) == [(word,)]


def test_the_feed_is_what_can_still_be_confirmed_oldest_first(shop: Shop, client: FlaskClient) -> None:
    """Paid, not confirmed, not too late; in pages; a payment whose window is over is gone before the sweeper came."""
    late = shop.paid()
    shop.later(600)
    paid = [shop.paid() for _ in range(3)]
    done = shop.paid()
    shop.confirm(done)
    shop.open()
    shop.later(901)

    first = get(client, f"{LIST}/unconfirmed?limit=2")
    rest = get(client, f"{LIST}/unconfirmed?limit=2&cursor={first['next_cursor']}")

    assert ids(first) + ids(rest) == [payment.payment_id for payment in paid]
    assert late.payment_id not in ids(first) + ids(rest)
    assert all(item["confirm_before"] for item in first["items"])
    assert rest["next_cursor"] is None


def test_a_payment_tells_its_history(shop: Shop, client: FlaskClient) -> None:
    """Declined, paid, confirmed, reversed: one line each, in the words of the contract, with the attempt's number."""
    payment = shop.open()
    shop.switch.will(decline("116"))
    shop.pay(payment)
    shop.pay(payment)
    shop.confirm(payment)
    client.post(f"{LIST}/{payment.payment_id}/reverse", headers=HEADERS)
    shop.work()

    lines = get(client, f"{LIST}/{payment.payment_id}/events")["items"]

    assert [(line["type"], line["state"], line["attempt"]) for line in lines] == [
        ("opened", "open", None),
        ("submitted", "open", 1),
        ("declined", "open", 1),
        ("submitted", "open", 2),
        ("authorised", "authorised", 2),
        ("confirmed", "confirmed", 2),
        ("reversal_asked", "reversing", 2),
        ("reversed", "reversed", 2),
    ]
    assert client.get(f"{LIST}/pay_x/events", headers=HEADERS).status_code == 404


def test_every_event_is_told_or_is_ours_alone() -> None:
    """A new event needs a decision; those that merchants never read are named."""
    assert set(PaymentEvent) - set(TIMELINE) == {
        PaymentEvent.LATE_APPROVAL,
        PaymentEvent.REVERSAL_OVERDUE,
        PaymentEvent.CREDIT_REFUSED,  # of a transfer, which no merchant sells
    }


def test_an_order_is_asked_for_by_its_own_number(shop: Shop, client: FlaskClient) -> None:
    """D42: the live payment of the order, otherwise the latest; nothing was opened is an answer of its own."""
    first = shop.open(order_id="A.1-_")
    cancel(shop.gateway, first.page_token)
    assert get(client, "/api/v1/orders/A.1-_")["state"] == "cancelled"
    second = shop.open(order_id="A.1-_")

    assert get(client, "/api/v1/orders/A.1-_")["id"] == second.payment_id
    assert ids(get(client, f"{LIST}?order_id=A.1-_")) == [second.payment_id, first.payment_id]
    missing = client.get("/api/v1/orders/none", headers=HEADERS)
    assert (missing.status_code, missing.get_json()["code"]) == (404, "order_not_found")


def test_a_page_is_one_statement(shop: Shop, client: FlaskClient) -> None:
    """However long, whatever the filters."""
    for _ in range(3):
        shop.paid()
    get(client, LIST)
    for address in (f"{LIST}?state=authorised&limit=2", f"{LIST}/unconfirmed", "/api/v1/orders/order-1"):
        with counting(shop.gateway.database) as counted:
            get(client, address)
        assert len(counted.statements) == 1, counted.statements
