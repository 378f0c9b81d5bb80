"""What an answer that nobody waits for still says: it is kept as evidence, and a late approval is acted on (D8)."""

from __future__ import annotations

from gateway.domain.outcome import APPROVED_CODE, Approved
from gateway.ports import Unmatched, UnmatchedAnswer
from gateway.services import recover
from gateway.services.gateway import Gateway
from gateway.store import unmatched
from gateway.store.unmatched import UnmatchedReport

APPROVAL_TYPE = "1210"
HEARD = frozenset({Unmatched.LATE, Unmatched.NOBODY})
"""A repeated answer was heard the first time, and one with a wrong MAC is nobody's."""


def hear_unmatched(gateway: Gateway, answer: UnmatchedAnswer) -> None:
    """Keep the answer; if it approves an attempt that is not decided, record the approval as an inquiry's."""
    with gateway.database.single() as connection:
        unmatched.keep(connection, answer)
    approves = answer.message_type == APPROVAL_TYPE and answer.action_code == APPROVED_CODE
    if approves and answer.why in HEARD:
        recover.heard_late(gateway, answer, Approved(answer.approval_code or None, answer.capture_date or None))


def unmatched_report(gateway: Gateway) -> UnmatchedReport:
    """Count a day's unmatched answers."""
    with gateway.database.begin() as connection:
        return unmatched.report(connection)
