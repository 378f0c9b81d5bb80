"""What of its payable a merchant's refunds and payouts may take: nothing that can still leave it another way.

A reversal looks at no floor: the bank is told to give the money back, and does (D2). And of money about which the books
differ nobody knows whether it is there. What a merchant's payable holds of either is spoken for, and so is no part of
what other payments are refunded or paid out with.

Whoever spends holds the account first (:func:`gateway.store.balances.lock`) and asks in one statement (D4): confirming
a payment and giving one back change the balance and what is spoken for at once.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, text

from gateway.store.balances import balance_of
from gateway.store.bills import GIVEN_BACK

_KEPT_OF_PURCHASE = """SELECT other.payment_id, 0 AS bill, other.amount_rial - other.refunded_rial AS rial
    FROM payment AS other WHERE other.merchant_id = :merchant_id AND other.kind = 'PURCHASE'"""
_MAY_BE_REVERSED = f"""{_KEPT_OF_PURCHASE} AND other.state = 'confirmed' AND other.returned_rial = 0
      AND other.confirmed_at > (SELECT house_now() - make_interval(secs => :reverse_window_seconds + 60))"""
"""For a minute more than the window, for whoever is just doing it. While no refund of the payment was given, the bank
may refuse all that were asked for, and then all of it can go back."""
_IS_REVERSED = f"{_KEPT_OF_PURCHASE} AND other.state IN ('reversing', 'disputed') AND other.confirmed_at IS NOT NULL"

_DIFFERS = """clearing_exception AS found JOIN attempt USING (attempt_id)
      JOIN payment AS other ON other.payment_id = attempt.payment_id AND other.attempt_id = attempt.attempt_id"""
_PURCHASE_DIFFERS = f"""SELECT other.payment_id, 0, other.amount_rial - other.refunded_rial FROM {_DIFFERS}
    WHERE NOT found.settle AND other.merchant_id = :merchant_id AND other.kind = 'PURCHASE'
      AND other.state = 'confirmed'"""
_BILL_DIFFERS = f"""SELECT bill.payment_id, bill.number, bill.amount_rial FROM {_DIFFERS}
      JOIN bill ON bill.payment_id = other.payment_id
    WHERE NOT found.settle AND bill.biller_id = :merchant_id AND bill.owed AND NOT {GIVEN_BACK}"""
_TOP_UP_DIFFERS = f"""SELECT other.payment_id, 0, other.amount_rial FROM {_DIFFERS}
      JOIN top_up ON top_up.payment_id = other.payment_id
    WHERE NOT found.settle AND top_up.operator_merchant_id = :merchant_id AND other.state = 'confirmed'"""

_SPOKEN_FOR = f"""{_MAY_BE_REVERSED}
    UNION {_IS_REVERSED}
    UNION {_PURCHASE_DIFFERS}
    UNION {_BILL_DIFFERS}
    UNION {_TOP_UP_DIFFERS}"""
"""Rows of a payment, a bill's number and rials; UNION, because one payment may be there for two reasons."""


def spendable_of(but: str) -> str:
    """Return what may be taken from ``payable:`` of ``:merchant_id``, an SQL expression, in rials.

    ``but`` is a condition on ``spoken``: of which payments the money is not spoken for, being what is asked about.
    """
    return f"""({balance_of("'payable:' || CAST(:merchant_id AS text)")}
    - (SELECT coalesce(sum(spoken.rial), 0) FROM ({_SPOKEN_FOR}) AS spoken WHERE NOT ({but})))"""


_SPENDABLE = text(f"""
SELECT CAST({spendable_of("spoken.payment_id = ANY(CAST(:payments AS text[]))")} AS bigint)
""")


def spendable(connection: Connection, merchant_id: str, payments: Sequence[str], *, reverse_window_seconds: int) -> int:
    """Return how many rials a merchant may be paid now for held ``payments`` that are due; its payable is locked."""
    values = {"merchant_id": merchant_id, "payments": payments, "reverse_window_seconds": reverse_window_seconds}
    return int(connection.execute(_SPENDABLE, values).scalar_one())
