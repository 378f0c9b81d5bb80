"""What the operators' page shows: only read, bounded, and asked by indexes."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.spraying import TerminalTries

TERMINALS_MOST = 100
CARDS_MOST = 200
ROWS_MOST = 50
_HOUR = "interval '1 hour'"
_CLOCK = "WITH clock AS MATERIALIZED (SELECT house_now() AS now)"
_NOW = "(SELECT now FROM clock)"

_WORK = text(f"""
{_CLOCK}
SELECT clock.now,
       (SELECT count(*) FROM challenge WHERE state = 'issued' AND expires_at > {_NOW}) AS live_codes,
       (SELECT count(*) FROM outbox WHERE done_at IS NULL AND dead_at IS NULL) AS waiting,
       (SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL) AS dead
  FROM clock
""")

# A provider's name stands before its message id where there are several; what never got an id belongs to nobody.
_DELIVERY = text(f"""
{_CLOCK},
recent AS MATERIALIZED (
    SELECT CASE WHEN position(':' IN provider_message_id) > 0 THEN split_part(provider_message_id, ':', 1) END
             AS provider,
           delivery, extract(epoch FROM accepted_at - sent_at) AS accepted_seconds,
           CASE delivery WHEN 'delivered' THEN extract(epoch FROM delivery_at - sent_at) END AS delivered_seconds
      FROM challenge WHERE issued_at >= {_NOW} - {_HOUR})
SELECT provider, count(*) AS asked,
       count(*) FILTER (WHERE delivery IN ('accepted', 'delivered', 'undelivered')) AS accepted,
       count(*) FILTER (WHERE delivery = 'refused') AS refused, count(*) FILTER (WHERE delivery = 'dropped') AS dropped,
       count(*) FILTER (WHERE delivery = 'delivered') AS delivered,
       count(*) FILTER (WHERE delivery = 'undelivered') AS undelivered,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY accepted_seconds) AS accepted_p50_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY accepted_seconds) AS accepted_p95_seconds,
       percentile_cont(0.5) WITHIN GROUP (ORDER BY delivered_seconds) AS delivered_p50_seconds,
       percentile_cont(0.95) WITHIN GROUP (ORDER BY delivered_seconds) AS delivered_p95_seconds
  FROM recent GROUP BY provider ORDER BY provider NULLS LAST LIMIT {ROWS_MOST}
""")

_TERMINALS = text(f"""
{_CLOCK},
tried AS (
    SELECT acquirer_id, terminal_id, count(*) AS tried,
           count(*) FILTER (WHERE reason = ANY(CAST(:wrong AS text[]))) AS wrong
      FROM (SELECT acquirer_id, rtrim(terminal_id) AS terminal_id, reason FROM authorisation
             WHERE created_at >= {_NOW} - {_HOUR} AND kind IN ('purchase', 'transfer', 'balance')
               AND reason = ANY(CAST(:reasons AS text[]))
             UNION ALL
            SELECT psp.acquirer_id, checked.terminal_id, checked.reason
              FROM harim_request checked JOIN psp USING (psp_id)
             WHERE checked.created_at >= {_NOW} - {_HOUR} AND checked.reason = ANY(CAST(:reasons AS text[]))) AS judged
     GROUP BY acquirer_id, terminal_id)
SELECT * FROM tried WHERE wrong > 0
 ORDER BY tried >= :least AND wrong * 100 > tried * :percent DESC, wrong DESC, acquirer_id, terminal_id
 LIMIT {TERMINALS_MOST}
""")

_CARD = """
SELECT clock.now, card.card_id, coalesce(card.card_name, card.card_token) AS card_name,
       card.pan_sealed, card.mobile_last_two,
       card.status = 'blocked' AS blocked, card.held_by_bank, card.pin_failures,
       CASE WHEN card.pin_locked_until > clock.now THEN card.pin_locked_until END AS locked_until,
       CASE WHEN card.card_not_present_paused_until > clock.now THEN card.card_not_present_paused_until END
         AS paused_until,
       asked.unlock_id, asked.maker, asked.reason AS unlock_reason, asked.expires_at AS unlock_expires_at
"""
_ASKED = (
    "unlock_request asked ON asked.card_id = card.card_id AND asked.state = 'asked' AND asked.expires_at > clock.now"
)

_LOCKED = text(f"""
{_CLOCK},
found AS (
    (SELECT card_id FROM card WHERE status = 'blocked' ORDER BY card_id DESC LIMIT {CARDS_MOST})
    UNION (SELECT card_id FROM card WHERE pin_locked_until > {_NOW} ORDER BY pin_locked_until DESC LIMIT {CARDS_MOST})
    UNION (SELECT card_id FROM card WHERE card_not_present_paused_until > {_NOW}
            ORDER BY card_not_present_paused_until DESC LIMIT {CARDS_MOST})
    UNION (SELECT card_id FROM unlock_request WHERE state = 'asked' AND expires_at > {_NOW} LIMIT {CARDS_MOST}))
{_CARD}
  FROM clock CROSS JOIN found JOIN card USING (card_id) LEFT JOIN {_ASKED}
 ORDER BY asked.unlock_id IS NULL, card.card_id LIMIT {CARDS_MOST}
