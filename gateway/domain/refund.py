"""The refund: principal of a kept payment going back to the card that paid, as a table of what may follow what (D11).

The money leaves the merchant's payable account in the commit that writes the refund down, before anything is sent. From
``sent`` on the issuer may have it, so only its explicit answer ends the refund; until then the same message goes out
again under the same key. A refund that is ``waiting`` needs a second person and has been sent to nobody (D35).
"""

from __future__ import annotations

import re
from enum import StrEnum

from foundation.machine import Machine, Transition
from gateway.domain.errors import InvalidText

REFUNDS_MAX = 50
"""Of one payment, refused ones included: beyond what an order has lines."""

WAITING_DAYS = 7
"""After so long a refund that nobody approved is refused by itself (D35)."""

REASON_MAX = 120
REFUND_ID_PATTERN = "^[A-Za-z0-9._-]{1,64}$"
_REFUND_ID = re.compile(REFUND_ID_PATTERN)


class RefundState(StrEnum):
    """Where a refund stands."""

    WAITING = "waiting"
    REQUESTED = "requested"
    SENT = "sent"
    UNKNOWN = "unknown"
    DONE = "done"
    REFUSED = "refused"


class RefundEvent(StrEnum):
    """What can happen to a refund."""

    ASKED = "asked"
    HELD = "held"
    APPROVED_BY_SECOND = "approved_by_second"
    REFUSED_BY_SECOND = "refused_by_second"
    WAITED_TOO_LONG = "waited_too_long"
    SENT = "sent"
    NO_ANSWER = "no_answer"
    CREDITED = "credited"
    DECLINED = "declined"


_S, _E = RefundState, RefundEvent

TRANSITIONS: tuple[Transition[RefundState, RefundEvent], ...] = (
    Transition(None, _E.ASKED, _S.REQUESTED),
    Transition(None, _E.HELD, _S.WAITING),
    Transition(_S.WAITING, _E.APPROVED_BY_SECOND, _S.REQUESTED),
    Transition(_S.WAITING, _E.REFUSED_BY_SECOND, _S.REFUSED),
    Transition(_S.WAITING, _E.WAITED_TOO_LONG, _S.REFUSED),
    Transition(_S.REQUESTED, _E.SENT, _S.SENT),
    Transition(_S.SENT, _E.NO_ANSWER, _S.UNKNOWN),
    Transition(_S.SENT, _E.CREDITED, _S.DONE),
    Transition(_S.SENT, _E.DECLINED, _S.REFUSED),
    Transition(_S.UNKNOWN, _E.NO_ANSWER, _S.UNKNOWN),
    Transition(_S.UNKNOWN, _E.CREDITED, _S.DONE),
    Transition(_S.UNKNOWN, _E.DECLINED, _S.REFUSED),
)

MACHINE = Machine(TRANSITIONS)

MOVED_BY_CLOCK_OR_SWEEPER = frozenset({_E.SENT, _E.NO_ANSWER, _E.CREDITED, _E.DECLINED, _E.WAITED_TOO_LONG})
"""Events that need no merchant; a waiting refund that nobody decides is refused when its time is over."""

ENDS = frozenset({_S.DONE, _S.REFUSED})
"""States in which nothing more has to happen."""

OUTSIDE: dict[RefundState, str] = {
    _S.WAITING: "waiting",
    _S.REQUESTED: "pending",
    _S.SENT: "pending",
    _S.UNKNOWN: "pending",
    _S.DONE: "done",
    _S.REFUSED: "refused",
}
"""What merchants see: that the gateway still asks the issuer is no business of theirs, only that it is not over."""

TELLS: dict[RefundState, str] = {_S.DONE: "payment.refunded", _S.REFUSED: "payment.refund_refused"}
"""Ends of which the merchant's webhook is told, each once per refund, and under which name."""

WINDOW_OVER_CODE = "915"
"""A credit is dated as it was first sent. A day later an issuer that never saw it takes it no more and says so; one
that did gives its first answer (contracts/iso8583/v1, §9). So this ends a refund that is sent again."""


def check_refund_id(text: str) -> str:
    """Return a merchant's refund id, or raise :class:`InvalidText`: 1 to 64 letters, digits and ``._-``."""
    if not _REFUND_ID.fullmatch(text):
        raise InvalidText("refund_id", "takes 1 to 64 letters, digits and ._-")
    return text


def check_reason(text: str | None) -> str | None:
    """Return a refund's reason, or raise :class:`InvalidText`: at most 120 printable characters."""
    if text is not None and (len(text) > REASON_MAX or not text.replace("\u200c", "").isprintable()):
        raise InvalidText("reason", f"takes at most {REASON_MAX} printable characters")
    return text
