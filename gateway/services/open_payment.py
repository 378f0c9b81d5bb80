"""A merchant opens a purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from foundation.rial import Rial
from gateway.domain import limits
from gateway.domain.errors import DuplicateOrder, InvalidOrderId, RequestInProgress
from gateway.domain.fees import purchase_fee
from gateway.domain.references import is_order_id, new_page_token, new_payment_id, new_reference
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, first_answer, kept_under
from gateway.services.idempotency import Idempotency as Idempotency
from gateway.store import payments
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import OrderTaken
from gateway.store.payments import PaymentRecord as PaymentRecord


class Opening(Protocol):
    """What every payment is opened with, whatever it is for."""

    @property
    def order_id(self) -> str: ...  # noqa: D102 - a field
    @property
    def callback_url(self) -> str: ...  # noqa: D102 - a field
    @property
    def description(self) -> str | None: ...  # noqa: D102 - a field
    @property
    def mobile(self) -> str | None: ...  # noqa: D102 - a field


@dataclass(frozen=True, slots=True)
class OpenPurchase:
    """What a merchant asks for."""

    amount: Rial
    order_id: str
    callback_url: str
    description: str | None = None
    mobile: str | None = None


def open_payment(
    gateway: Gateway, caller: Caller, purchase: OpenPurchase, idempotency: Idempotency | None
) -> PaymentRecord:
    """Open a payment and return it; the same key with the same body returns the first answer.

    Raises:
        InvalidAmount, InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
        IdempotencyMismatch: the key was used for another request.
        RequestInProgress: a request with this key, or for this order, is being carried out.
        DuplicateOrder: the terminal has a live payment for this order (D42).
    """
    values = values_of(gateway, caller, purchase, purchase.amount) | kept_under(idempotency)
    try:
        with gateway.database.single() as connection:
            return payments.open_payment(connection, values)
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, OrderTaken):
        pass
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return PaymentRecord.of(answer)
        raise DuplicateOrder(payments.of_order(connection, caller.terminal_id, purchase.order_id) or "a payment")


def values_of(gateway: Gateway, caller: Caller, wanted: Opening, amount: Rial | None) -> dict[str, object]:
    """Check what was asked for and return the row of a new payment; no ``amount`` leaves it to whoever pays.

    Raises:
        InvalidAmount, InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
    """
    if not is_order_id(wanted.order_id):
        raise InvalidOrderId("order_id takes 1 to 64 letters, digits and ._-")
    https_only = gateway.settings.mode == "live"
    return drawn(gateway, caller) | {
        "order_id": wanted.order_id,
        "amount_rial": 0 if amount is None else limits.check_amount(amount).amount,
        "fee_rial": purchase_fee(gateway.directory.today()).amount,
        "description": limits.check_description(wanted.description),
        "mobile": limits.check_mobile(wanted.mobile),
        "callback_url": limits.check_callback(wanted.callback_url, site=caller.site, https_only=https_only),
    }


def drawn(gateway: Gateway, caller: Caller) -> dict[str, object]:
    """Return what every new payment of this terminal gets, whatever it is for: its names, and how long it may take."""
    return {
        "payment_id": new_payment_id(),
        "page_token": new_page_token(),
        "terminal_id": caller.terminal_id,
        "reference": new_reference(),
        "page_seconds": gateway.settings.page_seconds,
        "confirm_window_seconds": gateway.settings.confirm_window_seconds,
    }
