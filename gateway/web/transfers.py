"""The page ``GET|POST /transfer``: two cards and an amount, then whose card it is and the payment page.

The answer to a submission is the payment page itself, with the source card's number in its field: it stands in this
answer only (D29).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from http import HTTPStatus

from flask import Blueprint, abort, make_response, request
from werkzeug.wrappers import Response as AnyResponse

from foundation.digits import only_digits, to_ascii_digits
from foundation.pan import InvalidPan, Pan
from foundation.rial import Rial
from gateway.domain.errors import InvalidAmount, RealCardInSandbox, UnknownIssuer
from gateway.domain.transfer_errors import InvalidDestination, TooManyHolderQuestions, TransferLimit
from gateway.services.show_page import page_of
from gateway.services.transfers import PAGE, open_own, own_terminal
from gateway.web.failures import slow_floods
from gateway.web.forms import Typed
from gateway.web.headers import guard
from gateway.web.outcomes import Message
from gateway.web.rendering import gateway_of_app, payment_page, transfer_page

blueprint = Blueprint("transfers", __name__)
blueprint.before_request(slow_floods)
blueprint.after_request(guard)

OPENED_PER_MINUTE = 20
"""Transfers that one address may begin: more than anybody types."""

FIELDS = ("pan", "destination_pan", "amount")
TYPED_MOST = 40
_AMOUNT = re.compile(r"[0-9]{1,15}")
_BETWEEN = re.compile("[\\s,.\u066b\u066c\u060c\u200c]")
_GROUP = 4

Refused = (
    InvalidDestination, TransferLimit, TooManyHolderQuestions, InvalidAmount, UnknownIssuer, RealCardInSandbox,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What was typed, as the domain's values."""

    source: Pan
    destination: Pan
    amount: Rial


@blueprint.before_request
def only_where_offered() -> None:
    """Say that there is no such page where this gateway takes no transfers."""
    if own_terminal(gateway_of_app()) is None:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Show an empty form."""
    return make_response(transfer_page())


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Ask whose card the destination is and answer with the payment page, or say what to put right."""
    gateway, wanted = gateway_of_app(), _read()
    if isinstance(wanted, tuple):
        return _again(*wanted)
    if not gateway.flood.allow(f"transfer {request.remote_addr}", OPENED_PER_MINUTE, per_seconds=60):
        abort(HTTPStatus.TOO_MANY_REQUESTS)
    try:
        opened = open_own(gateway, wanted.source, wanted.destination, wanted.amount)
    except Refused as error:
        return _again(_message(error))
    typed = Typed(pan=_grouped(only_digits(_typed()["pan"])))
    return make_response(payment_page(page_of(gateway, opened.page_token), typed=typed))


def _read() -> _Wanted | tuple[Message, ...]:
    typed, mistakes = _typed(), []
    cards: list[Pan] = []
    for place, words in (("pan", "pan"), ("destination_pan", "transfer.destination")):
        try:
            cards.append(Pan.parse(typed[place]))
        except InvalidPan as invalid:
            mistakes.append(Message(f"{words}.{invalid.reason}", place=place))
    digits = _BETWEEN.sub("", typed["amount"])
    if not _AMOUNT.fullmatch(digits):
        mistakes.append(Message("transfer.amount.form", place="amount"))
    return tuple(mistakes) if mistakes else _Wanted(cards[0], cards[1], Rial(int(digits)))


def _typed() -> dict[str, str]:
    return {name: to_ascii_digits(request.form.get(name, "")).strip()[:TYPED_MOST] for name in FIELDS}


def _again(*mistakes: Message) -> AnyResponse:
    typed = _typed()
    shown = {name: _grouped(only_digits(typed[name])[:16]) for name in ("pan", "destination_pan")}
    page = transfer_page(mistakes=mistakes, typed=shown | {"amount": typed["amount"]})
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)


def _grouped(digits: str) -> str:
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def _message(error: Exception) -> Message:
    match error:
        case InvalidDestination(reason=str(reason)):
            return Message(f"transfer.destination.{reason}", place="destination_pan")
        case TransferLimit(limit=str(limit)):
            return Message(f"transfer.limit.{limit}", place="amount")
        case TooManyHolderQuestions():
            return Message("transfer.too_many", "warn")
        case InvalidAmount():
            return Message("transfer.amount.form", place="amount")
        case RealCardInSandbox():
            return Message("pan.real", place="pan")
        case _:
            return Message("pan.unknown_issuer", place="pan")
