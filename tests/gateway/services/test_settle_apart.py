"""A merchant is paid out whatever becomes of others, and however many payments nobody is paid for (I13, D11)."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, TextClause, text
from structlog.testing import capture_logs

from gateway.services import settle as service
from gateway.services.settle import settle
from gateway.store import payables, settlements
from tests.fakes.clearing import Clearing
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_bills import PHONE, PHONE_CO, WATER, WATER_CO
from tests.gateway.services.test_bills import town as town
from tests.gateway.services.test_settle import WEEK, matched
from tests.gateway.services.test_settle import paid_to as paid_to
from tests.gateway.services.test_settle_bills import billers as billers
from tests.gateway.services.test_settle_bills import lines, next_week, paid

CLOSED = "SELECT closed_at IS NOT NULL, lines FROM settlement_batch ORDER BY batch_id"
TRANSFERS = """
INSERT INTO payment (payment_id, page_token, kind, payee_key, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
  callback_url, reference, state, page_expires_at, confirm_window_seconds, authorised_at, confirmed_at, tracking_code,
  rrn, card_token, pan_masked)
SELECT 'pay_' || n, 'token' || n, 'CARD_TRANSFER', repeat('0', 64), '00000001', '000000000000001', 'bulk-' || n,
  10000, 0, 'http://localhost:8200', translate(lpad(n::text, 16, '0'), '0189', 'ABCD'), 'confirmed', now(), 900, now(),
  now(), (10000000000000 + n)::text, lpad(n::text, 12, '0'), 'card_' || lpad(n::text, 32, '0'), '999002******0000'
FROM generate_series(1, 3000) AS n
"""


@pytest.fixture
def phone_fails(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The database says no to whatever is asked about the telephone company; undone by ``undo``."""
    due = settlements.due

    def fail(connection: Connection, merchant_id: str, *args: Any, **named: Any) -> Any:
        if merchant_id == PHONE_CO:
            connection.exec_driver_sql("SELECT 1 / 0")
        return due(connection, merchant_id, *args, **named)

    monkeypatch.setattr(service.settlements, "due", fail)
    return monkeypatch


@pytest.mark.usefixtures("billers")
def test_i13_a_merchant_that_cannot_be_settled_is_tried_again_and_holds_up_nobody(
    town: Shop, phone_fails: pytest.MonkeyPatch
) -> None:
    """The waterworks come after it and have their line; the batch waits, and the next sweep finishes it."""
    matched(town, Clearing(town), paid(town, PHONE, WATER))

    assert settle(town.gateway) == 1
    assert (lines(town), town.rows(CLOSED)) == ([(WATER_CO, 10_000)], [(False, None)])

    phone_fails.undo()
    assert settle(town.gateway) == 1
    assert (lines(town), town.rows(CLOSED)) == ([(PHONE_CO, 17_000), (WATER_CO, 10_000)], [(True, 2)])


@pytest.mark.usefixtures("billers")
def test_i13_a_batch_does_not_wait_for_ever_for_a_merchant(town: Shop, phone_fails: pytest.MonkeyPatch) -> None:
    """After half an hour it is closed without, and says so; what was left is in the next."""
    matched(town, Clearing(town), paid(town, PHONE, WATER))
    assert settle(town.gateway) == 1

    town.later(WEEK + 31 * 60)
    with capture_logs() as logs:
        assert settle(town.gateway) == 0

    assert town.rows(CLOSED) == [(True, 1)]
    (said,) = [line for line in logs if line["log_level"] == "error"]
    assert (said["event"], said["merchants"]) == ("merchants_left_out", [PHONE_CO])
    phone_fails.undo()
    assert next_week(town, 2) == 1
    assert town.rows(CLOSED) == [(True, 1), (True, 1)]
    assert town.balances() == {"issuer:two": -27_000, "bank:settlement": 27_000}


STATEMENTS = {
    "merchants": settlements._MERCHANTS,  # noqa: SLF001 - how it is carried out is what is looked at
    "due": settlements._HOLD_DUE,  # noqa: SLF001 - as above
    "spendable": payables._SPENDABLE,  # noqa: SLF001 - as above
}


@pytest.mark.usefixtures("paid_to")
@pytest.mark.parametrize("statement", STATEMENTS.values(), ids=STATEMENTS)
def test_transfers_that_stay_confirmed_are_not_walked_through(shop: Shop, statement: TextClause) -> None:
    """EXPLAIN ANALYZE with three thousand: none of them is read to find that nothing is due or spoken for."""
    shop.change(TRANSFERS)
    shop.change("ANALYZE payment")
    values: dict[str, Any] = {
        "merchant_id": MERCHANT.merchant_id,
        "cut_off_at": "2100-01-01",
        "at": "2100-01-01",
        "after": "",
    }
    values |= {"reverse_window_seconds": 1_800, "most": 200, "payments": []}

    with shop.owner.single() as connection:
        rows = connection.execute(text(f"EXPLAIN (ANALYZE, COSTS false) {statement.text}"), values)
        plan = "\n".join(row[0] for row in rows)

    assert "rows=3000" not in plan, plan
    assert "Rows Removed by Filter: 3000" not in plan, plan
