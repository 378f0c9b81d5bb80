"""A merchant asks for a transfer; whoever opens its page says which card pays, and to whom where that is left open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain.errors import DuplicateOrder, PaymentNotFound, RequestInProgress
from gateway.domain.references import new_reference
from gateway.domain.transfer import DaySoFar, Limit, limits_on, outside
from gateway.domain.transfer_errors import DestinationNotFound, InvalidDestination, PayeeFixed, TransferLimit
from gateway.ports import Kind
from gateway.services.destinations import open_saved, saving
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, kept_under
from gateway.services.open_payment import values_of
from gateway.services.payee import Sending, payee_of
from gateway.services.read_payment import Position, page_of_records
from gateway.services.show_page import why_not
from gateway.store import lists, payments
from gateway.store import transfer_requests as store
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import OrderTaken
from gateway.store.transfer_requests import Fixed
from gateway.store.transfer_requests import TransferRecord as TransferRecord

_NOT_SAVED: dict[str, object] = {"saving_token": None, "saving_sealed": None}


@dataclass(frozen=True, slots=True)
class AskTransfer:
    """What a merchant asks for; amount and destination are left to whoever pays where they are ``None``.

    Args:
        destination_token: of a saved destination of this merchant.
    """

    order_id: str
    callback_url: str
    amount: Rial | None = None
    destination_token: str | None = None
    description: str | None = None
    mobile: str | None = None


@dataclass(frozen=True, slots=True)
class Naming:
    """What was typed on the page of an asked transfer; what the merchant fixed is not looked at.

    Args:
        save: the payer wants the merchant to keep this destination once the transfer is complete.
        answered: the payer has answered a challenge.
    """

    source: Pan
    destination: Pan | None = None
    amount: Rial | None = None
    save: bool = False
    answered: bool = False


@dataclass(frozen=True, slots=True)
class TransferPage:
    """Some transfers of a list, and where the next page begins; ``None`` at the end of the list."""

    records: list[TransferRecord]
    next: Position | None


def ask_transfer(
    gateway: Gateway, caller: Caller, wanted: AskTransfer, idempotency: Idempotency | None
) -> TransferRecord:
    """Open a transfer whose page asks for what is missing; the same key with the same body gets the first answer.

    Raises:
        TransferLimit: the amount is outside the limits of one transfer.
        DestinationNotFound: the merchant has no saved destination under this token.
        InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
        IdempotencyMismatch, RequestInProgress, DuplicateOrder: as for a purchase.
    """
    if wanted.amount is not None:
        _check_amount(gateway, wanted.amount)
    values = values_of(gateway, caller, wanted, wanted.amount) | kept_under(idempotency)
    taken = False
    try:
        with gateway.database.single() as connection:
            opened = store.open_request(connection, values | {"destination_token": wanted.destination_token})
        if opened is not None:
            return opened
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, OrderTaken):
        taken = True
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return TransferRecord.of(answer)
        if not taken:
            raise DestinationNotFound("your merchant has no saved destination with this token")
        raise DuplicateOrder(payments.of_order(connection, caller.terminal_id, wanted.order_id) or "a payment")


def name_payee(gateway: Gateway, page_token: str, typed: Naming) -> None:
    """Ask whose card the destination is and let the page's transfer be to it; possible again until a card is submitted.

    Raises:
        PaymentNotFound: no merchant asked for a transfer at this page.
        DestinationNotFound: the saved destination was deleted meanwhile.
        InvalidDestination, UnknownIssuer, RealCardInSandbox, TransferLimit, HolderQuestionChallenged,
            TooManyHolderQuestions: as :func:`gateway.services.payee.payee_of`.
        AttemptInProgress, NotPossible: the payment is not open, or its time is over.
        PayeeFixed: a card was submitted already.
    """
    with gateway.database.single() as connection:
        fixed = store.of_page(connection, page_token)
    if fixed is None:
        raise PaymentNotFound
    sending = Sending(typed.source, _destination(gateway, fixed, typed), _amount(fixed, typed), typed.answered)
    values = payee_of(gateway, fixed.terminal_id, fixed.payment_id, sending)
    saved = saving(gateway, fixed.merchant_id, sending.destination) if typed.save else _NOT_SAVED
    own = {"payment_id": fixed.payment_id, "reference": new_reference()}
    with gateway.database.single() as connection:
        named = store.name_payee(connection, values | saved | own)
    if not named:
        raise why_not(gateway, page_token, PayeeFixed)


def get_transfer(gateway: Gateway, caller: Caller, payment_id: str) -> TransferRecord:
    """Return one transfer of the caller's terminal.

    Raises:
        PaymentNotFound: it has none with this id.
    """
    with gateway.database.begin() as connection:
        record = payments.get(connection, caller.terminal_id, payment_id)
        found = store.destinations_of(connection, [payment_id])
    if record is None or payment_id not in found:
        raise PaymentNotFound("your terminal has no transfer with this id")
    return TransferRecord(record, found[payment_id])


def list_transfers(
    gateway: Gateway, caller: Caller, filters: Mapping[str, Any], *, after: Position | None = None, most: int = 100
) -> TransferPage:
    """Return the caller's transfers that pass every filter, newest first."""
    with gateway.database.begin() as connection:
        found = lists.newest_first(
            connection, caller.terminal_id, filters, after=after, most=most + 1, kind=Kind.CARD_TRANSFER
        )
        destinations = store.destinations_of(connection, [record.payment_id for record in found])
    page = page_of_records(found, most, lambda record: record.created_at)
    records = [TransferRecord(record, destinations.get(record.payment_id)) for record in page.records]
    return TransferPage(records, page.next)


def _check_amount(gateway: Gateway, amount: Rial) -> None:
    limit = outside(amount, DaySoFar(), limits_on(gateway.directory.today()))
    if limit is not None:
        raise TransferLimit(limit)


def _amount(fixed: Fixed, typed: Naming) -> Rial:
    if fixed.amount_rial is not None:
        return Rial(fixed.amount_rial)
    if typed.amount is None:
        raise TransferLimit(Limit.LEAST)
    return typed.amount


def _destination(gateway: Gateway, fixed: Fixed, typed: Naming) -> Pan:
    if fixed.destination_token is not None:
        return open_saved(gateway, fixed.merchant_id, fixed.destination_token)
    if typed.destination is None:
        raise InvalidDestination("length")
    return typed.destination
