"""What of a merchant's money is paid out, and how: in order, never more than is owed, every rial in one line (I13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.fees import ACQUIRING_FEES, AcquiringRow, acquiring_fee
from gateway.domain.iban import split

SETTLEMENT_ID_PATTERN = "^set_[0-9]{1,18}$"


@dataclass(frozen=True, slots=True)
class Owed:
    """Something a merchant may be paid for: a payment with what is kept of it, a bill, a top-up, or a payout come back.

    Args:
        payment_id: none for a payout that came back.
        bill: which bill of the payment, where the merchant is its biller; none for a purchase or a top-up.
        returned_payout: that payout's number.
        day: in Tehran, the day whose charge applies.
    """

    kept: Rial
    day: dt.date
    payment_id: str | None = None
    returned_payout: int | None = None
    bill: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch: gross is what is kept, the charge stays with us, the net is paid out."""

    owed: Owed
    charge: Rial

    @property
    def net(self) -> Rial:
        """What is paid out."""
        return self.owed.kept - self.charge


@dataclass(frozen=True, slots=True)
class Payout:
    """What one IBAN of a merchant gets from a batch."""

    merchant_id: str
    iban: str
    amount: Rial


def settlement_id(batch_id: int) -> str:
    """Return how merchants call their part of a batch."""
    return f"set_{batch_id}"


def number_of(settlement: str) -> int:
    """Return the number of the batch that a merchant calls so; its shape was checked."""
    return int(settlement.removeprefix("set_"))


def lines(owed: Iterable[Owed], spendable: int, table: tuple[AcquiringRow, ...] = ACQUIRING_FEES) -> tuple[Line, ...]:
    """Choose what is paid out now: in order, as long as what the merchant's payable has to spend covers it.

    A refund of a payment that was settled before has been taken from that; what it took waits for newer money.
    A payout that came back was charged before. Of nothing kept there is no line.
    """
    chosen = []
    for each in owed:
        if not each.kept:
            continue
        spendable -= each.kept.amount
        if spendable < 0:
            break
        charge = Rial(0) if each.payment_id is None else acquiring_fee(each.kept, each.day, table)
        chosen.append(Line(each, charge))
    return tuple(chosen)


def payouts(merchant_id: str, net: Rial, shares: Sequence[tuple[str, int]]) -> tuple[Payout, ...]:
    """Split what a merchant gets over its IBANs with their parts; together they get exactly that (D11)."""
    amounts = split(net, [parts for _, parts in shares])
    return tuple(Payout(merchant_id, iban, amount) for (iban, _), amount in zip(shares, amounts, strict=True) if amount)
