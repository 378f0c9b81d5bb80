"""What was written of money and of approvals stays as it was written, even for the owner of the tables (D39)."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from tests.fakes.shop import Shop

COLUMN = {
    "posting": "amount_rial",
    "payment_event": "state",
    "ledger_seal": "key_id",
    "audit_entry": "reason",
    "audit_seal": "key_id",
}
VERBS = ("UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE")


@pytest.mark.parametrize("table", COLUMN)
@pytest.mark.parametrize("verb", VERBS)
def test_d39_what_is_append_only_refuses_its_owner_and_the_application(shop: Shop, table: str, verb: str) -> None:
    """A missing right, and behind it a trigger that no right opens."""
    statement = verb.format(table, COLUMN[table])
    with pytest.raises(DBAPIError, match="append-only"):
        shop.change(statement)
    with pytest.raises(DBAPIError, match="permission denied"), shop.gateway.database.single() as connection:
        connection.exec_driver_sql(statement)


ASK = """
INSERT INTO approval_request (asks, subject, maker, reason, facts, before_digest, asked_at, expires_at)
SELECT 'iban.add', 'one', 'sara', 'a new account', '{}', sha256('x'), now, now + interval '24 hours'
FROM (SELECT house_now() AS now) AS clock
"""
APPROVE = "UPDATE approval_request SET checker = 'ali', approved_at = house_now(), approved_digest = before_digest"
LAPSE = "UPDATE approval_request SET lapsed_at = house_now()"
UNDO = "UPDATE approval_request SET checker = NULL, approved_at = NULL, approved_digest = NULL, lapsed_at = NULL"


@pytest.mark.parametrize("end", [APPROVE, LAPSE])
def test_d35_an_approval_is_given_or_lapses_once(shop: Shop, end: str) -> None:
    """D35: what was asked never changes, nor what became of it, nor does it go away; not even by the owner."""
    shop.change(ASK)
    verbs = [verb.format("approval_request", "facts") for verb in VERBS]
    for statement in ("UPDATE approval_request SET maker = 'reza'", *verbs):
        with pytest.raises(DBAPIError, match="append-only"):
            shop.change(statement)

    shop.change(end)

    for statement in (UNDO, APPROVE, LAPSE):
        with pytest.raises(DBAPIError, match="append-only"):
            shop.change(statement)


@pytest.mark.parametrize("table", ["settlement_batch", "settlement_payout", "settlement_line"])
def test_i13_no_batch_is_emptied(shop: Shop, table: str) -> None:
    """I13: all rows at once are refused like each."""
    with pytest.raises(DBAPIError, match="closed batch never changes"):
        shop.change(f"TRUNCATE {table} CASCADE")
