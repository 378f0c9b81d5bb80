"""Answer VerifyDynamicPin: judge a code as a purchase would, use it up, and give a proof that one purchase may show.

For a PSP whose authorisation runs elsewhere, and only where the bank opened it (D13). Four statements and one commit:
the card's lock, the request, the look, the write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import structlog

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.action_codes import Reason
from otp.domain.answers import ANSWERS, VERDICTS, Code, body
from otp.domain.authorisation import Decision, verify
from otp.domain.binding import Binding
from otp.domain.proof import PROOF_SECONDS, derive_proof, proof_mac_input
from otp.domain.psp import Psp
from otp.services.bank import Bank
from otp.services.cards import card_tokens
from otp.services.desk import Desk
from otp.services.issue_code import Told, answered_before
from otp.services.judging import ceilings_of, facts_of
from otp.services.shown import Shown, aspects_of
from otp.store import accounts, challenges, verifications
from otp.store.challenges import FirstAnswer, RequestKey
from otp.store.verifications import Verification

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Check:
    """One request as its door read it; its fields are those of :class:`otp.services.issue_code.CodeRequest`."""

    request_id: str
    sequence: int
    body_hash: bytes
    binding: Binding
    pan: Pan
    cvv2: Sensitive[str]
    expiry: Sensitive[str]
    pin: Sensitive[str]


def verify_code(bank: Bank, psp: Psp, check: Check) -> Told:
    """Check one code and answer; asked again under the same id, give the first answer with the same proof (D21)."""
    key = RequestKey(psp.psp_id, check.request_id, check.binding.transaction_ref)
    try:
        first = _decide(bank, psp, check, key)
    except challenges.RequestIdTaken:
        with bank.database.single() as connection:
            first = challenges.first_answer(connection, key)
    told = answered_before(first, check.body_hash, check.request_id)
    if "proof" not in told.body:
        return told
    proof = _proof(bank, psp, check, told.body["proof"])
    return Told(told.status, {**told.body, "proof": proof.reveal()})


def _decide(bank: Bank, psp: Psp, check: Check, key: RequestKey) -> FirstAnswer:
    settings = bank.settings
    desk = Desk(bank.database, bank.keys, settings.limits(), bank.meters)
    tokens = card_tokens(bank.keys, check.pan)
    with bank.database.begin() as connection:
        card = accounts.lock_card(connection, tokens)
        first, last_sequence = verifications.read_request(connection, key)
        if first is not None:
            return first
        shown = _shown(desk, psp, check, card.name)
        charges = desk.wrong_charges(card.name, psp.acquirer_id, check.binding.terminal_id, psp.psp_id)
        account = accounts.read_account(
            connection,
            card.card_id,
            shown.references,
            shown.macs,
            ceilings=ceilings_of(desk.limits),
            charges=charges,
        )
        stale = check.sequence <= last_sequence
        decision = Decision(Reason.NOT_SUPPORTED) if stale else verify(facts_of(desk, shown, account))
        code = Code.STALE if stale else VERDICTS[decision.reason]
        earned = code is Code.VERIFIED
        wait = account.retry_after if code is Code.TOO_MANY_REQUESTS else None
        writing = Verification(
            body_hash=check.body_hash,
            sequence=check.sequence,
            card_id=card.card_id,
            decision=decision,
            terminal_id=check.binding.terminal_id,
            charges=charges,
            proof_mac=_proof_mac(bank, psp, check, card.name) if earned else None,
            status=ANSWERS[code].status,
            answer=_verified(bank, check) if earned else body(code, check.request_id, retry_after_seconds=wait),
        )
        kept = verifications.write(connection, key, writing)
    log.info("code_checked", code=str(code))
    return kept


def _shown(desk: Desk, psp: Psp, check: Check, name: bytes) -> Shown:
    return Shown(
        pan=check.pan,
        card_name=name,
        expiry=check.expiry,
        cvv2=check.cvv2,
        macs=desk.code_macs(name, check.pin.reveal()),
        by_proof=False,
        acquirer_id=psp.acquirer_id,
        type_word=check.binding.type,
        total=check.binding.total,
        fee=check.binding.fee,
        aspects=aspects_of(check.binding),
        pin=check.pin,
    )


def _verified(bank: Bank, check: Check) -> dict[str, Any]:
    return {
        "request_id": check.request_id,
        "code": str(Code.VERIFIED),
        "proof": bank.keys.active_id(purposes.CODE_DERIVE),
        "expires_in_seconds": PROOF_SECONDS,
    }


def _proof(bank: Bank, psp: Psp, check: Check, key_id: str) -> Sensitive[str]:
    return derive_proof(bank.keys.material(key_id), psp.psp_id, check.request_id, check.body_hash)


def _proof_mac(bank: Bank, psp: Psp, check: Check, name: bytes) -> bytes:
    proof = _proof(bank, psp, check, bank.keys.active_id(purposes.CODE_DERIVE))
    return bank.keys.mac(purposes.CODE_MAC, proof_mac_input(name, psp.acquirer_id, proof.reveal()))
