"""Refunds that a second person decides (D35): who asked and who decides differ by a constraint of the database."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from gateway.domain.refund import MACHINE, WAITING_DAYS, RefundEvent
from gateway.store.fragments import among
from gateway.store.idempotency import conflicts
from gateway.store.refunds import TRACE, queued_refund, refusal

_LIVES = f"asked_at > house_now() - interval '{WAITING_DAYS} days'"
"""A condition: a second person may still approve; what does not is refused by the clock, whenever it is swept."""
_LIST = text(f"""
SELECT number, refund_id, payment_id, merchant_id, amount_rial, fee_rial, reason, asked_by, asked_at FROM refund
WHERE state = 'waiting' AND {_LIVES} ORDER BY asked_at LIMIT :most
""")
_APPROVE = text(f"""
WITH approved AS (
  UPDATE refund SET state = 'requested', checked_by = :by, checked_at = house_now(),
    {", ".join(f"{name} = {part}" for name, part in zip(("stan", "rrn", "local_time"), TRACE, strict=True))}
  WHERE number = :number AND amount_rial = :amount_rial AND {_LIVES}
    AND state IN {among(MACHINE.befores(RefundEvent.APPROVED_BY_SECOND))}
  RETURNING number, state),
{queued_refund("approved")}
SELECT number FROM approved
""")
_REFUSE = refusal(
    RefundEvent.REFUSED_BY_SECOND, ", checked_by = :by, checked_at = house_now()", condition="number = :number"
)
_GIVE_UP = refusal(
    RefundEvent.WAITED_TOO_LONG,
    "",
    condition=f"""number = (
    SELECT number FROM refund WHERE state = 'waiting' AND NOT {_LIVES}
    ORDER BY asked_at LIMIT 1 FOR UPDATE SKIP LOCKED)""",
)


class SamePerson(Exception):
    """Whoever asked for the refund may not decide about it; nothing was changed."""


@dataclass(frozen=True, slots=True)
class WaitingRefund:
    """A refund that waits for a second person, with all that a decision needs."""

    number: int
    refund_id: str
    payment_id: str
    merchant_id: str
    amount_rial: int
    fee_rial: int
    reason: str | None
    asked_by: str
    asked_at: dt.datetime


def waiting(connection: Connection, *, most: int) -> list[WaitingRefund]:
    """Read refunds that a second person may approve, the oldest first."""
    return [WaitingRefund(**row) for row in connection.execute(_LIST, {"most": most}).mappings()]


def approve(connection: Connection, number: int, amount_rial: int, by: str) -> bool:
    """Let a waiting refund go out, with a message key of this moment; tell whether it waited with this amount, in time.

    Raises:
        SamePerson: ``by`` asked for it.
    """
    with conflicts(refund_four_eyes=SamePerson):
        values = {"number": number, "amount_rial": amount_rial, "by": by}
        return connection.execute(_APPROVE, values).first() is not None


def refuse(connection: Connection, number: int, by: str) -> bool:
    """Refuse a waiting refund: the money is the merchant's again, and it is told; ``False`` unless it waits.

    Raises:
        SamePerson: ``by`` asked for it.
    """
    with conflicts(refund_four_eyes=SamePerson):
        return connection.execute(_REFUSE, {"number": number, "by": by}).first() is not None


def give_up(connection: Connection) -> int | None:
    """Refuse the oldest refund that waited too long for anybody; return its number, if there was one."""
    number: int | None = connection.execute(_GIVE_UP).scalar()
    return number
