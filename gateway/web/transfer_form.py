"""The forms of a transfer's beginning: two cards and an amount as typed, and what is said of mistakes in them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

from flask import request

from foundation.digits import only_digits, to_ascii_digits
from foundation.pan import InvalidPan, Pan
from foundation.rial import Rial
from gateway.domain.errors import InvalidAmount, RealCardInSandbox, UnknownIssuer
from gateway.domain.transfer_errors import (
    DestinationNotFound,
    HolderQuestionChallenged,
    InvalidDestination,
    TooManyHolderQuestions,
    TransferLimit,
)
from gateway.web.challenges import challenge_message
from gateway.web.outcomes import Message

FIELDS = ("pan", "destination_pan", "amount")
TYPED_MOST = 40
_AMOUNT = re.compile(r"[0-9]{1,15}")
_BETWEEN = re.compile("[\\s,.\u066b\u066c\u060c\u200c]")
_GROUP = 4

REFUSED = (
    InvalidDestination, DestinationNotFound, TransferLimit, HolderQuestionChallenged, TooManyHolderQuestions,
    InvalidAmount, UnknownIssuer, RealCardInSandbox,
)  # fmt: skip
"""Errors after which the form is shown again; :func:`message_of` says what to do."""

_MESSAGES: dict[type[Exception], Message] = {
    DestinationNotFound: Message("transfer.destination.gone"),
    TooManyHolderQuestions: Message("transfer.too_many", "warn"),
    InvalidAmount: Message("transfer.amount.form", place="amount"),
    RealCardInSandbox: Message("pan.real", place="pan"),
    UnknownIssuer: Message("pan.unknown_issuer", place="pan"),
}


@dataclass(frozen=True, slots=True)
class Read:
    """What was typed, as the domain's values; ``None`` is what was not asked for, or is a mistake."""

    source: Pan | None
    destination: Pan | None
    amount: Rial | None
    mistakes: tuple[Message, ...]


def read_form(asked: Collection[str] = FIELDS) -> Read:
    """Read the fields that the form had."""
    typed, mistakes = _typed(), list[Message]()
    cards: dict[str, Pan] = {}
    for place, words in (("pan", "pan"), ("destination_pan", "transfer.destination")):
        if place in asked:
            try:
                cards[place] = Pan.parse(typed[place])
            except InvalidPan as invalid:
                mistakes.append(Message(f"{words}.{invalid.reason}", place=place))
    digits, amount = _BETWEEN.sub("", typed["amount"]), None
    if _AMOUNT.fullmatch(digits):
        amount = Rial(int(digits))
    elif "amount" in asked:
        mistakes.append(Message("transfer.amount.form", place="amount"))
    return Read(cards.get("pan"), cards.get("destination_pan"), amount, tuple(mistakes))


def shown_again() -> dict[str, str]:
    """Return what stands in the fields of the answer to this very request (D29)."""
    typed = _typed()
    shown = {name: grouped(typed[name]) for name in ("pan", "destination_pan")}
    return shown | {"amount": typed["amount"], "save": request.form.get("save", "")[:TYPED_MOST]}


def grouped(card: str) -> str:
    """Return the digits of a typed card number in groups of four."""
    digits = only_digits(card)[:16]
    return " ".join(digits[start : start + _GROUP] for start in range(0, len(digits), _GROUP))


def message_of(error: Exception) -> Message:
    """Say what one of :data:`REFUSED` means, and at which field."""
    match error:
        case InvalidDestination(reason=str(reason)):
            return Message(f"transfer.destination.{reason}", place="destination_pan")
        case TransferLimit(limit=str(limit)):
            return Message(f"transfer.limit.{limit}", place="amount")
        case HolderQuestionChallenged():
            return challenge_message("transfer.picture.needed")
        case _:
            return _MESSAGES[type(error)]


def _typed() -> dict[str, str]:
    return {name: to_ascii_digits(request.form.get(name, "")).strip()[:TYPED_MOST] for name in FIELDS}
