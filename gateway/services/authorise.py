"""The shopper pays: record the intent, ask the issuer for the money, record the answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import SQLAlchemyError

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.domain import purposes
from gateway.domain.bill_errors import BillAlreadyPaid
from gateway.domain.card import CardEntry
from gateway.domain.declines import DECLINES, Decline
from gateway.domain.errors import InvalidCard, TooManyAttempts
from gateway.domain.issuers import Issuer
from gateway.domain.limits import ATTEMPTS_MAX
from gateway.domain.outcome import Approved, AuthorisationAnswer, Balance, Declined, Unknown
from gateway.domain.payment import PaymentState
from gateway.domain.references import new_attempt_id
from gateway.domain.transfer import Consent
from gateway.ports import AuthorisationRequest, Trace
from gateway.services import transfers
from gateway.services.gateway import Gateway
from gateway.services.order import order_of
from gateway.services.pause_issuer import unless_paused
from gateway.services.payee import open_destination
from gateway.services.record_outcome import approved, pan_place
from gateway.services.show_page import page_of, why_not
from gateway.services.take_card import issuer_of, pan_hash
from gateway.store import approvals, attempts
from gateway.store.attempts import Submitted
from gateway.store.bills import BillTaken

log = structlog.get_logger()

MILLISECONDS = 1000
NOTHING_SEEN = Consent()
"""What the page of anything but a transfer sends."""


@dataclass(frozen=True, slots=True)
class Paid:
    """The money was taken; the receipt is on the page."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The issuer said no and took nothing; ``attempts_left`` counts further submissions of this payment."""

    decline: Decline
    attempts_left: int


@dataclass(frozen=True, slots=True)
class Checking:
    """Nobody said yes or no yet. The gateway finds out or returns the money; the page waits (D2)."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is left on the card: for the page that answers just now, and for nothing else."""

    balance: Sensitive[Balance]


PayResult = Paid | Told | Refused | Checking


def pay(gateway: Gateway, page_token: str, card: CardEntry, consent: Consent = NOTHING_SEEN) -> PayResult:
    """Take the payment's money from this card, or ask for its balance, at most once.

    A transfer needs the sender's ``consent``.

    Raises:
        PaymentNotFound: no payment has this token.
        InvalidCard: CVV2, expiry or PIN is missing; nothing was sent.
        UnknownIssuer, RealCardInSandbox: this card is not taken here.
        AttemptInProgress: another submission of this payment is being authorised (double click, second tab; D8).
        NotPossible: the payment is not open any more, or its time is over.
        TooManyAttempts: the payment's five attempts are used up.
        OtherPayee, OtherSourceCard, HolderNameOld, PayeeUnchecked, TransferLimit: a transfer cannot go on so; nothing
            was sent (D28).
        BillAlreadyPaid: another payment has paid one of its bills, or is about to (D12); nothing was sent.
        IssuerPaused: an operator stopped new business with this issuer; nothing was sent, no attempt is used.
    """
    expiry, cvv2, pin = _secrets(card)
    issuer = issuer_of(gateway, card.pan)
    attempt_id = new_attempt_id()
    sealed = gateway.keyring.seal(purposes.ATTEMPT_PAN, card.pan.reveal().encode(), bound_to=pan_place(attempt_id))
    intent = {"attempt_id": attempt_id, "pan_sealed": sealed}
    submitted = _submit(gateway, page_token, card, consent, issuer=issuer, intent=intent)
    destination = _destination(gateway, submitted)
    request = AuthorisationRequest(order_of(submitted), _trace(submitted), card.pan, expiry, cvv2, pin, destination)
    answer = gateway.switch.authorise(issuer, request)
    names = {"payment_id": submitted.payment_id, "attempt_id": attempt_id, "rrn": submitted.rrn}
    log.info("attempt_answered", issuer_id=issuer.issuer_id, answer=type(answer).__name__, **names)
    try:
        return _record(gateway, page_token, submitted, card, answer=answer, sealed=sealed)
    except SQLAlchemyError as error:  # a lost COMMIT is no answer, never a decline (D34); the sweeper finds out
        log.warning("outcome_not_recorded", error=type(error).__name__, **names)
        return Checking()


def _secrets(card: CardEntry) -> tuple[Sensitive[str], Sensitive[str], Sensitive[str]]:
    if card.expiry is None or card.cvv2 is None or card.pin is None:
        raise InvalidCard(card.missing()[0])
    return card.expiry, card.cvv2, card.pin


def _submit(
    gateway: Gateway,
    page_token: str,
    card: CardEntry,
    consent: Consent,
    *,
    issuer: Issuer,
    intent: Mapping[str, object],
) -> Submitted:
    values = {
        **intent,
        "page_token": page_token,
        "attempts_max": ATTEMPTS_MAX,
        "issuer_id": issuer.issuer_id,
        "pan_masked": card.pan.masked,
        "pan_hash": pan_hash(gateway, card.pan),
        "promise_seconds": gateway.settings.promise_seconds,
        "answer_within_seconds": issuer.switch_timeout_ms / MILLISECONDS + gateway.settings.switch_margin_seconds,
    }
    try:
        with gateway.database.single() as connection:
            submitted = attempts.submit(connection, values)
        submitted = submitted or transfers.submit(gateway, page_token, values, consent)
    except BillTaken:
        raise BillAlreadyPaid from None
    if submitted is None:
        raise why_not(gateway, page_token, unless_paused(gateway, issuer, TooManyAttempts))
    return submitted


def _destination(gateway: Gateway, row: Submitted) -> Pan | None:
    sealed = row.destination_sealed
    return None if sealed is None else open_destination(gateway, row.payment_id, bytes(sealed))


def _trace(row: Submitted) -> Trace:
    return Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)


def _record(
    gateway: Gateway,
    page_token: str,
    submitted: Submitted,
    card: CardEntry,
    *,
    answer: AuthorisationAnswer,
    sealed: bytes,
) -> PayResult:
    match answer:
        case Approved():
            return _paid(gateway, page_token, submitted, card, answer=answer, sealed=sealed)
        case Declined(action_code):
            with gateway.database.single() as connection:
                recorded = attempts.decline(connection, submitted.attempt_id, action_code)
            left = ATTEMPTS_MAX - submitted.attempts
            return Refused(DECLINES[action_code], left) if recorded else Checking()
        case Unknown():
            with gateway.database.single() as connection:
                attempts.lose(connection, submitted.attempt_id)
            gateway.ring()
            return Checking()


def _paid(
    gateway: Gateway,
    page_token: str,
    submitted: Submitted,
    card: CardEntry,
    *,
    answer: Approved,
    sealed: bytes,
) -> PayResult:
    if approved(gateway, submitted, answer, pan=card.pan, in_time=True):
        return Paid() if answer.balance is None else Told(answer.balance)
    with gateway.database.single() as connection:
        approvals.late_approval(
            connection,
            {
                "attempt_id": submitted.attempt_id,
                "approval_code": answer.approval_code,
                "capture_date": answer.capture_date,
                "pan_sealed": sealed,
            },
        )
    gateway.ring()
    state = page_of(gateway, page_token).state
    return Paid() if state in {PaymentState.AUTHORISED, PaymentState.CONFIRMED} else Checking()
