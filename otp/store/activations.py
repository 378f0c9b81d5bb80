"""Activations: the lock of their card, what one depends on, and what is written of it.

Every statement that holds several rows takes them in one order: card, activation, devices, their cards. So does the
host, which holds the card first; nobody then waits for somebody who waits for him.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from otp.domain.quotas import Charge
from otp.store.quotas import COUNTED, counted

ACTIVATION_TOPIC = "sms.activation"

_CARD = text("""
SELECT card_id, coalesce(card_name, card_token) AS card_name, status, kind, customer_id, mobile_token,
       mobile_last_two
  FROM card WHERE card_id = :card_id FOR UPDATE
""")

# The id is the first of some that no live activation has. A second writer that takes the same one in the same moment is
# refused by the index, and whoever wanted the code asks again.
_ISSUE = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{COUNTED},
ended AS (
    UPDATE activation SET state = 'superseded', decided_at = clock.now FROM clock, verdict
     WHERE card_id = :card_id AND channel = :channel AND state = 'issued' AND NOT held RETURNING activation_key),
issued AS (
    INSERT INTO activation (activation_id, card_id, channel, device_id, nonce, key_id, ceiling_rial, issued_at,
                            expires_at)
    SELECT (SELECT candidate FROM unnest(CAST(:candidates AS text[])) WITH ORDINALITY AS offered (candidate, place)
             WHERE NOT EXISTS (SELECT FROM activation WHERE activation_id = candidate AND state = 'issued')
             ORDER BY place LIMIT 1),
           :card_id, :channel, CAST(:device_id AS uuid), :nonce, :key_id, CAST(:ceiling_rial AS bigint), clock.now,
           clock.now + make_interval(secs => :life_seconds)
      FROM clock, verdict WHERE NOT held AND (SELECT count(*) FROM ended) >= 0
    RETURNING activation_key, activation_id, expires_at),
queued AS (
    INSERT INTO outbox (topic, unique_key, payload)
    SELECT '{ACTIVATION_TOPIC}', '{ACTIVATION_TOPIC}:' || activation_key,
           jsonb_build_object('activation_key', activation_key)
      FROM issued RETURNING id)
SELECT issued.activation_id, issued.expires_at, verdict.retry_after FROM verdict LEFT JOIN issued ON true
""")

_LOCK_CARD = text("""
SELECT card.card_id FROM activation JOIN card USING (card_id)
 WHERE activation_id = :activation_id AND activation.state = 'issued' FOR UPDATE OF card
""")

# A statement of its own after the card's lock: one that waited for a lock goes on with its old snapshot (D4).
_READ = text("""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
found AS MATERIALIZED (
    SELECT * FROM activation
     WHERE activation_id = :activation_id AND card_id = CAST(:card_id AS bigint) AND state = 'issued' FOR UPDATE)
SELECT clock.now, found.activation_key, found.card_id, found.channel, CAST(found.device_id AS text) AS device_id,
       found.nonce, found.key_id, found.wrong_tries, found.expires_at, found.ceiling_rial,
       card.status AS card_status, coalesce(card.card_name, card.card_token) AS card_name,
       card.pan_sealed, card.customer_id
  FROM clock LEFT JOIN found ON true LEFT JOIN card USING (card_id)
""")

# A guess at a number that nobody has writes a row as well: from outside it takes what a wrong code takes.
_REFUSE = text("""
WITH nobodys AS (
    INSERT INTO quota AS row (scope, window_start, used)
    SELECT :nobodys, date_trunc('hour', house_now(), 'Asia/Tehran'), 1 WHERE CAST(:activation_key AS bigint) IS NULL
        ON CONFLICT (scope, window_start) DO UPDATE SET used = row.used + 1 RETURNING scope)
UPDATE activation SET state = :state, wrong_tries = :wrong_tries,
       decided_at = CASE :state WHEN 'issued' THEN NULL ELSE house_now() END
 WHERE activation_key = CAST(:activation_key AS bigint) AND state = 'issued'
""")

_FOR_SENDING = text("""
SELECT activation.state, activation.channel, activation.nonce, activation.key_id, activation.ceiling_rial,
       activation.expires_at <= house_now() AS late, coalesce(card.card_name, card.card_token) AS card_name,
       card.pan_sealed, card.mobile_sealed
  FROM activation JOIN card USING (card_id) WHERE activation_key = :activation_key
""")

