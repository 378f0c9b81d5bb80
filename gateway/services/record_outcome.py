"""Recording an approval, wherever it came from: the submission itself or a later inquiry."""

from __future__ import annotations

from typing import Protocol

from foundation.pan import Pan
from gateway.domain.outcome import Approved
from gateway.domain.references import new_tracking_code
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.services.take_card import card_token
from gateway.store import approvals, top_ups, transfer_legs


class Attempted(Protocol):
    """A row with an attempt and what it is for."""

    @property
    def attempt_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def merchant_id(self) -> str: ...  # noqa: D102 - a column
    @property
    def kind(self) -> str: ...  # noqa: D102 - a column
    @property
    def inside(self) -> bool: ...  # noqa: D102 - a column


RECORDED = {
    (Kind.PURCHASE, False): approvals.approve,
    (Kind.BILL_PAYMENT, False): approvals.complete_bills,
    (Kind.TOP_UP, False): top_ups.debited,
    (Kind.BALANCE_INQUIRY, False): approvals.tell_balance,
    (Kind.CARD_TRANSFER, False): transfer_legs.debited,
    (Kind.CARD_TRANSFER, True): transfer_legs.moved_inside,
}
"""How an approval of each kind is written, by whether the money stays inside its bank: what a merchant confirms, what
is complete with it, and what owes a second leg."""


def pan_place(attempt_id: str) -> str:
    """Return the one place where an attempt's sealed PAN opens (row-bound, D1)."""
    return f"attempt|pan|{attempt_id}"


def approved(gateway: Gateway, attempt: Attempted, answer: Approved, *, pan: Pan, in_time: bool) -> bool:
    """Record an approval of the attempt in flight with its postings and webhook; ``False`` when it came too late.

    ``in_time`` is true for the submission's own answer; an inquiry's approval counts only before the page's
    deadline (D8).
    """
    values = {
        "attempt_id": attempt.attempt_id,
        "approval_code": answer.approval_code,
        "capture_date": answer.capture_date,
        "tracking_code": new_tracking_code(),
        "card_token": card_token(gateway, pan, attempt.merchant_id),
        "in_time": in_time,
        "credit_seconds": gateway.settings.transfer_credit_seconds,
    }
    with gateway.database.single() as connection:
        recorded = RECORDED[Kind(attempt.kind), attempt.inside](connection, values)
    gateway.ring()
    return recorded


def stood(gateway: Gateway, attempt: Attempted, *, pan: Pan, capture_date: str | None) -> None:
    """Record that a transfer within one bank cannot be undone any more: its destination has the money (D7)."""
    values = {
        "attempt_id": attempt.attempt_id,
        "tracking_code": new_tracking_code(),
        "card_token": card_token(gateway, pan, attempt.merchant_id),
        "capture_date": capture_date,
    }
    with gateway.database.single() as connection:
        transfer_legs.stood(connection, values)
    gateway.ring()
