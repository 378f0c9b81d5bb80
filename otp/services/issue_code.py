"""Answer RequestDynamicPin: at most one new code per payment, the same code on a resend, no oracle for strangers.

Three statements and one commit: the card's lock, the look, the write (D4, D9b, D17 to D21).
"""

from __future__ import annotations

import hmac
import secrets
import uuid
from dataclasses import dataclass
from typing import Any

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.answers import ANSWERS, Code, body
from otp.domain.authorisation import CardFacts, count_data_failure
from otp.domain.binding import Binding
from otp.domain.card import TEHRAN
from otp.domain.code import NONCE_BYTES, derive_code, mac_input
from otp.domain.expiry import is_past
from otp.domain.fees import fee_ceiling
from otp.domain.issuing import Decision, Facts, OpenChallenge, Proof, Rules, Step, decide
from otp.domain.psp import Psp
from otp.domain.quotas import Charge, Holder, Limits, charges, default_limits
from otp.services.bank import Bank
from otp.services.cards import card_tokens, cvv2_matches
from otp.store import accounts, challenges
from otp.store.challenges import CardNow, FirstAnswer, NewCode, OpenRow, RequestKey, Situation, Writing


@dataclass(frozen=True, slots=True)
class CodeRequest:
    """One request as its door read it.

    Args:
        request_id: UUID, unique for ever per PSP (D21).
        sequence: counts the requests about one transaction from 1; ``None`` where the dialect does not count.
        body_hash: keyed hash of the body as it came; a bare one would give the PAN away (D16).
        cvv2: with ``expiry`` it proves the card (D19); one without the other proves nothing.
    """

    request_id: str
    sequence: int | None
    body_hash: bytes
    binding: Binding
    pan: Pan
    cvv2: Sensitive[str] | None = None
    expiry: Sensitive[str] | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """What the PSP is told: HTTP status and JSON."""

    status: int
    body: dict[str, Any]


def issue_code(bank: Bank, psp: Psp, request: CodeRequest) -> Told:
    """Decide one request and answer it; asked again under the same id, give the first answer (D21)."""
    tokens = card_tokens(bank.keys, request.pan)
    key = RequestKey(psp.psp_id, request.request_id, request.binding.transaction_ref)
    try:
        with bank.database.begin() as connection:
            card = accounts.lock_card(connection, tokens)
            situation = challenges.read_situation(connection, card.card_id, key)
            if situation.first is not None:
                return answered_before(situation.first, request.body_hash, request.request_id)
            new = _new_code(bank, psp, request.binding, card.name)
            writing = _Asked(bank, psp, request, card.name, new, situation).writing()
            status, answer = challenges.write(connection, key, writing)
    except challenges.RequestIdTaken:
        with bank.database.single() as connection:
            first = challenges.first_answer(connection, key)
        return answered_before(first, request.body_hash, request.request_id)
    if status == ANSWERS[Code.ACCEPTED].status and writing.step != Step.NOTHING:
        bank.ring()
    return Told(status, answer)


def _new_code(bank: Bank, psp: Psp, binding: Binding, name: bytes) -> NewCode:
    """Derive a fresh code, for a known card or not: both take the same time (D19)."""
    settings, keys = bank.settings, bank.keys
    canonical = binding.canonical()
    nonce = secrets.token_bytes(NONCE_BYTES)
    key_id = keys.active_id(purposes.CODE_DERIVE)
    code = derive_code(keys.material(key_id), nonce, canonical, settings.code_length)
    return NewCode(
        correlation_id=str(uuid.uuid4()),
        nonce=nonce,
        canonical=canonical,
        binding_digest=binding.digest(),
        code_mac=keys.mac(purposes.CODE_MAC, mac_input(name, code.reveal())),
        key_id=key_id,
        code_length=settings.code_length,
        tries_max=settings.tries_max,
        life_seconds=settings.code_life_seconds,
        bound=binding.bound,
        ceiling_rial=None if binding.complete else min(psp.unbound_max_rial, settings.unbound_code_max_rial),
    )


