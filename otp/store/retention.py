"""What the bank may not keep for ever: phones, by what they were kept for and since when (D43)."""

from __future__ import annotations

from sqlalchemy import Connection, text

_ERASE_CHANGES = text("""
WITH due AS (
    SELECT change_id FROM mobile_change
     WHERE erased_at IS NULL AND decided_at < house_now() - make_interval(days => :least_days)
       AND decided_at < house_now() - make_interval(days => CASE state WHEN 'made' THEN :made_days
                                                                       ELSE :typed_days END)
     ORDER BY decided_at LIMIT :most FOR UPDATE SKIP LOCKED)
UPDATE mobile_change SET mobile_sealed = NULL, mobile_token = NULL, mobile_token_key = NULL, mobile_last_two = NULL,
       former_sealed = NULL, erased_at = house_now()
  FROM due WHERE mobile_change.change_id = due.change_id
""")

_FORGET_SENDERS = text("""
DELETE FROM inbound_message
 WHERE (provider, message_id) IN (
    SELECT provider, message_id FROM inbound_message
     WHERE received_at < house_now() - make_interval(days => :keep_days)
     ORDER BY received_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")


def erase_changes(connection: Connection, *, made_days: int, typed_days: int, most: int) -> int:
    """Erase the numbers of changes of mobile that were decided so many days ago, those made and the others apart.

    That a card's mobile was changed, when and how often it was tried stays; return how many were erased.
    """
    values = {"made_days": made_days, "typed_days": typed_days, "least_days": min(made_days, typed_days), "most": most}
    return connection.execute(_ERASE_CHANGES, values).rowcount


def forget_senders(connection: Connection, *, keep_days: int, most: int) -> int:
    """Delete who texted to the bank so many days ago; what was texted is never kept. Return how many."""
    return connection.execute(_FORGET_SENDERS, {"keep_days": keep_days, "most": most}).rowcount
