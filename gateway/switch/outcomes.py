"""What an answer means: DE 39 of a genuine answer that echoes its question, by tables whose default is unknown (D3)."""

from __future__ import annotations

from dataclasses import replace

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.declines import DECLINES, answer_of
from gateway.domain.order import PROCESSING_CODES, Kind
from gateway.domain.outcome import (
    APPROVED_CODE,
    Approved,
    AuthorisationAnswer,
    Balance,
    Declined,
    HolderAnswer,
    HolderNamed,
    HolderRefused,
    InquiryAnswer,
    NotFound,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.domain.refund import WINDOW_OVER_CODE
from gateway.domain.transfer import masked_name
from gateway.switch.iso8583 import Message

BALANCE_CODE = PROCESSING_CODES[Kind.BALANCE_INQUIRY]
_DE_BALANCE = 54
_DIGITS = 12

_OF_MONEY = (3, 4, 11, 12, 32, 37, 41)
ECHOED = {
    "1100": (3, 11, 12, 32, 37, 41),
    "1200": _OF_MONEY,
    "1201": _OF_MONEY,
    "1420": _OF_MONEY,
    "1604": (11, 12, 32, 37, 41),
}
"""Fields that an answer must repeat exactly, by the question's type."""

ANSWER_TYPES = {"1100": "1110", "1200": "1210", "1201": "1210", "1420": "1430", "1604": "1614"}
UNREADABLE_TYPES = {"1200": "1244", "1201": "1244", "1420": "1444", "1604": "1644"}

REVERSAL_ENDS = {"400": False, "914": True}
"""1430 codes that end a reversal, and whether only where the issuer keeps tombstones (D2, D3)."""

NOT_REVERSED = "480"
"""The 1430 code of money that cannot be taken back: what was to be reversed is complete (D7)."""

ORIGINAL_DECLINED = frozenset(code for code in DECLINES if code[0] in "12")
"""1614 codes that tell of the original; codes about the inquiry itself (9xx) conclude nothing."""

AGAIN_DECLINED = ORIGINAL_DECLINED | {WINDOW_OVER_CODE}
"""1210 codes that end a credit sent again: what the original was told, or that it never came and is too old now."""


def outcome_of(question: Message, answer: Message) -> AuthorisationAnswer:
    """Say what a 1210 means."""
    if answer.mti == UNREADABLE_TYPES[question.mti]:
        return answer_of(answer.text(39)) if answer.text(39) == "904" else Unknown(f"notice {answer.text(39)}")
    if not _coherent(question, answer):
        return Unknown("incoherent")
    outcome = answer_of(answer.text(39), approval_code=answer.text(38) or None, capture_date=answer.text(17) or None)
    if question.text(3) != BALANCE_CODE or not isinstance(outcome, Approved):
        return outcome
    return replace(outcome, balance=_balance(answer)) if _DE_BALANCE in answer else Unknown("untold")


def refund_outcome_of(question: Message, answer: Message) -> AuthorisationAnswer:
    """Say what a 1210 means for a credit: of one sent again, a no about this message alone concludes nothing."""
    outcome = outcome_of(question, answer)
    if question.mti == "1201" and isinstance(outcome, Declined) and outcome.action_code not in AGAIN_DECLINED:
        return Unknown(f"action code {outcome.action_code}")
    return outcome


def reversal_outcome_of(question: Message, answer: Message, *, keeps_tombstones: bool) -> ReversalAnswer:
    """Say what a 1430 means."""
    if not _coherent(question, answer):
        return ReversalUnknown("incoherent")
    code = answer.text(39)
    if code in REVERSAL_ENDS and (keeps_tombstones or not REVERSAL_ENDS[code]):
        return Reversed()
    if code == NOT_REVERSED:
        return NotReversed(answer.text(17) or None)
    return ReversalUnknown(f"action code {code}")


def credit_outcome_of(question: Message, answer: Message) -> AuthorisationAnswer:
    """Say what a 1210 to a credit means: only codes about card and amount are a no; after all others it is repeated."""
    if not _coherent(question, answer):
        return Unknown("incoherent")
    code = answer.text(39)
    if code == APPROVED_CODE:
        return Approved(answer.text(38) or None, answer.text(17) or None)
    return Declined(code) if code in ORIGINAL_DECLINED else Unknown(f"action code {code}")


def holder_of(question: Message, answer: Message) -> HolderAnswer:
    """Say what a 1110 to a question for a name means."""
    if not _coherent(question, answer):
        return Unknown("incoherent")
    code, name = answer.text(39), answer.text(43)
    if code == APPROVED_CODE:
        return HolderNamed(masked_name(name)) if name.strip() else Unknown("nameless")
    return HolderRefused(code) if code in DECLINES else Unknown(f"action code {code}")


def inquiry_outcome_of(question: Message, answer: Message, *, total: str) -> InquiryAnswer:
    """Say what a 1614 means; an approval of another amount than ``total`` (DE 4) is incoherent."""
    if not _coherent(question, answer):
        return Unknown("incoherent")
    code = answer.text(39)
    if code == APPROVED_CODE:
        if answer.text(4) != total:
            return Unknown("incoherent")
        return Approved(answer.text(38) or None, answer.text(17) or None)
    explicit: dict[str, InquiryAnswer] = {"482": Reversed(), "914": NotFound()}
    if code in ORIGINAL_DECLINED:
        return Declined(code)
    return explicit.get(code, Unknown(f"action code {code}"))


def _balance(answer: Message) -> Sensitive[Balance]:
    told = answer.secret(_DE_BALANCE).reveal()
    return Sensitive(Balance(Rial(int(told[-_DIGITS:])), overdrawn=told[-_DIGITS - 1] == "D"))


def _coherent(question: Message, answer: Message) -> bool:
    return answer.mti == ANSWER_TYPES[question.mti] and all(
        answer.text(number) == question.text(number) for number in ECHOED[question.mti]
    )
