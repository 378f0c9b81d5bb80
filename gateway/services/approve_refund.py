"""A second person decides about large refunds, in time or not at all (D35)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from sqlalchemy import Connection

from foundation.rial import Rial
from gateway.domain.errors import RefusedRow
from gateway.services.audit_trail import WORKER, By, note
from gateway.services.gateway import Gateway
from gateway.store import refund_approvals
from gateway.store.refund_approvals import SamePerson
from gateway.store.refund_approvals import WaitingRefund as WaitingRefund

LISTED_MOST = 200
BATCH = 100
OWN = "whoever asked for a refund cannot decide about it"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a second person says about a refund, as the trail keeps it."""

    action: str
    number: int
    by: By
    details: Mapping[str, int] = field(default_factory=dict)


def waiting_refunds(gateway: Gateway) -> list[WaitingRefund]:
    """Return the refunds that wait for a second person, the oldest first."""
    with gateway.database.single() as connection:
        return refund_approvals.waiting(connection, most=LISTED_MOST)


def approve_refund(gateway: Gateway, number: int, amount: Rial, *, by: str) -> None:
    """Let a waiting refund go out; ``amount`` is what the second person read, so that nothing else is approved.

    Raises:
        RefusedRow: none waits under this number with this amount, it waited too long, or ``by`` asked for it.
    """
    act = Decided("refund.approved", number, By.operator(by), {"rial": amount.amount})
    _decide(gateway, act, lambda connection: refund_approvals.approve(connection, number, amount.amount, by))


def refuse_refund(gateway: Gateway, number: int, *, by: str) -> None:
    """Refuse a waiting refund; the merchant is told and has its money again.

    Raises:
        RefusedRow: none waits under this number, or ``by`` asked for it.
    """
    act = Decided("refund.refused", number, By.operator(by))
    _decide(gateway, act, lambda connection: refund_approvals.refuse(connection, number, by))


def give_up_waiting(gateway: Gateway) -> int:
    """Refuse refunds that nobody decided about in a week; return how many."""
    for done in range(BATCH):
        with gateway.database.begin() as connection:
            number = refund_approvals.give_up(connection)
            if number is None:
                return done
            why = replace(WORKER, reason="nobody decided about it in time")
            note(connection, gateway.keyring, why, "refund.refused", f"refund:{number}")
    return BATCH


def _decide(gateway: Gateway, act: Decided, decide: Callable[[Connection], bool]) -> None:
    subject = f"refund:{act.number}"
    try:
        with gateway.database.begin() as connection:
            decided = decide(connection)
            if decided:
                note(connection, gateway.keyring, act.by, act.action, subject, act.details)
    except SamePerson:
        with gateway.database.begin() as connection:
            note(connection, gateway.keyring, replace(act.by, reason=OWN), "refund.not_decided", subject, act.details)
        raise RefusedRow(OWN) from None
    if not decided:
        raise RefusedRow("no refund waits under this number with this amount; list what waits")
    gateway.ring()
