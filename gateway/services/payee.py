"""Who gets the money of a transfer: both banks, limits, fee, and the holder's masked name from the bank (D7, D28)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain import purposes
from gateway.domain.errors import RealCardInSandbox, UnknownIssuer
from gateway.domain.issuers import Issuer
from gateway.domain.limits import CHALLENGED_HOLDER_QUESTIONS, HOLDER_QUESTIONS, HolderShare
from gateway.domain.outcome import HolderNamed, HolderRefused, Unknown
from gateway.domain.transfer import card_name, limits_on, outside, transfer_fee
from gateway.domain.transfer_errors import (
    HolderQuestionChallenged,
    InvalidDestination,
    TooManyHolderQuestions,
    TransferLimit,
)
from gateway.ports import HolderInquiry
from gateway.services.gateway import Gateway
from gateway.services.take_card import issuer_of, pan_hash
from gateway.store import transfers as store
from gateway.store.transfers import Question

TOO_MANY_QUESTIONS = "121"
"""What a bank answers to more questions than it takes."""


@dataclass(frozen=True, slots=True)
class Sending:
    """Whose card pays, whose gets the money, and how much without the fee.

    Args:
        answered: whoever asks has answered a challenge.
    """

    source: Pan
    destination: Pan
    amount: Rial
    answered: bool = False


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both banks, and both cards as they are counted."""

    source: Issuer
    destination: Issuer
    source_hash: bytes
    destination_hash: bytes

    @property
    def inside(self) -> bool:
        """Tell whether the money stays behind one link: one message is enough then."""
        return self.source.link_id == self.destination.link_id


def payee_of(gateway: Gateway, terminal_id: str, payment_id: str, sending: Sending) -> dict[str, Any]:
    """Look at the limits, ask whose card the destination is, and return what a transfer's rows hold of all that.

    Raises:
        InvalidDestination: the source itself, no card that takes money, or a bank that does not answer.
        UnknownIssuer, RealCardInSandbox: the source card is not taken here.
        TransferLimit: the amount, or what the card has sent today, is outside the limits.
        HolderQuestionChallenged: so much was asked for one of these cards today that a challenge comes first (D28).
        TooManyHolderQuestions: even of those who answered one there were too many.
    """
    ends = _ends(gateway, sending)
    values = _values(gateway, payment_id, sending, ends)
    return values | {"holder_name": _holder(gateway, terminal_id, sending, ends)}


def open_destination(gateway: Gateway, payment_id: str, sealed: bytes) -> Pan:
    """Open a destination's card number; it opens for its own transfer only."""
    return Pan(gateway.keyring.open(sealed, bound_to=_place(payment_id)).decode())


def _place(payment_id: str) -> str:
    return f"transfer|pan|{payment_id}"


def _ends(gateway: Gateway, sending: Sending) -> _Ends:
    source = issuer_of(gateway, sending.source)
    source_hash, destination_hash = pan_hash(gateway, sending.source), pan_hash(gateway, sending.destination)
    if source_hash == destination_hash:
        raise InvalidDestination("same")
    try:
        destination = issuer_of(gateway, sending.destination)
    except UnknownIssuer:
        raise InvalidDestination("unknown_issuer") from None
    except RealCardInSandbox:
        raise InvalidDestination("real") from None
    return _Ends(source, destination, source_hash, destination_hash)


def _values(gateway: Gateway, payment_id: str, sending: Sending, ends: _Ends) -> dict[str, Any]:
    today = gateway.directory.today()
    with gateway.database.single() as connection:
        so_far = store.so_far(connection, ends.source_hash, ends.destination_hash)
    limit = outside(sending.amount, so_far, limits_on(today))
    if limit is not None:
        raise TransferLimit(limit)
    digits = sending.destination.reveal()
    return {
        "amount_rial": sending.amount.amount,
        "fee_rial": transfer_fee(sending.amount, today, inside=ends.inside).amount,
        "payee_key": gateway.keyring.mac(purposes.PAN_HASH, f"payee|{digits}".encode()).hex(),
        "payee_name": card_name(digits[-4:]),
        "inside": ends.inside,
        "source_hash": ends.source_hash,
        "destination_hash": ends.destination_hash,
        "destination_sealed": gateway.keyring.seal(purposes.ATTEMPT_PAN, digits.encode(), bound_to=_place(payment_id)),
        "destination_masked": sending.destination.masked,
        "destination_issuer_id": ends.destination.issuer_id,
    }


def _holder(gateway: Gateway, terminal_id: str, sending: Sending, ends: _Ends) -> str:
    """Ask the destination's bank for the holder's masked name; nothing is open meanwhile."""
    question = _question(gateway, terminal_id, ends, answered=sending.answered)
    asker = gateway.keyring.mac(purposes.PAN_HASH, f"asker|{sending.source.reveal()}".encode()).hex()
    inquiry = HolderInquiry(question.trace, question.merchant_id, sending.destination, asker)
    match gateway.switch.ask_holder(ends.destination, inquiry):
        case HolderNamed(name):
            return name
        case HolderRefused(action_code) if action_code == TOO_MANY_QUESTIONS:
            raise TooManyHolderQuestions
        case HolderRefused():
            raise InvalidDestination("refused")
        case Unknown():
            raise InvalidDestination("unavailable")


def _question(gateway: Gateway, terminal_id: str, ends: _Ends, *, answered: bool) -> Question:
    with gateway.database.begin() as connection:
        question = store.count_question(
            connection, terminal_id, source=ends.source_hash.hex(), destination=ends.destination_hash.hex()
        )
        if _above(question, CHALLENGED_HOLDER_QUESTIONS):
            raise TooManyHolderQuestions  # rolls the counts back
        if not answered and _above(question, HOLDER_QUESTIONS):
            raise HolderQuestionChallenged  # the same
    return question


def _above(question: Question, share: HolderShare) -> bool:
    return question.of_asker > share.of_asker or question.of_card > share.of_card
