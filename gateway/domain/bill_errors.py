"""Errors about bills; :mod:`gateway.domain.errors` draws the tree they belong to."""

from __future__ import annotations

import datetime as dt

from gateway.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound


class InvalidBill(InvalidInput):
    """A bill's number has the wrong length, check digit or amount; ``field`` and ``reason`` say which."""

    code = "invalid_bill"

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} has a wrong {reason}; copy it from the bill again")
        self.field = field
        self.reason = reason


class InvalidBills(InvalidInput):
    """There is no bill, there are too many, or one is there twice; ``reason`` says which."""

    code = "invalid_bills"
    field = "bills"

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason


class UnknownBiller(InvalidInput):
    """No biller is connected for the company that sent this bill."""

    code = "unknown_biller"
    field = "bills"


class BillNotFound(NotFound):
    """No bill of this biller was paid under the tracking code that it named."""

    code = "bill_not_found"


class RefusalNotSigned(NotAllowed):
    """A biller's no is not signed by one of its webhook secrets; nothing was changed."""

    code = "refusal_not_signed"


class BillAlreadyPaid(Conflict):
    """One of the bills was paid before, or is being paid at this moment; nothing was taken.

    Args:
        bill_id: which one; empty where another payment came first while this one was being submitted.
        paid_at: when, once its payment is through.
        tracking_code: of its receipt, once its payment is through.
    """

    code = "bill_already_paid"

    def __init__(
        self, bill_id: str = "", *, paid_at: dt.datetime | None = None, tracking_code: str | None = None
    ) -> None:
        super().__init__(f"bill {bill_id} is paid or being paid" if bill_id else "one of the bills is paid")
        self.bill_id = bill_id
        self.paid_at = paid_at
        self.tracking_code = tracking_code
