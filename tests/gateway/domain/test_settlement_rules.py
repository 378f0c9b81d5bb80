"""What is paid out, in which order, to whom, and how the bank's file says it: pure rules."""

from __future__ import annotations

import datetime as dt
import hashlib

from hypothesis import given
from hypothesis import strategies as st

from foundation.rial import Rial
from gateway.domain.fees import AcquiringRow
from gateway.domain.ledger import balances, postings
from gateway.domain.payment import PaymentEvent
from gateway.domain.payout_file import Order, as_csv, as_xml
from gateway.domain.settlement import Line, Owed, Payout, lines, number_of, payouts, settlement_id

DAY = dt.date(2026, 11, 29)
TARIFF = (AcquiringRow(dt.date(2025, 1, 1), 200, Rial(1_200), Rial(40_000)),)


def owed(rial: int, number: int = 1) -> Owed:
    """A payment of which so much is kept."""
    return Owed(Rial(rial), DAY, payment_id=f"pay_{number}")


def test_i13_lines_come_in_order_and_never_beyond_the_balance() -> None:
    """I13, D32: what the balance does not cover stops all that follow; of nothing kept there is no line."""
    asked = [owed(100_000), owed(0), owed(50_000), owed(80_000), owed(1)]

    chosen = lines(asked, 200_000, TARIFF)

    assert [line.owed.kept.amount for line in chosen] == [100_000, 50_000]
    assert [(line.charge.amount, line.net.amount) for line in chosen] == [(1_200, 98_800), (1_200, 48_800)]
    assert lines([owed(1)], 0) == ()
    assert lines([owed(1)], -5) == ()


def test_d11_a_payout_that_came_back_is_charged_nothing_again() -> None:
    """D11: what it was charged for was charged when it went out first."""
    back = Owed(Rial(98_800), DAY, returned_payout=7)

    assert lines([back], 98_800, TARIFF) == (Line(back, Rial(0)),)


@given(st.lists(st.integers(0, 10**9), max_size=20), st.integers(0, 10**10))
def test_i13_what_is_paid_and_charged_is_what_was_kept(kept: list[int], balance: int) -> None:
    """I13: no line makes or loses a rial, and all together stay within the balance."""
    chosen = lines([owed(rial, number) for number, rial in enumerate(kept)], balance, TARIFF)

    assert all(line.net + line.charge == line.owed.kept for line in chosen)
    assert sum(line.owed.kept.amount for line in chosen) <= balance


def test_d11_no_iban_is_paid_nothing() -> None:
    """D11: shares of nothing are left out; the rest is exact."""
    shares = [("IR1", 1), ("IR2", 10_000)]
    assert payouts("m", Rial(1), shares) == (Payout("m", "IR1", Rial(1)),)
    assert sum(one.amount.amount for one in payouts("m", Rial(99_999), shares)) == 99_999


def test_i1_a_settled_payment_leaves_nothing_payable() -> None:
    """I1, I13: what was kept goes to the bank but for the charge."""
    rows = postings(
        PaymentEvent.SETTLED_IN_BATCH, amount=Rial(250_000), fee=Rial(0), issuer="two", merchant="m", charge=Rial(1_200)
    )
    assert balances(rows) == {"payable:m": -250_000, "bank:settlement": 248_800, "fees": 1_200}


def test_a_settlement_is_called_by_its_batch() -> None:
    """There and back."""
    assert number_of(settlement_id(41)) == 41


def test_the_files_say_the_same_to_the_rial_and_a_cut_one_is_known() -> None:
    """Count, sum and SHA-256 in the CSV; count and sum in the XML; names are escaped."""
    orders = [Order(1, "000000000000001", 'الف & "ب" <پ>', "IR06", 10), Order(2, "000000000000002", "ج", "IR07", 32)]

    csv, xml = as_csv(41, DAY, orders), as_xml(41, DAY, orders)

    body, _, trailer = csv.removesuffix("\n").rpartition("\n")
    assert csv.splitlines()[0] == "pooya-settlement,1,41,20261129"
    digest = hashlib.sha256((body + "\n").encode()).hexdigest()
    assert trailer == f"trailer,2,42,{digest}"
    assert '<settlement version="1" batch="41" valueDay="2026-11-29" count="2" sum="42">' in xml
    assert '<transfer id="1" iban="IR06" rial="10">الف &amp; "ب" &lt;پ&gt;</transfer>' in xml
