"""What one person asks and another approves (D35). The table itself refuses the same person and a late word."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from gateway.domain.four_eyes import LIFE_HOURS, Asked

_COLUMNS = "request_id, asks, subject, maker, reason, facts, before_digest, expires_at"
_LAPSE = text("""
UPDATE approval_request SET lapsed_at = house_now() WHERE asks = :asks AND subject = :subject
  AND approved_at IS NULL AND lapsed_at IS NULL AND expires_at <= house_now()
""")
_ASK = text(f"""
INSERT INTO approval_request (asks, subject, maker, reason, facts, before_digest, asked_at, expires_at)
SELECT :asks, :subject, :maker, :reason, CAST(:facts AS jsonb), :digest, now, now + interval '{LIFE_HOURS} hours'
FROM (SELECT house_now() AS now) AS clock ON CONFLICT DO NOTHING RETURNING request_id
""")
_HOLD = text(f"""
SELECT {_COLUMNS} FROM approval_request
WHERE request_id = :request_id AND approved_at IS NULL AND lapsed_at IS NULL FOR UPDATE
""")
_APPROVE = text("""
UPDATE approval_request SET checker = :checker, approved_at = house_now(), approved_digest = :digest
WHERE request_id = :request_id
""")
_END = text("UPDATE approval_request SET lapsed_at = house_now() WHERE request_id = :request_id")
_WAITING = text(f"""
SELECT {_COLUMNS} FROM approval_request WHERE approved_at IS NULL AND lapsed_at IS NULL AND expires_at > house_now()
ORDER BY request_id LIMIT :most
""")


class SamePerson(Exception):
    """Whoever asked cannot approve (constraint ``approval_four_eyes``)."""


class TooLate(Exception):
    """The request's time was over (constraint ``approval_in_time``)."""


class Changed(Exception):
    """What it is about is not what it was (constraint ``approval_of_what_was_asked``)."""


_REFUSES = {
    "approval_four_eyes": SamePerson,
    "approval_in_time": TooLate,
    "approval_of_what_was_asked": Changed,
}


@dataclass(frozen=True, slots=True)
class Request:
    """A request nobody has approved yet; ``facts`` say what would be done."""

    request_id: int
    asks: Asked
    subject: str
    maker: str
    reason: str
    facts: Mapping[str, Any]
    before_digest: bytes
    expires_at: dt.datetime


def ask(
    connection: Connection, asks: Asked, subject: str, who: tuple[str, str], facts: Mapping[str, object], digest: bytes
) -> int | None:
    """Write a request of ``who`` (maker and reason); ``None`` when one about this waits already."""
    maker, reason = who
    values = {"asks": asks, "subject": subject, "maker": maker, "reason": reason}
    connection.execute(_LAPSE, {"asks": asks, "subject": subject})
    found = connection.execute(_ASK, {**values, "facts": json.dumps(dict(facts)), "digest": digest}).scalar()
    return None if found is None else int(found)


def hold(connection: Connection, request_id: int) -> Request | None:
    """Read a request that nobody has approved, and hold it until the transaction ends."""
    row = connection.execute(_HOLD, {"request_id": request_id}).mappings().one_or_none()
    return None if row is None else _request(row)


def approve(connection: Connection, request_id: int, checker: str, digest: bytes) -> None:
    """Approve a held request.

    Raises:
        SamePerson, TooLate, Changed: the database refused; nothing was changed.
    """
    try:
        connection.execute(_APPROVE, {"request_id": request_id, "checker": checker, "digest": digest})
    except IntegrityError as error:
        constraint = getattr(getattr(error.orig, "diag", None), "constraint_name", None)
        if (refusal := _REFUSES.get(constraint or "")) is None:
            raise
        raise refusal from None


def end(connection: Connection, request_id: int) -> None:
    """End a held request without an approval."""
    connection.execute(_END, {"request_id": request_id})


def waiting(connection: Connection, *, most: int) -> list[Request]:
    """Read requests that can still be approved, oldest first."""
    return [_request(row) for row in connection.execute(_WAITING, {"most": most}).mappings()]


def _request(row: Any) -> Request:
    return Request(**{**row, "asks": Asked(row["asks"]), "before_digest": bytes(row["before_digest"])})
