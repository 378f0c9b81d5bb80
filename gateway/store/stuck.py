"""Money that nobody has answered for in the promised time, whatever kind of it, oldest first."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

from gateway.domain.stuck import Waiting

_LATE = "credit IN ('owed', 'reversing') AND deadline_at <= house_now()"
_STUCK = text(f"""
SELECT kind, payment_id, state, rial, CAST(floor(extract(epoch FROM house_now() - since)) AS bigint) AS age_seconds
FROM (
  SELECT '{Waiting.DEBIT}' AS kind, payment_id, state, total_rial AS rial,
    coalesce(reversal_decided_at, submitted_at) AS since FROM attempt_under_way WHERE past_promise
  UNION ALL SELECT '{Waiting.CREDIT}', payment_id, credit, amount_rial, owed_at
  FROM transfer JOIN payment USING (payment_id) WHERE {_LATE}
  UNION ALL SELECT '{Waiting.TOP_UP}', payment_id, credit, amount_rial, owed_at
  FROM top_up JOIN payment USING (payment_id) WHERE {_LATE}
  UNION ALL SELECT '{Waiting.REFUND}', payment_id, state, total_rial, since FROM refund_under_way WHERE past_promise
) AS waiting ORDER BY since, payment_id LIMIT :most
""")


@dataclass(frozen=True, slots=True)
class Stuck:
    """One of them; ``age_seconds`` since it was sent, or since its reversal was decided."""

    kind: Waiting
    payment_id: str
    state: str
    rial: int
    age_seconds: int


def stuck(connection: Connection, *, most: int) -> list[Stuck]:
    """Read what is past its promised time."""
    rows = connection.execute(_STUCK, {"most": most}).mappings()
    return [Stuck(**{**row, "kind": Waiting(row["kind"])}) for row in rows]
