"""What is decided about a text message, before anything is known of a card."""

from __future__ import annotations

import datetime as dt

from otp.domain.inbound import InboundDecision, InboundOutcome, decide


def test_d26_a_sender_without_a_card_is_a_stranger_whatever_it_says() -> None:
    """Nothing is looked at: neither a right number nor garbage makes a difference that could be seen."""
    now = dt.datetime(2026, 11, 29, 12, tzinfo=dt.UTC)
    decisions = {decide(text, (), now) for text in ("1234", "۱۲۳۴", "hello", "")}
    assert decisions == {InboundDecision(InboundOutcome.STRANGER)}
