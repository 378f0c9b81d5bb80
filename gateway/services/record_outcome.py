"""Recording an approval, wherever it came from: the submission itself or a later inquiry."""

from __future__ import annotations

from foundation.pan import Pan
from gateway.domain.outcome import Approved
from gateway.domain.references import new_tracking_code
from gateway.services.gateway import Gateway
from gateway.services.take_card import card_token
from gateway.store import attempts


def pan_place(attempt_id: str) -> str:
    """Return the one place where an attempt's sealed PAN opens (row-bound, D1)."""
    return f"attempt|pan|{attempt_id}"


def approved(gateway: Gateway, attempt_id: str, answer: Approved, *, pan: Pan, merchant_id: str, in_time: bool) -> bool:
    """Record an approval of the attempt in flight with its postings and webhook; ``False`` when it came too late.

    ``in_time`` is true for the submission's own answer; an inquiry's approval counts only before the page's
    deadline (D8).
    """
    values = {
        "attempt_id": attempt_id,
        "approval_code": answer.approval_code,
        "capture_date": answer.capture_date,
        "tracking_code": new_tracking_code(),
        "card_token": card_token(gateway, pan, merchant_id),
        "in_time": in_time,
    }
    with gateway.database.single() as connection:
        recorded = attempts.approve(connection, values)
    gateway.ring()
    return recorded
