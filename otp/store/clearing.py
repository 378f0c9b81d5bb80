"""What a clearing file is made of: debits and credits captured on a day, and earlier ones undone on it."""

from __future__ import annotations

import datetime as dt

from sqlalchemy import Connection, text

from otp.domain.clearing import Line

_DAY = "CAST(:day AS date)"
_BEGINS = f"(CAST({_DAY} AS timestamp) AT TIME ZONE 'Asia/Tehran')"
_ENDS = f"(CAST({_DAY} + 1 AS timestamp) AT TIME ZONE 'Asia/Tehran')"

# Every debit is called a purchase here, and all that gives money to a card a credit. DE 17 has no year: the day of the
# decision, the same or the next, tells it.
_LINES = text(f"""
WITH undone AS (
  SELECT authorisation_id, min(at) AS at FROM posting WHERE event = 'reversal' AND at >= {_BEGINS}
    AND at < {_ENDS} GROUP BY 1),
captured AS (
  SELECT a.*, undone.at AS undone_at,
    CAST(a.decided_at AT TIME ZONE 'Asia/Tehran' AS date)
      - CASE WHEN to_char(a.decided_at AT TIME ZONE 'Asia/Tehran', 'MMDD') = a.capture_date THEN 0 ELSE 1 END AS day
  FROM authorisation a LEFT JOIN undone USING (authorisation_id)
  WHERE a.acquirer_id = :acquirer AND a.kind NOT IN ('pin_check', 'tombstone') AND a.amount_rial > 0
    AND a.state IN ('approved', 'reversed')
    AND (undone.at IS NOT NULL OR (a.decided_at BETWEEN {_BEGINS} AND {_ENDS} + interval '1 hour'
      AND a.created_at BETWEEN {_BEGINS} - interval '1 hour' AND {_ENDS} + interval '1 hour')))
SELECT acquirer_id, terminal_id, stan, rrn, local_time,
  CASE WHEN kind = 'credit' THEN CASE WHEN day = {_DAY} THEN 'credit' ELSE 'credit_reversal' END
    WHEN day = {_DAY} THEN 'purchase' ELSE 'reversal' END AS kind, amount_rial, to_char(day, 'YYYYMMDD') AS day,
  CASE WHEN undone_at IS NULL THEN 'approved' ELSE 'reversed' END AS state
FROM captured WHERE day = {_DAY} OR (day < {_DAY} AND undone_at IS NOT NULL)
ORDER BY authorisation_id
""")
_TEHRAN_NOW = text("SELECT house_now() AT TIME ZONE 'Asia/Tehran'")


def tehran_now(connection: Connection) -> dt.datetime:
    """Return the moment by the clock that decides, as a clock on a wall in Tehran shows it."""
    moment: dt.datetime = connection.execute(_TEHRAN_NOW).scalar_one()
    return moment


def lines(connection: Connection, acquirer: str, day: dt.date) -> list[Line]:
    """Read the lines of an acquirer's file of this capture date, in the order of the books."""
    return [Line(*row) for row in connection.execute(_LINES, {"acquirer": acquirer, "day": day})]
