"""The ledger: which accounts each event moves money between. Money moves by append; a correction is the inverse.

Accounts are ``issuer:<id>`` (the bank owes us), ``pending:<merchant>`` (authorised, not confirmed),
``payable:<merchant>`` (we owe the merchant), ``refunding:<merchant>`` (left the merchant, on its way to the card),
``bank:settlement`` (paid out), ``fees``, ``suspense`` (money that came too late and goes back), and
``transfer-clearing`` (taken from one card, not yet given to another, or to a number). A posting takes from its source
and gives to its destination, so the sum over all accounts is zero by shape.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from foundation.rial import Rial
from gateway.domain.payment import PaymentEvent

NOTHING = Rial(0)


class Part(StrEnum):
    """Which sum of a payment a movement carries; of what a merchant keeps the charge is ours, the net is paid out."""

    AMOUNT = "amount"
    FEE = "fee"
    TOTAL = "total"
    CHARGE = "charge"
    NET = "net"


@dataclass(frozen=True, slots=True)
class Movement:
    """One row of a plan; ``{issuer}`` and ``{merchant}`` are the payment's own, ``{payee}`` a destination's issuer."""

    source: str
    destination: str
    part: Part


@dataclass(frozen=True, slots=True)
class Posting:
    """One movement of money; never zero."""

    source: str
    destination: str
    amount: Rial


_INTO_CLEARING = (
    Movement("issuer:{issuer}", "transfer-clearing", Part.AMOUNT),
    Movement("issuer:{issuer}", "fees", Part.FEE),
)
_BACK_TO_THE_SAME_BANK = Movement("transfer-clearing", "issuer:{issuer}", Part.AMOUNT)

PLANS: dict[PaymentEvent, tuple[Movement, ...]] = {
    PaymentEvent.ATTEMPT_APPROVED: (
        Movement("issuer:{issuer}", "pending:{merchant}", Part.AMOUNT),
        Movement("issuer:{issuer}", "fees", Part.FEE),
    ),
    PaymentEvent.ATTEMPT_COMPLETED: (
        Movement("issuer:{issuer}", "payable:{merchant}", Part.AMOUNT),
        Movement("issuer:{issuer}", "fees", Part.FEE),
    ),
    PaymentEvent.DEBIT_APPROVED: _INTO_CLEARING,
    PaymentEvent.TRANSFER_MOVED: (*_INTO_CLEARING, _BACK_TO_THE_SAME_BANK),
    PaymentEvent.TRANSFER_STOOD: (*_INTO_CLEARING, _BACK_TO_THE_SAME_BANK),
    PaymentEvent.CREDIT_GIVEN: (Movement("transfer-clearing", "issuer:{payee}", Part.AMOUNT),),
    PaymentEvent.TOP_UP_DELIVERED: (Movement("transfer-clearing", "payable:{merchant}", Part.AMOUNT),),
    PaymentEvent.BALANCE_TOLD: (Movement("issuer:{issuer}", "fees", Part.FEE),),
    PaymentEvent.PAYEE_CONFIRMED: (Movement("pending:{merchant}", "payable:{merchant}", Part.AMOUNT),),
    PaymentEvent.SETTLED_IN_BATCH: (
        Movement("payable:{merchant}", "bank:settlement", Part.NET),
        Movement("payable:{merchant}", "fees", Part.CHARGE),
    ),
    PaymentEvent.APPROVED_TOO_LATE: (Movement("issuer:{issuer}", "suspense", Part.TOTAL),),
    PaymentEvent.LATE_APPROVAL: (Movement("issuer:{issuer}", "suspense", Part.TOTAL),),
    PaymentEvent.REFUND_REQUESTED: (
        Movement("payable:{merchant}", "refunding:{merchant}", Part.AMOUNT),
        Movement("fees", "refunding:{merchant}", Part.FEE),
    ),
    PaymentEvent.REFUND_DONE: (Movement("refunding:{merchant}", "issuer:{issuer}", Part.TOTAL),),
    PaymentEvent.REFUND_REFUSED: (
        Movement("refunding:{merchant}", "payable:{merchant}", Part.AMOUNT),
        Movement("refunding:{merchant}", "fees", Part.FEE),
    ),
}
"""Events that move money forward; of several bills each by itself, its biller in the merchant's place; of a
top-up the operator is in it.

An accepted reversal posts the inverse of all its attempt posted, fee included. Amount and fee of a refund are its own:
the fee goes back with a refund that is the whole payment, otherwise it stays."""


def postings(
    event: PaymentEvent,
    *,
    amount: Rial,
    fee: Rial,
    charge: Rial = NOTHING,
    **holders: str,
) -> tuple[Posting, ...]:
    """Return what ``event`` posts for a payment of ``amount`` and ``fee``; nothing for an event without a plan.

    ``charge`` is what the merchant pays us when ``amount`` is paid out to it; ``holders`` are those that the plan
    names: ``issuer``, ``merchant``, and ``payee``, the issuer of a transfer's destination.
    """
    parts = {Part.AMOUNT: amount, Part.FEE: fee, Part.TOTAL: amount + fee}
    sums = parts | {Part.CHARGE: charge, Part.NET: amount - charge}
    rows = (
        Posting(move.source.format(**holders), move.destination.format(**holders), sums[move.part])
        for move in PLANS.get(event, ())
    )
    return tuple(row for row in rows if row.amount)


def inverse(rows: Iterable[Posting]) -> tuple[Posting, ...]:
    """Return the postings that undo ``rows``, last first."""
    return tuple(Posting(row.destination, row.source, row.amount) for row in reversed(tuple(rows)))


def balances(rows: Iterable[Posting]) -> dict[str, int]:
    """Return the balance of every account that ``rows`` touch, in rials."""
    found: dict[str, int] = {}
    for row in rows:
        found[row.source] = found.get(row.source, 0) - row.amount.amount
        found[row.destination] = found.get(row.destination, 0) + row.amount.amount
    return found
