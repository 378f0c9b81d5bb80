"""Numbers of the gateway that live in its database, read by the monitor each minute."""

from __future__ import annotations

from foundation.checks import Measure

TOPICS = ("switch.inquire", "switch.refund", "switch.reverse", "webhook")
STATES = ("submitted", "unknown", "voiding", "disputed")

MEASURES = (
    Measure(
        "under_way",
        "attempts that nobody has answered for yet, by state",
        "SELECT state, count(*) FROM attempt_under_way GROUP BY state",
        "state",
        STATES,
    ),
    Measure(
        "oldest_under_way_seconds",
        "age of the oldest of them, since it was submitted, or since its reversal was decided",
        "SELECT state, extract(epoch FROM house_now() - min(coalesce(reversal_decided_at, submitted_at))) "
        "FROM attempt_under_way GROUP BY state",
        "state",
        STATES,
    ),
    Measure(
        "outbox_waiting",
        "jobs neither done nor given up, by topic",
        "SELECT topic, count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL GROUP BY topic "
        "UNION ALL SELECT 'webhook', count(*) FROM webhook_delivery WHERE state = 'waiting'",
        "topic",
        TOPICS,
    ),
    Measure(
        "outbox_oldest_seconds",
        "age of the oldest of them; of topic webhook: the oldest undelivered webhook",
        "SELECT topic, extract(epoch FROM house_now() - min(created_at)) FROM outbox "
        "WHERE done_at IS NULL AND dead_at IS NULL GROUP BY topic "
        "UNION ALL SELECT 'webhook', extract(epoch FROM house_now() - min(give_up_at - interval '3 days')) "
        "FROM webhook_delivery WHERE state = 'waiting' HAVING count(*) > 0",
        "topic",
        TOPICS,
    ),
    Measure(
        "outbox_dead",
        "jobs given up that nobody has looked at, by topic",
        "SELECT topic, count(*) FROM outbox WHERE dead_at IS NOT NULL GROUP BY topic "
        "UNION ALL SELECT 'webhook', count(*) FROM webhook_delivery WHERE state = 'dead'",
        "topic",
        TOPICS,
    ),
)