def answered_before(first: FirstAnswer, body_hash: bytes, request_id: str) -> Told:
    """Give the first answer to this request id, or, where it served another message, say so (D21)."""
    if hmac.compare_digest(first.body_hash, body_hash):
        return Told(first.status, first.answer)
    return Told(ANSWERS[Code.REQUEST_ID_REUSED].status, body(Code.REQUEST_ID_REUSED, request_id))


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request together with all that was found about it, on its way to a decision."""

    bank: Bank
    psp: Psp
    request: CodeRequest
    name: bytes
    new: NewCode
    found: Situation

    def writing(self) -> Writing:
        """Decide, and say what shall be written."""
        card = None if self.found.card is None else _card_facts(self.found.card, self.found)
        decision = decide(self._facts(card))
        return Writing(
            body_hash=self.request.body_hash,
            sequence=self.request.sequence or self.found.last_sequence + 1,
            card_id=None if self.found.card is None else self.found.card.card_id,
            step=decision.step,
            proven=decision.proven,
            new=self.new,
            resent_id=decision.challenge_id,
            superseded=decision.superseded,
            expired=decision.expired,
            charges=self._charges(decision),
            data_failures=count_data_failure(card, self.found.now) if card and decision.mistyped else None,
            status=ANSWERS[decision.code].status,
            answer=self._answer(decision),
            limited_status=ANSWERS[Code.TOO_MANY_REQUESTS].status,
            limited_answer=body(Code.TOO_MANY_REQUESTS, self.request.request_id),
        )

    def _facts(self, card: CardFacts | None) -> Facts:
        settings = self.bank.settings
        rules = Rules(life_seconds=settings.code_life_seconds, wait_seconds=settings.resend_wait_seconds)
        return Facts(
            now=self.found.now,
            rules=rules,
            refused=self._refused(),
            open_disclosure=self.bank.discloses_to(self.psp),
            proof=self._proof(),
            card=card,
            has_mobile=self.found.card is not None and self.found.card.mobile_token is not None,
            challenges=[self._challenge(row) for row in self.found.challenges],
        )

    def _challenge(self, row: OpenRow) -> OpenChallenge:
        return OpenChallenge(
            challenge_id=row.challenge_id,
            of_this_payment=row.of_this_payment,
            binding_matches=hmac.compare_digest(row.binding_digest, self.new.binding_digest),
            proven=row.proven,
            sent_at=row.sent_at,
            expires_at=row.expires_at,
            resends=row.resends,
        )

    def _refused(self) -> Code | None:
        """Say what is refused whatever the card is: order (D21), type, fee (D5), and what is bound to too little."""
        sequence, binding = self.request.sequence, self.request.binding
        if sequence is not None and sequence <= self.found.last_sequence:
            return Code.STALE
        fee_max = fee_ceiling(binding.type, self.found.now.astimezone(TEHRAN).date(), binding.amount)
        if fee_max is None:
            return Code.UNSUPPORTED_OPERATION
        if binding.fee > fee_max:
            return Code.FEE_NOT_ALLOWED
        ceiling = self.new.ceiling_rial
        # A question for a balance asks for nothing, and a ceiling of zero refuses that as well (D6).
        refused = ceiling is not None and (not ceiling or binding.total.amount > ceiling)
        return Code.INCOMPLETE_BINDING if refused else None

    def _proof(self) -> Proof:
        cvv2, expiry, card = self.request.cvv2, self.request.expiry, self.found.card
        if cvv2 is None or expiry is None:
            return Proof.NONE
        on_card = expiry.reveal() if card is None else card.expiry
        right = cvv2_matches(self.bank.keys, self.request.pan, on_card, cvv2)
        right &= card is not None and hmac.compare_digest(on_card, expiry.reveal())
        return Proof.RIGHT if right else Proof.WRONG

    def _charges(self, decision: Decision) -> tuple[Charge, ...]:
        if not decision.charged:
            return ()
        card = self.found.card
        phone = self.name if card is None or card.mobile_token is None else card.mobile_token
        names = {
            Holder.CARD: self.name.hex(),
            Holder.MOBILE: phone.hex(),
            Holder.TERMINAL: f"{self.psp.psp_id}/{self.request.binding.terminal_id}",
            Holder.PSP: self.psp.psp_id,
            Holder.BANK: "sms",
        }
        return charges(_limits(self.bank), names, proven=decision.proven, shard=self.name[0])

    def _answer(self, decision: Decision) -> dict[str, object]:
        accepted = decision.code in (Code.ACCEPTED, Code.ALREADY_SENT)
        own = next((row for row in self.found.challenges if row.of_this_payment), None)
        kept = own is not None and decision.detailed and decision.step is not Step.ISSUE
        card = self.found.card
        details: dict[str, int | str | None] = {}
        if accepted:
            details["correlation_id"] = own.correlation_id if kept and own is not None else self.new.correlation_id
        else:
            details["retry_after_seconds"] = decision.wait_seconds
        if decision.detailed:
            details |= {
                "code_length": self.new.code_length,
                "expires_in_seconds": decision.good_seconds,
                "resend_in_seconds": decision.wait_seconds,
                "mobile_last_two": None if card is None else card.mobile_last_two,
            }
        return body(decision.code, self.request.request_id, **details)


def _limits(bank: Bank) -> Limits:
    settings = bank.settings
    return default_limits(
        terminal_per_hour=settings.terminal_requests_per_hour,
        psp_per_hour=settings.psp_requests_per_hour,
        sms_per_day=settings.sms_per_day,
    )


def _card_facts(row: CardNow, found: Situation) -> CardFacts:
    return CardFacts(
        active=row.status == "active",
        second_pin_active=row.second_pin_active,
        expired=is_past(row.expiry, found.now.astimezone(TEHRAN).date()),
        data_right=True,
        pin_failures=row.pin_failures,
        pin_locked_until=row.pin_locked_until,
        pin_lock_level=row.pin_lock_level,
        data_failures=row.card_data_failures,
        data_failed_since=row.card_data_failed_since,
        paused_until=row.card_not_present_paused_until,
        balance=Rial(row.balance_rial),
    )
