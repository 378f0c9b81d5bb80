"""Dynamic PINs: what a request for one depends on, and the one statement that writes what was decided."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, CursorResult, TextClause, text
from sqlalchemy.exc import IntegrityError

from otp.domain.authorisation import CardFacts
from otp.domain.quotas import Charge
from otp.store.quotas import COUNTED, counted

# A statement of its own after the card's lock: one that waited for a lock goes on with its old snapshot (D4).
_READ = text("""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
open AS MATERIALIZED (
    SELECT challenge_id, correlation_id, psp_id, transaction_ref, binding_digest, proven, sent_at, expires_at, resends
      FROM challenge WHERE card_id = CAST(:card_id AS bigint) AND state = 'issued' ORDER BY challenge_id FOR UPDATE)
SELECT clock.now, first.body_hash, first.status AS first_status, first.answer AS first_answer,
       (SELECT max(sequence) FROM harim_request
         WHERE psp_id = :psp_id AND transaction_ref = :transaction_ref) AS last_sequence,
       card.card_id, card.expiry, card.status, card.mobile_token, card.mobile_last_two,
       card.second_pin_active AND card.kind = 'debit' AS second_pin_active,
       card.pin_failures, card.pin_locked_until, card.pin_lock_level, card.card_data_failures,
       card.card_data_failed_since, card.card_not_present_paused_until, card.balance_rial,
       open.challenge_id, CAST(open.correlation_id AS text) AS correlation_id, open.binding_digest, open.proven,
       open.sent_at, open.expires_at, open.resends,
       open.psp_id = :psp_id AND open.transaction_ref = :transaction_ref AS of_this_payment
  FROM clock
  LEFT JOIN harim_request first ON first.psp_id = :psp_id AND first.request_id = CAST(:request_id AS uuid)
  LEFT JOIN card ON card.card_id = CAST(:card_id AS bigint)
  LEFT JOIN open ON true
 ORDER BY open.challenge_id
""")

_FIRST_ANSWER = text("""
SELECT body_hash, status, answer FROM harim_request WHERE psp_id = :psp_id AND request_id = CAST(:request_id AS uuid)
""")

# One decision, one statement: limits, old and new challenge, message, the card's counters, and the answer (D9b, D20).
# A limit that is reached adds no row to "counted", so nothing is sent and the answer is the limited one.
_WRITE = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{COUNTED},
ended AS (
    UPDATE challenge SET state = CASE WHEN challenge_id = ANY(CAST(:expired AS bigint[])) THEN 'expired'
                                      ELSE 'superseded' END, decided_at = clock.now
      FROM clock, verdict
     WHERE state = 'issued' AND (challenge_id = ANY(CAST(:expired AS bigint[]))
           OR (challenge_id = ANY(CAST(:superseded AS bigint[])) AND NOT held))
    RETURNING challenge_id),
issued AS (
    INSERT INTO challenge (correlation_id, card_id, psp_id, transaction_ref, nonce, canonical, binding_digest, code_mac,
                           key_id, code_length, tries_max, proven, issued_at, sent_at, expires_at, bound,
                           ceiling_rial)
    SELECT CAST(:correlation_id AS uuid), CAST(:card_id AS bigint), :psp_id, :transaction_ref, CAST(:nonce AS bytea),
           :canonical, CAST(:binding_digest AS bytea), CAST(:code_mac AS bytea), :key_id, :code_length, :tries_max,
           CAST(:proven AS boolean), clock.now, clock.now, clock.now + make_interval(secs => :life_seconds),
           CAST(:bound AS text[]), CAST(:ceiling_rial AS bigint)
      FROM clock, verdict
     WHERE CAST(:step AS text) = 'issue' AND NOT held AND (SELECT count(*) FROM ended) >= 0
    RETURNING challenge_id, resends),
resent AS (
    UPDATE challenge SET resends = resends + 1, sent_at = clock.now, delivery = 'queued',
           delivery_at = NULL, accepted_at = NULL, proven = proven OR CAST(:proven AS boolean)
      FROM clock, verdict
     WHERE CAST(:step AS text) = 'resend' AND NOT held AND challenge_id = CAST(:resent_id AS bigint)
       AND state = 'issued'
    RETURNING challenge_id, resends),
sent AS (SELECT * FROM issued UNION ALL SELECT * FROM resent),
queued AS (
    INSERT INTO outbox (topic, unique_key, payload)
    SELECT 'sms.code', 'sms.code:' || challenge_id || ':' || resends, jsonb_build_object('challenge_id', challenge_id)
      FROM sent RETURNING id),
mistyped AS (
    UPDATE card SET card_data_failures = :data_failures, card_data_failed_since = :data_failed_since,
           card_not_present_paused_until = :paused_until
     WHERE card_id = CAST(:card_id AS bigint) AND CAST(:data_wrong AS boolean) RETURNING card_id)
INSERT INTO harim_request (psp_id, request_id, body_hash, transaction_ref, sequence, status, answer)
SELECT :psp_id, CAST(:request_id AS uuid), CAST(:body_hash AS bytea), :transaction_ref, :sequence,
       CASE WHEN limited THEN :limited_status ELSE :status END,
       CASE WHEN limited
            THEN CAST(:limited_answer AS jsonb) || jsonb_build_object('retry_after_seconds', retry_after)
            ELSE CAST(:answer AS jsonb) END
  FROM verdict
RETURNING status, answer
""")


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What a request id was answered, and the hash of the body it came with (D21)."""

    body_hash: bytes
    status: int
    answer: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CardNow:
    """The card's row under its lock."""

    card_id: int
    expiry: str
    status: str
    mobile_token: bytes | None
    mobile_last_two: str | None
    second_pin_active: bool
    pin_failures: int
    pin_locked_until: dt.datetime | None
    pin_lock_level: int
    card_data_failures: int
    card_data_failed_since: dt.datetime | None
    card_not_present_paused_until: dt.datetime | None
    balance_rial: int


