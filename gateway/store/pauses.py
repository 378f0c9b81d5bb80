"""The kill switch of an issuer: a mark on its row that the statements of new business read."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, text

_PAUSE = text("""
UPDATE issuer SET paused_at = coalesce(paused_at, house_now()), paused_by = :by, pause_reason = :reason
WHERE issuer_id = :issuer_id
""")
_RESUME = text("""
WITH held AS (SELECT issuer_id, paused_at FROM issuer WHERE issuer_id = :issuer_id FOR UPDATE),
resumed AS (
  UPDATE issuer SET paused_at = NULL, paused_by = NULL, pause_reason = NULL FROM held
  WHERE issuer.issuer_id = held.issuer_id)
SELECT paused_at FROM held
""")
_PAUSED = text("SELECT paused_at IS NOT NULL FROM issuer WHERE issuer_id = :issuer_id")


def pause(connection: Connection, issuer_id: str, *, by: str, reason: str) -> None:
    """Take no new business for the issuer; one paused already stays so since then, by and for whom said last."""
    connection.execute(_PAUSE, {"issuer_id": issuer_id, "by": by, "reason": reason})


def resume(connection: Connection, issuer_id: str) -> dt.datetime | None:
    """Take new business again; return since when it was paused, or ``None``."""
    since: dt.datetime | None = connection.execute(_RESUME, {"issuer_id": issuer_id}).scalar()
    return since


def is_paused(connection: Connection, issuer_id: str) -> bool:
    """Tell whether the issuer is paused now."""
    return bool(connection.execute(_PAUSED, {"issuer_id": issuer_id}).scalar())
