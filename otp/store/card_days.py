"""A card's day in Tehran: what was approved counts on the day of its decision, whenever its message came (D33)."""

from __future__ import annotations

TODAY = """
today AS MATERIALIZED (
    SELECT date_trunc('day', now, 'Asia/Tehran') AS began, to_char(now AT TIME ZONE 'Asia/Tehran', 'MMDD') AS day
      FROM clock)
"""
"""Needs ``clock`` before it."""

# DE 17 is the day of the decision, by the time that was read under the card's lock; a message that waited for the lock
# over midnight was written down before. DE 17 has no year, so the time of writing tells it, and keeps to the index.
APPROVED_TODAY = """state = 'approved' AND capture_date = (SELECT day FROM today)
       AND created_at >= (SELECT began FROM today) - interval '1 hour'"""
"""Which authorisations count today; needs :data:`TODAY`. No message waits for an hour."""