@dataclass(frozen=True, slots=True)
class OpenRow:
    """A challenge of the card in state ``issued``."""

    challenge_id: int
    correlation_id: str
    binding_digest: bytes
    proven: bool
    sent_at: dt.datetime
    expires_at: dt.datetime
    resends: int
    of_this_payment: bool


@dataclass(frozen=True, slots=True)
class Situation:
    """What one request depends on, by the database's clock after the lock (D33)."""

    now: dt.datetime
    first: FirstAnswer | None
    last_sequence: int
    card: CardNow | None
    challenges: tuple[OpenRow, ...]


@dataclass(frozen=True, slots=True)
class RequestKey:
    """What makes a request one of a kind: its PSP and id; and the payment it is about."""

    psp_id: str
    request_id: str
    transaction_ref: str


@dataclass(frozen=True, slots=True)
class NewCode:
    """A challenge as it would be stored; the code itself is not in it.

    Args:
        bound: the facts that the canonical text names (D6).
        ceiling_rial: the most it may take, unless it is bound to every fact (D14).
    """

    correlation_id: str
    nonce: bytes
    canonical: str
    binding_digest: bytes
    code_mac: bytes
    key_id: str
    code_length: int
    tries_max: int
    life_seconds: int
    bound: tuple[str, ...]
    ceiling_rial: int | None


@dataclass(frozen=True, slots=True)
class Writing:
    """All that one request changes.

    Args:
        charges: limits to count on; a reached one stops everything else but the answer.
        data_failures: the card's counters after wrong card data; ``None`` leaves them.
    """

    body_hash: bytes
    sequence: int
    card_id: int | None
    step: str
    proven: bool
    new: NewCode
    resent_id: int | None
    superseded: tuple[int, ...]
    expired: tuple[int, ...]
    charges: Sequence[Charge]
    data_failures: CardFacts | None
    status: int
    answer: dict[str, object]
    limited_status: int
    limited_answer: dict[str, object]


class RequestIdTaken(Exception):
    """Another request with this id was committed meanwhile; nothing of this one was."""


def read_situation(connection: Connection, card_id: int | None, key: RequestKey) -> Situation:
    """Read what a request depends on; the card is locked already."""
    rows = connection.execute(_READ, {"card_id": card_id, **asdict(key)}).mappings().all()
    row = rows[0]
    first = FirstAnswer(row["body_hash"], row["first_status"], row["first_answer"]) if row["body_hash"] else None
    return Situation(
        now=row["now"],
        first=first,
        last_sequence=row["last_sequence"] or 0,
        card=None if row["card_id"] is None else CardNow(*(row[name] for name in CardNow.__slots__)),
        challenges=tuple(
            OpenRow(*(each[name] for name in OpenRow.__slots__)) for each in rows if each["challenge_id"] is not None
        ),
    )


def first_answer(connection: Connection, key: RequestKey) -> FirstAnswer:
    """Read the answer of a request id that is there."""
    row = connection.execute(_FIRST_ANSWER, {"psp_id": key.psp_id, "request_id": key.request_id}).one()
    return FirstAnswer(row.body_hash, row.status, row.answer)


def write(connection: Connection, key: RequestKey, writing: Writing) -> tuple[int, dict[str, Any]]:
    """Write one decision and return the answer that was stored with it.

    Raises:
        RequestIdTaken: when a request with the same id came first; the transaction must end.
    """
    failures = writing.data_failures
    values = {
        **asdict(key),
        **asdict(writing.new),
        "bound": list(writing.new.bound),
        "body_hash": writing.body_hash,
        "sequence": writing.sequence,
        "card_id": writing.card_id,
        "step": writing.step,
        "proven": writing.proven,
        "resent_id": writing.resent_id,
        "superseded": list(writing.superseded),
        "expired": list(writing.expired),
        **counted(writing.charges),
        "data_wrong": failures is not None,
        "data_failures": failures.data_failures if failures else 0,
        "data_failed_since": failures.data_failed_since if failures else None,
        "paused_until": failures.paused_until if failures else None,
        "status": writing.status,
        "answer": json.dumps(writing.answer),
        "limited_status": writing.limited_status,
        "limited_answer": json.dumps(writing.limited_answer),
    }
    row = once(connection, _WRITE, values, key).one()
    return row.status, row.answer


def once(
    connection: Connection, statement: TextClause, values: Mapping[str, object], key: RequestKey
) -> CursorResult[Any]:
    """Run the statement that uses a request id up.

    Raises:
        RequestIdTaken: when a request with the same id came first; the transaction must end.
    """
    try:
        return connection.execute(statement, dict(values))
    except IntegrityError as error:
        if "harim_request_once" in str(error.orig):
            raise RequestIdTaken(key.request_id) from None
        raise
