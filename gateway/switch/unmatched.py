"""What is kept of an answer that nobody waits for: its fields that are no secret."""

from __future__ import annotations

from gateway.ports import Unmatched, UnmatchedAnswer
from gateway.switch.iso8583 import Message


def unmatched_of(message: Message, issuer_id: str, why: Unmatched) -> UnmatchedAnswer:
    """Take the fields out of an answer; card, expiry, private data and PIN block stay behind (D1)."""
    return UnmatchedAnswer(
        issuer_id=issuer_id,
        why=why,
        message_type=message.mti,
        processing_code=message.text(3),
        total=message.text(4),
        stan=message.text(11),
        local_time=message.text(12),
        acquirer_id=message.text(32),
        rrn=message.text(37),
        action_code=message.text(39),
        terminal_id=message.text(41),
        approval_code=message.text(38),
        capture_date=message.text(17),
    )