""")

_ONE_CARD = text(f"{_CLOCK} {_CARD} FROM clock JOIN card ON card.card_id = :card_id LEFT JOIN {_ASKED}")
_FIND = text("SELECT card_id FROM card WHERE card_token = ANY(CAST(:tokens AS bytea[]))")
_EXISTS = text("SELECT card_id FROM card WHERE card_id = :card_id")

_CHALLENGES = text(f"""
SELECT challenge_id, channel, psp_id, state, wrong_tries, tries_max, resends, delivery, issued_at, sent_at, delivery_at,
       expires_at, decided_at
  FROM challenge WHERE card_id = :card_id ORDER BY expires_at DESC LIMIT {ROWS_MOST}
""")

_AUTHORISATIONS = text(f"""
SELECT * FROM (
  (SELECT authorisation_id, created_at, acquirer_id, terminal_id, amount_rial, state, action_code, reason, code_channel
     FROM authorisation WHERE card_id = :card_id AND state IN ('approved', 'reversed')
    ORDER BY created_at DESC LIMIT {ROWS_MOST})
  UNION ALL
  (SELECT authorisation_id, created_at, acquirer_id, terminal_id, amount_rial, state, action_code, reason, code_channel
     FROM authorisation WHERE card_id = :card_id AND state = 'declined'
    ORDER BY created_at DESC LIMIT {ROWS_MOST})) AS tried
 ORDER BY created_at DESC LIMIT {ROWS_MOST}
""")


@dataclass(frozen=True, slots=True)
class Work:
    """What waits: codes that can be used, messages to be sent, messages that were given up."""

    now: dt.datetime
    live_codes: int
    waiting: int
    dead: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """How one provider carried the codes of the last hour.

    Args:
        provider: ``None`` where message ids name none.
        accepted: all that it took over, whatever became of them.
        accepted_p50_seconds: from asking for a code until the provider took it over.
        delivered_p50_seconds: as long, until its receipt said that the phone has it; ``None`` without any.
    """

    provider: str | None
    asked: int
    accepted: int
    refused: int
    dropped: int
    delivered: int
    undelivered: int
    accepted_p50_seconds: float | None
    accepted_p95_seconds: float | None
    delivered_p50_seconds: float | None
    delivered_p95_seconds: float | None


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card as the page needs it, and the unlock that waits for a second person."""

    now: dt.datetime
    card_id: int
    card_name: bytes
    pan_sealed: bytes
    mobile_last_two: str | None
    blocked: bool
    held_by_bank: bool
    pin_failures: int
    locked_until: dt.datetime | None
    paused_until: dt.datetime | None
    unlock_id: int | None
    maker: str | None
    unlock_reason: str | None
    unlock_expires_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class ChallengeRow:
    """One dynamic PIN's life; the code is nowhere."""

    challenge_id: int
    channel: str
    psp_id: str | None
    state: str
    wrong_tries: int
    tries_max: int
    resends: int
    delivery: str
    issued_at: dt.datetime
    sent_at: dt.datetime
    delivery_at: dt.datetime | None
    expires_at: dt.datetime
    decided_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class AuthorisationRow:
    """One purchase, as it was decided."""

    authorisation_id: int
    created_at: dt.datetime
    acquirer_id: str
    terminal_id: str
    amount_rial: int
    state: str
    action_code: str | None
    reason: str | None
    code_channel: str | None


def work(connection: Connection) -> Work:
    """Count what waits now."""
    return Work(**connection.execute(_WORK).mappings().one())


def deliveries(connection: Connection) -> list[Delivery]:
    """Read how the codes of the last hour were delivered, by provider."""
    return [Delivery(**row) for row in connection.execute(_DELIVERY).mappings()]


def terminals(
    connection: Connection, reasons: Sequence[str], wrong: Sequence[str], least: int, percent: int
) -> list[TerminalTries]:
    """Read the terminals with wrong tries in the last hour, alarming ones first.

    Args:
        connection: to read by.
        reasons: of purchases, and checks without one, whose card data or code was judged.
        wrong: which of them say that one was wrong.
        least: of both before a share says anything.
        percent: the share above which a terminal comes first.
    """
    values = {"reasons": list(reasons), "wrong": list(wrong), "least": least, "percent": percent}
    return [TerminalTries(**row) for row in connection.execute(_TERMINALS, values).mappings()]


def locked(connection: Connection) -> list[CardRow]:
    """Read the cards that are blocked, wait or pause; those with a request first."""
    return [CardRow(**row) for row in connection.execute(_LOCKED).mappings()]


def card(connection: Connection, card_id: int) -> CardRow | None:
    """Read one card."""
    row = connection.execute(_ONE_CARD, {"card_id": card_id}).mappings().first()
    return None if row is None else CardRow(**row)


def find(connection: Connection, tokens: Sequence[bytes]) -> int | None:
    """Return the number at the bank of the card with this token."""
    card_id: int | None = connection.execute(_FIND, {"tokens": list(tokens)}).scalar_one_or_none()
    return card_id


def exists(connection: Connection, card_id: int) -> int | None:
    """Return the number when there is such a card."""
    found: int | None = connection.execute(_EXISTS, {"card_id": card_id}).scalar_one_or_none()
    return found


def challenges(connection: Connection, card_id: int) -> list[ChallengeRow]:
    """Read a card's last challenges, newest first."""
    return [ChallengeRow(**row) for row in connection.execute(_CHALLENGES, {"card_id": card_id}).mappings()]


def authorisations(connection: Connection, card_id: int) -> list[AuthorisationRow]:
    """Read a card's last decided purchases, newest first."""
    return [AuthorisationRow(**row) for row in connection.execute(_AUTHORISATIONS, {"card_id": card_id}).mappings()]
