"""Messages whose provider may still say what became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

GRACE = "interval '10 minutes'"
"""After a code's end, in which its message is still asked about: some providers look for receipts only then."""

_CLAIM = text(f"""
UPDATE challenge SET receipt_asked_at = house_now()
 WHERE challenge_id IN (
   SELECT challenge_id FROM challenge
    WHERE delivery = 'accepted' AND state IN ('issued', 'expired') AND expires_at > house_now() - {GRACE}
      AND provider_message_id IS NOT NULL
      AND greatest(receipt_asked_at, delivery_at)
          <= house_now() - greatest(make_interval(secs => :pause), (house_now() - delivery_at) / 4)
    ORDER BY greatest(receipt_asked_at, delivery_at) LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING challenge_id, provider_message_id AS message_id
""")

_RECORD = text("""
UPDATE challenge SET delivery = told.delivery, delivery_at = house_now(), receipt_asked_at = NULL
  FROM unnest(CAST(:challenge_ids AS bigint[]), CAST(:message_ids AS text[]), CAST(:deliveries AS text[]))
       AS told (challenge_id, message_id, delivery)
 WHERE challenge.challenge_id = told.challenge_id AND provider_message_id = told.message_id
   AND challenge.delivery = 'accepted'
""")

_RECORD_BY_MESSAGE = text("""
UPDATE challenge SET delivery = :delivery, delivery_at = house_now(), receipt_asked_at = NULL
 WHERE provider_message_id = :message_id AND delivery = 'accepted'
""")

_GIVE_UP = text(f"""
UPDATE challenge SET receipt_asked_at = NULL
 WHERE challenge_id IN (
   SELECT challenge_id FROM challenge
    WHERE delivery = 'accepted' AND state = 'expired' AND receipt_asked_at IS NOT NULL
      AND expires_at BETWEEN house_now() - interval '1 hour' AND house_now() - {GRACE}
    ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
RETURNING provider_message_id
""")


@dataclass(frozen=True, slots=True)
class Unreported:
    """A message of a code that nobody used yet, that a provider accepted; ``message_id`` is the provider's."""

    challenge_id: int
    message_id: str


def claim(connection: Connection, *, pause_seconds: float, most: int) -> list[Unreported]:
    """Take messages to ask about, those waiting longest first, and none that was just asked about.

    The pause before the next question grows with a message's age, to a quarter of it.
    """
    rows = connection.execute(_CLAIM, {"pause": pause_seconds, "most": most}).mappings()
    return [Unreported(**row) for row in rows]


def record(connection: Connection, told: Sequence[tuple[Unreported, str]]) -> None:
    """Keep ``delivered`` or ``undelivered`` of messages; one that was sent again meanwhile is not touched."""
    values = {
        "challenge_ids": [message.challenge_id for message, _ in told],
        "message_ids": [message.message_id for message, _ in told],
        "deliveries": [delivery for _, delivery in told],
    }
    connection.execute(_RECORD, values)


def record_by_message(connection: Connection, message_id: str, delivery: str) -> bool:
    """Keep ``delivered`` or ``undelivered`` of the message of this id; tells whether one was waiting for it."""
    values = {"message_id": message_id, "delivery": delivery}
    return connection.execute(_RECORD_BY_MESSAGE, values).rowcount > 0


def give_up(connection: Connection, most: int) -> list[str]:
    """Stop waiting for messages whose codes ended unused; return the providers' ids of them, each once."""
    return list(connection.execute(_GIVE_UP, {"most": most}).scalars())
