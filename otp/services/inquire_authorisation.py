"""Tell what became of a purchase; executes nothing (D9c)."""

from __future__ import annotations

from foundation.rial import Rial
from otp.domain.action_codes import ActionCode
from otp.domain.financial import HostAnswer, MessageKey
from otp.services.desk import Desk
from otp.store import authorisations

_GONE = frozenset({"reversed", "tombstone"})


def inquire_authorisation(desk: Desk, key: MessageKey) -> HostAnswer:
    """Answer with the original's own action code, "reversed", "not found" (no promise) or "in progress"."""
    with desk.database.single() as connection:
        busy, original = authorisations.inquire(connection, key)
    if original is None:
        return HostAnswer(ActionCode.IN_PROGRESS if busy else ActionCode.NOT_FOUND)
    if original.state in _GONE:
        return HostAnswer(ActionCode.ORIGINAL_REVERSED)
    return HostAnswer(
        original.action_code,
        original.approval_code,
        original.capture_date,
        Rial(original.amount_rial) if original.state == "approved" else None,
    )
