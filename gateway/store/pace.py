"""The pace of recovery: how many inquiries and reversals an issuer gets per second, over all processes (F19)."""

from __future__ import annotations

from sqlalchemy import Connection, text

LONGEST_WAIT_SECONDS = 60
"""Whoever is turned away comes back within a minute; a longer queue is folded over the same minute."""

_TURN = text("""
INSERT INTO recovery_pace AS pace (issuer_id, spent_until, asked_until, wait_seconds)
VALUES (:issuer_id, house_now() + make_interval(secs => 1.0 / :per_second), house_now(), 0)
ON CONFLICT (issuer_id) DO UPDATE SET (spent_until, asked_until, wait_seconds) = (
  SELECT CASE WHEN free_at <= now THEN spent + step ELSE spent END,
    CASE WHEN free_at <= now THEN pace.asked_until ELSE turn_at END,
    CASE WHEN free_at <= now THEN 0 ELSE extract(epoch FROM turn_at - now) END
  FROM (SELECT house_now() AS now, make_interval(secs => 1.0 / :per_second) AS step) AS clock
  CROSS JOIN LATERAL (SELECT greatest(now, least(pace.spent_until, now + :burst * step)) AS spent) AS account
  CROSS JOIN LATERAL (SELECT spent - (:burst - 1) * step AS free_at) AS bucket
  CROSS JOIN LATERAL (SELECT CASE
    WHEN pace.asked_until + step BETWEEN free_at AND now + make_interval(secs => :longest_wait_seconds)
    THEN pace.asked_until + step ELSE free_at END AS turn_at) AS queue)
RETURNING wait_seconds
""")


def take_turn(connection: Connection, issuer_id: str, *, per_second: int, burst: int) -> float:
    """Take one token of the issuer's bucket and return 0, or return in how many seconds to ask again.

    The bucket holds ``burst`` tokens and gains ``per_second``. Time is read once, after the row's lock (D33). Those
    turned away get times one refill apart, so that they come back one by one. A clock that jumps back costs one
    refill at most.
    """
    values = {
        "issuer_id": issuer_id,
        "per_second": per_second,
        "burst": burst,
        "longest_wait_seconds": LONGEST_WAIT_SECONDS,
    }
    wait: float = connection.execute(_TURN, values).scalar_one()
    return wait
