"""What may stand in the way of a refund; part of the tree of :mod:`gateway.domain.errors`."""

from __future__ import annotations

from gateway.domain.errors import Conflict, NotPossible


class RefundsExist(NotPossible):
    """A part of the payment was refunded, so it cannot be reversed as a whole."""

    code = "refunds_exist"


class RefundNotOffered(Conflict):
    """A payment of this kind is not refunded here."""

    code = "refund_not_offered"


class RefundWindowOver(NotPossible):
    """The payment was paid too long ago: the card's number is not kept any more (D1)."""

    code = "refund_window_over"


class RefundAboveRest(Conflict):
    """The refund is more than what is left of the payment; nothing was changed. ``left`` is in rials."""

    code = "refund_above_rest"

    def __init__(self, left: int) -> None:
        super().__init__(f"{left} rials of this payment are left to refund")
        self.left = left


class RefundIdTaken(Conflict):
    """The terminal used this refund id for another payment or amount; nothing was changed."""

    code = "refund_id_taken"

    def __init__(self, payment_id: str, amount_rial: int) -> None:
        super().__init__(f"this refund id stands for {amount_rial} rials of {payment_id}")
        self.payment_id = payment_id


class PayableTooLow(Conflict):
    """The merchant is not owed what it wants to refund; nothing was changed."""

    code = "payable_too_low"


class TooManyRefunds(Conflict):
    """The payment has as many refunds as it may."""

    code = "too_many_refunds"
