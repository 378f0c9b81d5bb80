"""Balances of accounts: a folded snapshot and the tail of postings behind it (D32).

Whoever charges an account that has a floor (``payable:<merchant>``) locks it first, in a statement of its own, and
looks and decides in the next one: a statement that waited for a lock would go on with its old snapshot (D4). No other
account is ever locked.

Folding must never pass over a posting that commits later with a lower id: it goes up to a mark
(:mod:`gateway.store.marks`).
"""

from __future__ import annotations

from sqlalchemy import Connection, text

from gateway.store.marks import write_on, writers

NOTED_EVERY = 1_000
"""So many postings of a merchant's account are folded from one checkpoint to the next, and at most one batch more."""

_LOCK = text("""
INSERT INTO account_lock (account) VALUES (:account) ON CONFLICT (account) DO UPDATE SET account = excluded.account
""")
_FIRST = text("""
INSERT INTO posting_fold (one) SELECT true WHERE NOT EXISTS (SELECT FROM posting_fold) ON CONFLICT DO NOTHING
""")
_TAKE = text("SELECT folded, mark, writers FROM posting_fold FOR UPDATE SKIP LOCKED")
_NEWEST = text("SELECT coalesce(max(posting_id), 0) FROM posting")
_MARK = text(f"UPDATE posting_fold SET mark = :mark, writers = ARRAY({writers('posting')}) RETURNING writers")
_WRITE_ON = write_on("posting")
_FOLD = text("""
WITH these AS MATERIALIZED (
  SELECT posting_id, source, destination, amount_rial FROM posting
  WHERE posting_id > :folded AND posting_id <= :mark ORDER BY posting_id LIMIT :most),
reach AS MATERIALIZED (
  SELECT count(*) AS number, CASE WHEN count(*) < :most THEN CAST(:mark AS bigint) ELSE max(posting_id) END AS upto
  FROM these),
moved AS (
  INSERT INTO account_snapshot (account, upto, balance_rial, unnoted)
  SELECT account, upto, rial, postings FROM reach CROSS JOIN (
    SELECT account, sum(rial) AS rial, count(*) AS postings FROM (
      SELECT source AS account, -amount_rial AS rial FROM these
      UNION ALL SELECT destination, amount_rial FROM these) AS sides
    GROUP BY account) AS sums
  ON CONFLICT (account) DO UPDATE SET upto = excluded.upto, folded_at = excluded.folded_at,
    balance_rial = account_snapshot.balance_rial + excluded.balance_rial,
    unnoted = excluded.unnoted
      + CASE WHEN account_snapshot.unnoted < :noted_every THEN account_snapshot.unnoted ELSE 0 END
  RETURNING account, upto, balance_rial, unnoted),
noted AS (
  INSERT INTO account_checkpoint (account, upto, balance_rial)
  SELECT account, upto, balance_rial FROM moved WHERE unnoted >= :noted_every AND account LIKE 'payable:%')
UPDATE posting_fold SET folded = reach.upto FROM reach RETURNING reach.number
""")


def balance_of(account: str) -> str:
    """Return the balance in rials of an account, an SQL expression, as a scalar query: the snapshot and its tail.

    An account that nothing was ever posted to has none, which is zero.
    """
    return f"""(
  SELECT coalesce(folded.balance_rial, 0)
    + coalesce((SELECT sum(amount_rial) FROM posting
        WHERE destination = asked.account AND posting_id > coalesce(folded.upto, 0)), 0)
    - coalesce((SELECT sum(amount_rial) FROM posting
        WHERE source = asked.account AND posting_id > coalesce(folded.upto, 0)), 0)
  FROM (VALUES ({account})) AS asked (account)
  LEFT JOIN account_snapshot AS folded ON folded.account = asked.account)"""


def lock(connection: Connection, account: str) -> None:
    """Hold an account with a floor until this transaction ends; only ``payable:`` accounts have one (a constraint)."""
    connection.execute(_LOCK, {"account": account})


def fold(connection: Connection, *, most: int) -> int:
    """Fold at most ``most`` postings into their accounts' snapshots, within one transaction; return how many.

    One at a time; a second caller, and one that would have to wait for writers, folds nothing and comes again.
    """
    connection.execute(_FIRST)
    row = connection.execute(_TAKE).one_or_none()
    if row is None:
        return 0
    mark, writing = row.mark, list(row.writers)
    if row.folded == mark:
        mark = connection.execute(_NEWEST).scalar_one()
        if mark == row.folded:
            return 0
        writing = list(connection.execute(_MARK, {"mark": mark}).scalar_one())
    if connection.execute(_WRITE_ON, {"writers": writing}).scalar_one():
        return 0
    values = {"folded": row.folded, "mark": mark, "most": most, "noted_every": NOTED_EVERY}
    return int(connection.execute(_FOLD, values).scalar_one())