# What was begun at the cash machine and not finished: changes of mobile in the same sweep.
_EXPIRE = text("""
WITH changes AS (
    UPDATE mobile_change SET state = 'expired', decided_at = house_now()
     WHERE change_id IN (SELECT change_id FROM mobile_change WHERE state = 'issued' AND expires_at <= house_now()
                          ORDER BY change_id LIMIT :most FOR UPDATE SKIP LOCKED) RETURNING change_id)
UPDATE activation SET state = 'expired', decided_at = house_now()
 WHERE activation_key IN (SELECT activation_key FROM activation WHERE state = 'issued' AND expires_at <= house_now()
                           ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")

USED = """
used AS (
    UPDATE activation SET state = 'used', decided_at = house_now(), device_id = CAST(:device_id AS uuid)
     WHERE activation_key = :activation_key AND state = 'issued' RETURNING activation_key)
"""
"""Uses an activation up; whatever it brings reads from ``used``."""


@dataclass(frozen=True, slots=True)
class CardFacts:
    """What decides whether a card may have an activation, read under its lock."""

    card_id: int
    card_name: bytes
    status: str
    kind: str
    customer_id: int | None
    mobile_token: bytes | None
    mobile_last_two: str | None


@dataclass(frozen=True, slots=True)
class NewActivation:
    """An activation as it would be stored; neither part is in it.

    Args:
        candidates: numbers to choose a free one from.
        device_id: which device asked; ``None`` for the cash machine, where no device is known yet.
        ceiling_rial: what it raises the card's ceiling to.
    """

    card_id: int
    channel: str
    candidates: Sequence[str]
    device_id: str | None
    nonce: bytes
    key_id: str
    ceiling_rial: int | None
    life_seconds: int


@dataclass(frozen=True, slots=True)
class IssuedRow:
    """What became of it: its number and its end, or how long a limit holds it back, seconds."""

    activation_id: str | None
    expires_at: dt.datetime | None
    retry_after: int | None


@dataclass(frozen=True, slots=True)
class ActivationRow:
    """An issued activation under its lock, with its card."""

    activation_key: int
    card_id: int
    channel: str
    device_id: str | None
    nonce: bytes
    key_id: str
    wrong_tries: int
    expires_at: dt.datetime
    ceiling_rial: int | None
    card_status: str
    card_name: bytes
    pan_sealed: bytes
    customer_id: int


@dataclass(frozen=True, slots=True)
class Sending:
    """What the worker needs to derive, render and send one SMS part."""

    state: str
    channel: str
    nonce: bytes
    key_id: str
    ceiling_rial: int | None
    late: bool
    card_name: bytes
    pan_sealed: bytes
    mobile_sealed: bytes


def hold_card(connection: Connection, card_id: int) -> CardFacts:
    """Hold a card until the transaction ends, and read what decides about its activations."""
    return CardFacts(**connection.execute(_CARD, {"card_id": card_id}).mappings().one())


def issue(connection: Connection, new: NewActivation, charges: Sequence[Charge]) -> IssuedRow:
    """Write an activation, end the one before it, queue its message and count it, in one statement; or hold it back."""
    return IssuedRow(**connection.execute(_ISSUE, {**asdict(new), **counted(charges)}).mappings().one())


def lock_card(connection: Connection, activation_id: str) -> int | None:
    """Hold the card of a live activation until the transaction ends; ``None`` when no such activation lives."""
    row = connection.execute(_LOCK_CARD, {"activation_id": activation_id}).first()
    return None if row is None else int(row.card_id)


def read(connection: Connection, activation_id: str, card_id: int | None) -> tuple[dt.datetime, ActivationRow | None]:
    """Return the time, and the live activation of this card, held."""
    values = {"activation_id": activation_id, "card_id": card_id}
    row = connection.execute(_READ, values).mappings().one()
    found: Any = None
    if row["activation_key"] is not None:
        found = ActivationRow(*(row[name] for name in ActivationRow.__slots__))
    return row["now"], found


def refuse(connection: Connection, activation_key: int | None, *, state: str, wrong_tries: int, nobodys: str) -> None:
    """Write what a proof that was not taken does; ``nobodys`` counts one at an activation that is not there."""
    values = {"activation_key": activation_key, "state": state, "wrong_tries": wrong_tries, "nobodys": nobodys}
    connection.execute(_REFUSE, values)


def for_sending(connection: Connection, activation_key: int) -> Sending:
    """Read one activation for the worker."""
    return Sending(**connection.execute(_FOR_SENDING, {"activation_key": activation_key}).mappings().one())


def expire(connection: Connection, most: int) -> int:
    """End activations and changes of mobile past their life, at most ``most`` of each; return how many activations."""
    return connection.execute(_EXPIRE, {"most": most}).rowcount
