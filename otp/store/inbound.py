"""Messages from holders: each once, the cards of its sender, the statement that writes what is done about it (D26)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.inbound import CANONICAL, CODE_DIGITS, LIFE_SECONDS
from otp.domain.quotas import Charge
from otp.store.ceilings import IN_FORCE, Ceilings
from otp.store.notices import NOTICE_TOPIC
from otp.store.quotas import COUNTED, counted

CARDS_MAX = 50

_ONCE = text("""
INSERT INTO inbound_message (provider, message_id, sender_token, outcome)
VALUES (:provider, coalesce(:message_id, :said || '@' || floor(extract(epoch FROM house_now()) / 60)), :sender_token,
        'received') ON CONFLICT DO NOTHING RETURNING message_id
""")

_LOCK_CARDS = text("""
SELECT card_id FROM card WHERE mobile_token = ANY(CAST(:tokens AS bytea[])) ORDER BY card_id LIMIT :most FOR UPDATE
""")

# A statement of its own after the lock: one that waited for a lock goes on with its old snapshot (D4).
_READ = text(f"""
SELECT house_now() AS now, card.card_id, coalesce(card.card_name, card.card_token) AS card_name,
       card.pan_sealed, card.expiry, card.sms_codes_active,
       card.status = 'active' AND card.kind = 'debit' AND card.second_pin_active
         AND coalesce(card.pin_locked_until < house_now(), true)
         AND coalesce(card.card_not_present_paused_until < house_now(), true) AS usable,
       {IN_FORCE} AS ceiling_rial, live.challenge_id, live.sent_at, live.expires_at
  FROM card LEFT JOIN challenge live ON live.card_id = card.card_id AND live.channel = 'sms' AND live.state = 'issued'
 WHERE card.card_id = ANY(CAST(:card_ids AS bigint[])) ORDER BY card.card_id
""")

# A limit that is reached adds no row to "counted": then nothing is issued, sent or told.
_WRITE = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{COUNTED},
ended AS (
    UPDATE challenge SET state = CASE WHEN expires_at <= clock.now THEN 'expired' ELSE 'superseded' END,
           decided_at = clock.now
      FROM clock, verdict
     WHERE challenge_id = ANY(CAST(:ended AS bigint[])) AND state = 'issued' AND NOT held RETURNING challenge_id),
issued AS (
    INSERT INTO challenge (correlation_id, card_id, channel, nonce, canonical, binding_digest, code_mac, key_id,
                           code_length, tries_max, proven, issued_at, sent_at, expires_at, bound, ceiling_rial)
    SELECT CAST(:correlation_id AS uuid), CAST(:card_id AS bigint), 'sms', CAST(:nonce AS bytea), '{CANONICAL}',
           sha256('{CANONICAL}'), CAST(:code_mac AS bytea), :key_id, {CODE_DIGITS}, :tries_max, false, clock.now,
           clock.now, clock.now + make_interval(secs => {LIFE_SECONDS}), '{{}}', CAST(:ceiling_rial AS bigint)
      FROM clock, verdict
     WHERE CAST(:step AS text) = 'code' AND NOT held AND (SELECT count(*) FROM ended) >= 0
    RETURNING challenge_id, resends),
resent AS (
    UPDATE challenge SET resends = resends + 1, sent_at = clock.now, delivery = 'queued',
           delivery_at = NULL, accepted_at = NULL
      FROM clock, verdict
     WHERE challenge_id = CAST(:resent AS bigint) AND state = 'issued' AND NOT held
    RETURNING challenge_id, resends),
sent AS (SELECT * FROM issued UNION ALL SELECT * FROM resent),
queued AS (
    INSERT INTO outbox (topic, unique_key, payload)
    SELECT 'sms.code', 'sms.code:' || challenge_id || ':' || resends, jsonb_build_object('challenge_id', challenge_id)
      FROM sent RETURNING id),
told AS (
    INSERT INTO outbox (topic, payload)
    SELECT '{NOTICE_TOPIC}', jsonb_build_object('card_id', CAST(:card_id AS bigint), 'kind', CAST(:notice AS text))
      FROM verdict WHERE CAST(:notice AS text) IS NOT NULL AND NOT held RETURNING id)
UPDATE inbound_message SET outcome = CASE WHEN held THEN 'limited' ELSE :outcome END
  FROM verdict WHERE provider = :provider AND message_id = :message_id
RETURNING outcome
""")


@dataclass(frozen=True, slots=True)
class SenderCard:
    """A card with the sender's number on file, under its lock, and its code by text message that is out."""

    now: dt.datetime
    card_id: int
    card_name: bytes
    pan_sealed: bytes
    expiry: str
    sms_codes_active: bool
    usable: bool
    ceiling_rial: int
    challenge_id: int | None
    sent_at: dt.datetime | None
    expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Answering:
    """All that one message changes.

    Args:
        step: ``code`` issues one; anything else does not.
        notice: what the number on file is told, if anything.
        charges: limits to count on; a reached one stops everything else.
    """

    provider: str
    message_id: str
    outcome: str
    step: str
    card_id: int | None
    resent: int | None
    ended: Sequence[int]
    notice: str | None
    correlation_id: str
    nonce: bytes
    code_mac: bytes
    key_id: str
    tries_max: int
    ceiling_rial: int | None


def once(connection: Connection, provider: str, message_id: str | None, sender_token: bytes, said: bytes) -> str | None:
    """Take a message and return the name it is kept by; ``None`` when it was taken before.

    A message without a name of its provider's is known by ``said``, a hash of what it says: the same words in the same
    minute are the same message.
    """
    values = {"provider": provider, "message_id": message_id, "sender_token": sender_token, "said": said.hex()}
    name: str | None = connection.execute(_ONCE, values).scalar_one_or_none()
    return name


def cards_of(connection: Connection, mobile_tokens: Sequence[bytes], ceilings: Ceilings) -> list[SenderCard]:
    """Hold and read the cards that have this number on file, at most fifty."""
    held = connection.execute(_LOCK_CARDS, {"tokens": list(mobile_tokens), "most": CARDS_MAX})
    card_ids = [int(row.card_id) for row in held]
    if not card_ids:
        return []
    rows = connection.execute(_READ, {"card_ids": card_ids, **asdict(ceilings)})
    return [SenderCard(**row) for row in rows.mappings()]


def answer(connection: Connection, answering: Answering, charges: Sequence[Charge]) -> str:
    """Write what is done about a message; return its outcome, ``limited`` where a limit held it back."""
    values = {**asdict(answering), "ended": list(answering.ended), **counted(charges)}
    outcome: str = connection.execute(_WRITE, values).scalar_one()
    return outcome
