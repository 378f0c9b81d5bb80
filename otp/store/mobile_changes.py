"""Changes of a card's mobile: asked for, confirmed by the new number's code, and what ends with the old one (D27)."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.cash_machine import LOW_CEILING_HOURS, MOBILE_CODE_SECONDS
from otp.domain.notices import NoticeKind
from otp.store.notices import queued
from otp.store.visits import APP_ENDED

MOBILE_CODE_TOPIC = "sms.mobile_code"
FORMER_MOBILE_TOPIC = "sms.former_mobile"

_ASK = text(f"""
WITH superseded AS (
    UPDATE mobile_change SET state = 'superseded', decided_at = house_now()
     WHERE card_id = :card_id AND state = 'issued' RETURNING change_id),
asked AS (
    INSERT INTO mobile_change (card_id, mobile_sealed, mobile_token, mobile_token_key, mobile_last_two, former_sealed,
                               nonce, key_id, expires_at)
    SELECT :card_id, :mobile_sealed, :mobile_token, :mobile_token_key, :mobile_last_two,
           CAST(:former_sealed AS bytea), :nonce, :key_id,
           house_now() + make_interval(secs => {MOBILE_CODE_SECONDS})
     WHERE (SELECT count(*) FROM superseded) >= 0 RETURNING change_id)
INSERT INTO outbox (topic, unique_key, payload)
SELECT '{MOBILE_CODE_TOPIC}', '{MOBILE_CODE_TOPIC}:' || change_id, jsonb_build_object('change_id', change_id) FROM asked
""")

_LOCK = text("""
SELECT change_id, mobile_token, nonce, key_id, wrong_tries, expires_at <= house_now() AS over
  FROM mobile_change WHERE card_id = :card_id AND state = 'issued' FOR UPDATE
""")

_COUNT_WRONG = text("""
UPDATE mobile_change SET wrong_tries = wrong_tries + 1, state = :state,
       decided_at = CASE :state WHEN 'issued' THEN NULL ELSE house_now() END
 WHERE change_id = :change_id AND state = 'issued'
""")

_MAKE = text(f"""
WITH made AS (
    UPDATE mobile_change SET state = 'made', decided_at = house_now()
     WHERE change_id = :change_id AND state = 'issued' RETURNING *),
moved AS (
    UPDATE card SET mobile_sealed = made.mobile_sealed, mobile_token = made.mobile_token,
           mobile_token_key = made.mobile_token_key, mobile_last_two = made.mobile_last_two, sms_codes_active = false,
           low_ceiling_until = house_now() + make_interval(hours => {LOW_CEILING_HOURS})
      FROM made WHERE card.card_id = made.card_id RETURNING card.card_id),
codes AS (
    UPDATE challenge SET state = 'superseded', decided_at = house_now()
     WHERE card_id = :card_id AND state = 'issued' RETURNING challenge_id),
{APP_ENDED},
told AS ({queued(NoticeKind.MOBILE_CHANGED, "moved")} RETURNING id)
INSERT INTO outbox (topic, unique_key, payload)
SELECT '{FORMER_MOBILE_TOPIC}', '{FORMER_MOBILE_TOPIC}:' || change_id, jsonb_build_object('change_id', change_id)
  FROM made WHERE former_sealed IS NOT NULL
""")

_FOR_SENDING = text("""
SELECT state, nonce, key_id, mobile_change.mobile_token, mobile_change.mobile_sealed, former_sealed,
       expires_at <= house_now() AS late, coalesce(card.card_name, card.card_token) AS card_name, card.pan_sealed
  FROM mobile_change JOIN card USING (card_id) WHERE change_id = :change_id
""")


@dataclass(frozen=True, slots=True)
class NewChange:
    """A change as it is stored; its code is not in it."""

    card_id: int
    mobile_sealed: bytes
    mobile_token: bytes
    mobile_token_key: str
    mobile_last_two: str
    former_sealed: bytes | None
    nonce: bytes
    key_id: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """A change that waits for its code, held."""

    change_id: int
    mobile_token: bytes
    nonce: bytes
    key_id: str
    wrong_tries: int
    over: bool


@dataclass(frozen=True, slots=True)
class Sending:
    """What the worker needs to text either number, unless they were erased."""

    state: str
    nonce: bytes
    key_id: str
    mobile_token: bytes | None
    mobile_sealed: bytes | None
    former_sealed: bytes | None
    late: bool
    card_name: bytes
    pan_sealed: bytes


def ask(connection: Connection, change: NewChange) -> None:
    """Write a wish, end the one before it, and queue the code to the new number."""
    connection.execute(_ASK, asdict(change))


def lock(connection: Connection, card_id: int) -> Waiting | None:
    """Hold the change that waits on this card; the card is held already."""
    row = connection.execute(_LOCK, {"card_id": card_id}).mappings().first()
    return None if row is None else Waiting(**row)


def count_wrong(connection: Connection, change_id: int, *, state: str) -> None:
    """Count a wrong code; ``state`` is what it leaves the change in."""
    connection.execute(_COUNT_WRONG, {"change_id": change_id, "state": state})


def make(connection: Connection, change_id: int, card_id: int) -> None:
    """Give the card its new number: codes by SMS and its app end, its ceiling is low for a day, both numbers are told.

    The card is held already.
    """
    connection.execute(_MAKE, {"change_id": change_id, "card_id": card_id})


def for_sending(connection: Connection, change_id: int) -> Sending:
    """Read one change for the worker."""
    return Sending(**connection.execute(_FOR_SENDING, {"change_id": change_id}).mappings().one())
