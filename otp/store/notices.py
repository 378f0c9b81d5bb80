"""Notices to holders: queued by the statement that changes what they tell."""

from __future__ import annotations

from otp.domain.notices import NoticeKind

NOTICE_TOPIC = "sms.notice"


def queued(kind: NoticeKind, rows: str, facts: str = "") -> str:
    """Return the end of a statement that queues a notice.

    Args:
        kind: what is told.
        rows: the part of the statement whose rows have the ``card_id`` of whom it is told to.
        facts: names and columns of amounts that the text names, as arguments of SQL after a comma.
    """
    return f"""
INSERT INTO outbox (topic, payload)
SELECT '{NOTICE_TOPIC}', jsonb_build_object('card_id', card_id, 'kind', '{kind}'{facts}) FROM {rows}
"""
