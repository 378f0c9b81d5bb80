"""Statements over the merchant API: closed batches of the own merchant alone, page by page, and notices in the feed."""

from __future__ import annotations

from typing import Any

import pytest
from flask.testing import FlaskClient

from gateway.services import settle as service
from gateway.services.approve import approve
from gateway.services.ibans import add_iban
from gateway.services.reconcile import import_file
from gateway.services.settle import settle
from tests.fakes.clearing import Clearing, days
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop

HEADERS = {"Authorization": f"Bearer {SECRET_KEY}"}
SETTLEMENTS = "/api/v1/settlements"
IBAN = "IR062960000000100324200001"


def get(client: FlaskClient, address: str) -> Any:
    """Ask as the merchant."""
    answer = client.get(address, headers=HEADERS)
    assert answer.status_code == 200, answer.get_json()
    return answer.get_json()


def settled(shop: Shop, weeks: int, payments: int) -> None:
    """Sell, let the bank tell, and pay out, weeks from now."""
    shop.later(days(weeks * 7))
    clearing = Clearing(shop)
    bought = [shop.paid(10_000 + number) for number in range(payments)]
    for payment in bought:
        shop.confirm(payment)
    clearing.capture()
    content = clearing.written(*(clearing.line(payment) for payment in bought))
    shop.later(days(weeks * 7 + 6))
    import_file(shop.gateway, "two", content)
    assert settle(shop.gateway) == payments


@pytest.fixture
def paid_out(shop: Shop) -> Shop:
    """A merchant with an IBAN and three settlements of three, two and one payments."""
    request = add_iban(shop.gateway, MERCHANT.merchant_id, IBAN, parts=1, by="sara", reason="letter of the merchant")
    approve(shop.gateway, request, by="ali")
    for weeks, payments in ((1, 3), (2, 2), (3, 1)):
        settled(shop, weeks, payments)
    return shop


def test_a_merchant_reads_its_settlements_newest_first(paid_out: Shop, client: FlaskClient) -> None:
    """Three in pages of two; each with its sums and what its IBAN got."""
    first = get(client, f"{SETTLEMENTS}?limit=2")
    second = get(client, f"{SETTLEMENTS}?limit=2&cursor={first['next_cursor']}")

    assert [each["lines"] for each in (*first["items"], *second["items"])] == [1, 2, 3]
    assert second["next_cursor"] is None
    newest = first["items"][0]
    assert (newest["gross"], newest["charge"], newest["net"]) == (10_000, 0, 10_000)
    assert newest["payouts"] == [{"iban": IBAN, "amount": 10_000, "returned_at": None}]
    assert paid_out.rows("SELECT count(*) FROM settlement_batch WHERE closed_at IS NOT NULL") == [(3,)]


def test_a_merchant_reads_the_lines_of_one_in_order(paid_out: Shop, client: FlaskClient) -> None:
    """Every payment once, and the same head on each page."""
    oldest = get(client, SETTLEMENTS)["items"][-1]
    address = f"{SETTLEMENTS}/{oldest['id']}?limit=2"
    first = get(client, address)
    second = get(client, f"{address}&cursor={first['next_cursor']}")

    assert first["settlement"] == second["settlement"] == oldest
    lines = [*first["items"], *second["items"]]
    assert [line["gross"] for line in lines] == [10_000, 10_001, 10_002]
    assert {line["kind"] for line in lines} == {"payment"}
    states = {get(client, f"/api/v1/payments/{line['payment_id']}")["state"] for line in lines}
    assert states == {"settled"}
    assert paid_out.rows("SELECT DISTINCT lines FROM settlement_batch ORDER BY 1") == [(1,), (2,), (3,)]


def test_what_is_not_the_callers_or_not_closed_is_not_there(
    paid_out: Shop, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown, malformed, another merchant's, open: one problem; a cursor of another list is refused."""
    paid_out.change(
        "INSERT INTO settlement_batch (business_day, value_day, cut_off_at, closed_at, lines, gross_rial, fee_rial, "
        "net_rial, payouts) VALUES ('2026-01-03', '2026-01-04', now(), now(), 0, 0, 0, 0, 0)"
    )
    monkeypatch.setattr(service, "_close", lambda *_: None)
    settled(paid_out, 5, 1)
    open_one = paid_out.rows("SELECT batch_id FROM settlement_batch WHERE closed_at IS NULL")[0][0]
    for name in (f"set_{open_one}", "set_4", "set_999", "set_x", "12"):
        answer = client.get(f"{SETTLEMENTS}/{name}", headers=HEADERS)
        assert (answer.status_code, answer.get_json()["code"]) == (404, "settlement_not_found"), name
    assert len(get(client, SETTLEMENTS)["items"]) == 3
    cursor = get(client, f"{SETTLEMENTS}?limit=1")["next_cursor"]
    payments = get(client, "/api/v1/payments?limit=1")["next_cursor"]
    for address in (
        f"{SETTLEMENTS}/set_1?cursor={cursor}",
        f"{SETTLEMENTS}?cursor={payments}",
        f"{SETTLEMENTS}?cursor=x",
    ):
        answer = client.get(address, headers=HEADERS)
        assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid_cursor"), address


def test_d11_the_feed_tells_where_money_goes_from_now_on(paid_out: Shop, client: FlaskClient) -> None:
    """D11: the notice has the IBAN, its parts and from when on it is used."""
    events = get(client, "/api/v1/events?limit=100")["items"]
    (notice,) = [event for event in events if event["type"] == "settlement_iban.added"]

    assert (notice["data"]["iban"], notice["data"]["parts"]) == (IBAN, 1)
    assert sum(event["type"] == "payment.settled" for event in events) == 6
    assert paid_out.rows("SELECT count(*) FROM webhook_delivery WHERE event_id LIKE 'evt_iban%'") == [(1,)]
