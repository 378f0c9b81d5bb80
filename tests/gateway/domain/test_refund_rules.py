"""The refund's table and the rules of its words (D11)."""

from __future__ import annotations

import pytest

from gateway.domain.errors import InvalidText
from gateway.domain.payment import TIMELINE, PaymentEvent
from gateway.domain.refund import (
    ENDS,
    MACHINE,
    MOVED_BY_CLOCK_OR_SWEEPER,
    OUTSIDE,
    TELLS,
    RefundEvent,
    RefundState,
    check_reason,
    check_refund_id,
)
from gateway.domain.webhooks import EVENT_TYPES


def test_every_state_is_reachable_and_every_event_used() -> None:
    """Nothing is in the enumeration that is not in the table; every state has a word outside."""
    assert MACHINE.states() == MACHINE.reachable() == frozenset(RefundState) == frozenset(OUTSIDE)
    assert {row.event for row in MACHINE.transitions} == set(RefundEvent)
    assert set(TELLS) == ENDS == MACHINE.terminal()
    assert set(TELLS.values()) <= set(EVENT_TYPES)


def test_i18_every_refund_ends_without_anybody() -> None:
    """I18: a clock, the worker or the issuer leads out of every state that is no end."""
    for state in set(RefundState) - ENDS:
        assert {row.event for row in MACHINE.transitions if row.before == state} & MOVED_BY_CLOCK_OR_SWEEPER


def test_d11_what_was_never_sent_is_never_done_and_what_was_sent_no_person_refuses() -> None:
    """D11, D35: only the issuer ends what the issuer may have; only a person or time what it has not."""
    assert MACHINE.befores(RefundEvent.CREDITED) == (RefundState.SENT, RefundState.UNKNOWN)
    assert MACHINE.befores(RefundEvent.DECLINED) == (RefundState.SENT, RefundState.UNKNOWN)
    assert MACHINE.befores(RefundEvent.REFUSED_BY_SECOND) == (RefundState.WAITING,)


def test_a_merchant_reads_of_every_refund_in_the_history() -> None:
    """Each event of a refund has its word."""
    refund_events = {event for event in PaymentEvent if event.startswith("refund")}
    assert refund_events <= set(TIMELINE)


@pytest.mark.parametrize("text", ["r", "A-1.b_2", "x" * 64])
def test_a_refund_id_is_letters_digits_and_three_signs(text: str) -> None:
    """One to 64 of them."""
    assert check_refund_id(text) == text


@pytest.mark.parametrize("text", ["", " ", "a b", "x" * 65, "شناسه", "a\n"])
def test_any_other_refund_id_is_refused(text: str) -> None:
    """The error names the field and the rule, not what was sent."""
    with pytest.raises(InvalidText) as refused:
        check_refund_id(text)
    assert refused.value.field == "refund_id"


def test_a_reason_is_short_and_printable_or_absent() -> None:
    """Persian with half-spaces is printable; a line end is not."""
    assert check_reason(None) is None
    assert check_reason("کالا نمی\u200cآید") == "کالا نمی\u200cآید"
    for wrong in ("x" * 121, "a\nb"):
        with pytest.raises(InvalidText):
            check_reason(wrong)
