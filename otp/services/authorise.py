"""Authorise a purchase: one transaction checks card, code, limits and funds, consumes the code and takes the money.

At most four statements and one commit: the key, the card's lock, the look, the write (D4).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence

from sqlalchemy import Connection

from foundation.persian import TEHRAN
from foundation.rial import Rial
from otp.domain.action_codes import ActionCode, Reason
from otp.domain.authorisation import CardFacts, ChallengeFacts, Decision, Facts, decide
from otp.domain.binding import Binding, TransactionType
from otp.domain.challenge import ChallengeState
from otp.domain.cvv2 import cvv2_of
from otp.domain.expiry import is_past
from otp.domain.fees import fee_ceiling
from otp.domain.financial import PIN_DIGITS_LEAST, HostAnswer, MessageKey, Purchase
from otp.services.desk import Desk
from otp.store import accounts, authorisations

PROCESSING_CODES = {TransactionType.PURCHASE: "000000"}
"""What this host executes, with the processing code each must come with."""

_APPROVAL_CODES = 1_000_000


def authorise(desk: Desk, purchase: Purchase) -> HostAnswer:
    """Decide a purchase and answer it; asked again under the same key, give the first answer (D9).

    A decline is a committed result: its counters stay (D4).
    """
    token = desk.card_token(purchase.pan)
    intent = authorisations.Intent(
        key=purchase.key,
        request_hash=request_hash(purchase, token),
        sent_at=purchase.sent_at,
        amount_rial=purchase.total.amount,
        fee_rial=purchase.fee.amount,
        transaction_ref=purchase.transaction_ref,
    )
    with desk.database.begin() as connection:
        authorisation_id = authorisations.insert_purchase(connection, intent)
        if authorisation_id is None:
            return _answer_again(connection, purchase.key, intent.request_hash)
        return _decide_and_write(desk, connection, purchase, token, authorisation_id)


def request_hash(purchase: Purchase, card_token: bytes) -> bytes:
    """Hash what makes a repeated key the same request: card, DE 3, 4, 42, 43 and payee key (D9)."""
    parts = (
        card_token.hex(),
        purchase.processing_code,
        str(purchase.total.amount),
        purchase.merchant_id,
        purchase.payee_name,
        purchase.payee_key,
    )
    return hashlib.sha256("\x00".join(parts).encode()).digest()


def _answer_again(connection: Connection, key: MessageKey, asked: bytes) -> HostAnswer:
    first = authorisations.read(connection, key)
    if first is None:
        return HostAnswer(ActionCode.TIME_OFF)
    if first.state == "tombstone":
        return HostAnswer(ActionCode.REVERSAL_CAME_FIRST)
    if not hmac.compare_digest(first.request_hash, asked):
        return HostAnswer(ActionCode.KEY_REUSED)
    return HostAnswer(first.action_code, first.approval_code, first.capture_date)


def _decide_and_write(
    desk: Desk, connection: Connection, purchase: Purchase, token: bytes, authorisation_id: int
) -> HostAnswer:
    card_id = accounts.lock_card(connection, token)
    code = "" if purchase.pin is None else purchase.pin.reveal()
    macs = desk.code_macs(token, code) if len(code) >= PIN_DIGITS_LEAST else ()
    account = accounts.read_account(connection, card_id, purchase.transaction_ref, macs)
    decision = decide(_facts(desk, purchase, account, macs))
    answer = _answer(decision, account.now, authorisation_id)
    accounts.write_decision(
        connection,
        decision,
        answer,
        authorisation_id=authorisation_id,
        card_id=card_id,
        acquirer_id=purchase.key.acquirer_id,
    )
    return answer


def _facts(desk: Desk, purchase: Purchase, account: accounts.Account, macs: Sequence[bytes]) -> Facts:
    today = account.now.astimezone(TEHRAN).date()
    ceiling = fee_ceiling(purchase.type_word, today)
    digest = _binding_digest(purchase)
    return Facts(
        now=account.now,
        total=purchase.total,
        fee=purchase.fee,
        fee_max=Rial(0) if ceiling is None else ceiling,
        limits=desk.limits,
        spent_today=Rial(account.spent_rial),
        card=_card(desk, purchase, account, today),
        challenges=tuple(_challenge(row, purchase, macs, digest) for row in account.challenges),
        refused=_refusal(purchase, ceiling),
    )


def _binding_digest(purchase: Purchase) -> bytes:
    """Rebuild the binding from the message alone (D5); a fee above the total can be bound to nothing."""
    if purchase.fee > purchase.total:
        return b""
    binding = Binding(
        type=TransactionType(purchase.type_word),
        amount=purchase.total - purchase.fee,
        fee=purchase.fee,
        acquirer_id=purchase.key.acquirer_id,
        merchant_id=purchase.merchant_id,
        terminal_id=purchase.key.terminal_id.rstrip(),
        payee_name=purchase.payee_name,
        payee_key=purchase.payee_key,
        transaction_ref=purchase.transaction_ref,
    )
    return binding.digest()


def _refusal(purchase: Purchase, ceiling: Rial | None) -> Reason | None:
    """Say what this host refuses about the message itself, before it looks at any card."""
    kind = TransactionType(purchase.type_word)
    if ceiling is None or PROCESSING_CODES.get(kind) != purchase.processing_code:
        return Reason.NOT_SUPPORTED
    return Reason.PIN_BLOCK_REFUSED if purchase.pin is None and purchase.pan is not None else None


def _card(desk: Desk, purchase: Purchase, account: accounts.Account, today: dt.date) -> CardFacts | None:
    row = account.card
    if row is None or purchase.pan is None:
        return None
    cvv2 = cvv2_of(desk.cvk().reveal(), purchase.pan, row.expiry)
    cvv2_right = hmac.compare_digest(cvv2, purchase.cvv2.reveal())
    expiry_right = hmac.compare_digest(row.expiry, purchase.expiry.reveal())
    return CardFacts(
        active=row.status == "active",
        second_pin_active=row.second_pin_active,
        expired=is_past(row.expiry, today),
        data_right=cvv2_right and expiry_right,
        pin_failures=row.pin_failures,
        pin_locked_until=row.pin_locked_until,
        pin_lock_level=row.pin_lock_level,
        data_failures=row.card_data_failures,
        data_failed_since=row.card_data_failed_since,
        paused_until=row.card_not_present_paused_until,
        balance=Rial(row.balance_rial),
    )


def _challenge(row: accounts.NearChallenge, purchase: Purchase, macs: Sequence[bytes], digest: bytes) -> ChallengeFacts:
    return ChallengeFacts(
        challenge_id=row.challenge_id,
        state=ChallengeState(row.state),
        of_this_payment=(row.acquirer_id, row.transaction_ref) == (purchase.key.acquirer_id, purchase.transaction_ref),
        code_matches=any(hmac.compare_digest(row.code_mac, mac) for mac in macs),
        binding_matches=hmac.compare_digest(row.binding_digest, digest),
        wrong_tries=row.wrong_tries,
        tries_max=row.tries_max,
        expires_at=row.expires_at,
    )


def _answer(decision: Decision, now: dt.datetime, authorisation_id: int) -> HostAnswer:
    if not decision.debit:
        return HostAnswer(decision.action_code)
    return HostAnswer(
        decision.action_code,
        approval_code=f"{authorisation_id % _APPROVAL_CODES:06}",
        capture_date=now.astimezone(TEHRAN).strftime("%m%d"),
    )
