"""A bank's clearing file, written from what the shop's gateway has in its books, and changed as a test wants it."""

from __future__ import annotations

import datetime as dt
import hashlib
from dataclasses import dataclass, field, replace

from gateway.domain.clearing import CLOSES_AFTER, COLUMNS
from gateway.services.open_payment import PaymentRecord
from tests.fakes.shop import Shop

ACQUIRER = "581672"


def days(count: int) -> int:
    """Return the seconds of so many days and of the minutes until a day's file is the last word.

    So many days are over then, and no more of them, at almost any hour that the tests run at.
    """
    return count * 86_400 + CLOSES_AFTER.seconds


@dataclass(frozen=True)
class Told:
    """One line that a bank tells."""

    key: tuple[str, ...]
    amount: int
    kind: str = "purchase"
    state: str = "approved"
    captured: dt.date | None = None

    def written(self, day: dt.date) -> str:
        """Write it for the file of ``day``."""
        captured = self.captured or day
        return ",".join((*self.key, self.kind, str(self.amount), f"{captured:%Y%m%d}", self.state))

    def but(self, **changes: object) -> Told:
        """Tell it otherwise."""
        return replace(self, **changes)  # type: ignore[arg-type]  # fields by name

    def undone(self, captured: dt.date) -> Told:
        """Tell that it was undone on a later day."""
        kind = "credit_reversal" if self.kind == "credit" else "reversal"
        return replace(self, kind=kind, state="reversed", captured=captured)


@dataclass
class Clearing:
    """The bank's side of one capture date: what it would tell of each payment."""

    shop: Shop
    day: dt.date = field(init=False)

    def __post_init__(self) -> None:
        self.day = self.shop.rows("SELECT CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date)")[0][0]

    def line(self, payment: PaymentRecord) -> Told:
        """Return the line of a payment's latest attempt."""
        row = self.shop.rows(
            "SELECT acquirer_id, terminal_id, stan, rrn, local_time, amount_rial + fee_rial FROM attempt "
            "WHERE payment_id = :payment_id ORDER BY number DESC LIMIT 1",
            payment_id=payment.payment_id,
        )[0]
        return Told(tuple(row[:5]), row[5])

    def credit(self, payment: PaymentRecord) -> Told:
        """Return the line of a transfer's credit, as its destination's bank tells it."""
        row = self.shop.rows(
            "SELECT acquirer_id, terminal_id, transfer.stan, transfer.rrn, transfer.local_time, amount_rial"
            " FROM transfer JOIN attempt USING (payment_id) WHERE payment_id = :payment_id ORDER BY number DESC",
            payment_id=payment.payment_id,
        )[0]
        return Told(tuple(row[:5]), row[5], kind="credit")

    def refund(self, payment: PaymentRecord) -> Told:
        """Return the line of a payment's refund."""
        row = self.shop.rows(
            "SELECT acquirer_id, terminal_id, stan, rrn, local_time, amount_rial + fee_rial FROM refund"
            " WHERE payment_id = :payment_id",
            payment_id=payment.payment_id,
        )[0]
        return Told(tuple(row[:5]), row[5], kind="credit")

    def capture(self, *, credits_on: dt.date | None = None) -> None:
        """Let every approval of the last two days name this day as its capture date; credits of transfers another."""
        days = {
            "attempt.submitted_at": self.day,
            "refund.asked_at": self.day,
            "transfer.owed_at": credits_on or self.day,
        }
        for at, day in days.items():
            self.shop.change(
                f"UPDATE {at.partition('.')[0]} SET capture_date = to_char(CAST(:day AS date), 'MMDD')"
                f" WHERE capture_date IS NOT NULL AND {at} > CAST(:today AS date) - interval '2 days'",
                day=day,
                today=self.day,
            )

    def written(self, *lines: Told, day: dt.date | None = None, acquirer: str = ACQUIRER) -> bytes:
        """Write the file of the day."""
        when = day or self.day
        rows = [line.written(when) for line in lines]
        body = "".join(f"{row}\n" for row in (f"pooya-clearing,1,{when:%Y%m%d},{acquirer}", COLUMNS, *rows))
        total = sum(line.amount for line in lines)
        digest = hashlib.sha256(body.encode()).hexdigest()
        return f"{body}trailer,{len(rows)},{total},{digest}\n".encode()
