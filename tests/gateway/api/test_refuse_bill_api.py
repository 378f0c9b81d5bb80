"""A biller's server hears of a paid bill and says no to it: over the API, signed, as published."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from foundation.sensitive import Sensitive
from gateway.domain.bill_refusal import refusal_text, signature_of
from gateway.domain.bills import Bill
from gateway.domain.refund import OUTSIDE
from gateway.services.keys import new_key
from gateway.services.show_page import page_of
from gateway.web.wording import WORDS
from tests.fakes.shop import SECRET_KEY, WEBHOOK_SECRET, Shop
from tests.gateway.api.test_contract import check
from tests.gateway.services.test_bills import PHONE, WATER, opened
from tests.gateway.services.test_bills import town as town

PATH = "/api/v1/bills/refusals"
KEY = "sk_test_" + "B" * 40


def refuse(client: FlaskClient, heard: dict[str, Any], **changes: str) -> Any:
    """Say no to the bill that a webhook told of."""
    bill = Bill(heard["bill_id"], heard["pay_id"])
    signature = signature_of(Sensitive(WEBHOOK_SECRET), refusal_text(heard["tracking_code"], bill))
    names = ("bill_id", "pay_id", "tracking_code")
    body = {name: heard[name] for name in names} | {"signature": signature} | changes
    return client.post(PATH, json=body, headers={"Authorization": f"Bearer {KEY}", "Idempotency-Key": "n-1"})


def test_d12_what_bill_paid_told_is_enough_to_refuse_it(town: Shop, client: FlaskClient) -> None:
    """202 pending, then done; the payer's receipt says so, and so does the webhook of whoever opened the payment."""
    new_key(town.gateway, "20000202", secret=KEY)
    payment = opened(town, PHONE, WATER)
    town.pay(payment)
    town.work()
    (heard,) = [sent["data"] for sent in bodies(town) if sent["type"] == "bill.paid"]

    asked = refuse(client, heard, reason="این قبض باطل شده است")

    assert asked.status_code == 202
    check(PATH, "post", 202, asked.get_json())
    assert (asked.get_json()["state"], asked.get_json()["amount"]) == ("pending", 10_000)
    town.work()
    town.work()
    receipt = client.get(f"/pay/{payment.page_token}?lang=fa").text
    assert WORDS["bill.refund.done"].fa in receipt
    assert page_of(town.gateway, payment.page_token).bills[1].refund_said == "done"
    listed = client.get(
        f"/api/v1/payments/{payment.payment_id}/refunds", headers={"Authorization": f"Bearer {SECRET_KEY}"}
    ).get_json()
    check("/api/v1/payments/{id}/refunds", "get", 200, listed)
    assert [(row["bill"], row["amount"], row["state"]) for row in listed["items"]] == [(2, 10_000, "done")]
    town.work()
    kinds = ("bill.paid", "bill.refunded")
    of_water = [sent for sent in bodies(town) if sent["type"] in kinds and sent["data"]["bill_id"] == WATER.bill_id]
    assert [sent["type"] for sent in of_water] == list(kinds), "in this order"
    end = of_water[1]["data"]
    assert {name: end[name] for name in ("bill_id", "pay_id", "tracking_code")} == {
        name: heard[name] for name in ("bill_id", "pay_id", "tracking_code")
    }
    assert (end["amount"], "decided_at" in end) == (10_000, True)
    feed = client.get("/api/v1/events?type=bill.refunded", headers={"Authorization": f"Bearer {KEY}"}).get_json()
    check("/api/v1/events", "get", 200, feed)
    assert [event["data"] for event in feed["items"]] == [end]


@pytest.mark.parametrize(
    ("bills", "heading"),
    [((PHONE, WATER), "bill.some_refused.title"), ((WATER,), "bill.all_refused.title")],
)
def test_d12_the_receipts_heading_says_how_many_bills_were_refused(
    town: Shop, client: FlaskClient, bills: tuple[Bill, ...], heading: str
) -> None:
    """Paid while nobody has said no; then that some were not, or none."""
    new_key(town.gateway, "20000202", secret=KEY)
    payment = opened(town, *bills)
    town.pay(payment)
    town.work()
    (heard,) = [sent["data"] for sent in bodies(town) if sent["type"] == "bill.paid"]

    def title() -> str:
        page = client.get(f"/pay/{payment.page_token}?lang=fa").text
        (found,) = re.findall("<h1>(.*?)</h1>", page)
        return str(found)

    assert title() == WORDS["receipt.title@BILL_PAYMENT"].fa
    assert refuse(client, heard).status_code == 202
    assert title() == WORDS[heading].fa


def bodies(town: Shop) -> list[dict[str, Any]]:
    """Read every webhook that was sent."""
    return [json.loads(sent.body) for sent in town.callbacks.sent]


def test_what_is_wrong_is_said_as_a_problem(town: Shop, client: FlaskClient) -> None:
    """Another's signature, a bill that nobody paid, numbers that are none."""
    new_key(town.gateway, "20000202", secret=KEY)
    payment = opened(town, PHONE, WATER)
    town.pay(payment)
    town.work()
    (heard,) = [sent["data"] for sent in bodies(town) if sent["type"] == "bill.paid"]
    cases = {
        "refusal_not_signed": {"signature": "v1," + "A" * 43 + "="},
        "bill_not_found": {"tracking_code": "000000000000"},
        "invalid_bill": {"bill_id": "1"},
    }
    for code, changes in cases.items():
        refused = refuse(client, heard, **changes)
        check(PATH, "post", refused.status_code, refused.get_json())
        assert refused.get_json()["code"] == code


def test_every_state_of_a_refund_has_its_words_on_the_receipt() -> None:
    """The template asks for them by the published word."""
    assert {f"bill.refund.{word}" for word in OUTSIDE.values()} == {
        key for key in WORDS if key.startswith("bill.refund.")
    }
