"""Card to card: whose card gets the money, what a card has sent today, and questions for holders' names (D7, D28)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from foundation.rial import Rial
from gateway.domain.payment import PaymentEvent
from gateway.domain.transfer import HOLDER_FRESH_SECONDS, DaySoFar
from gateway.ports import Trace
from gateway.store import second_legs
from gateway.store.fragments import FACTS, noted
from gateway.store.payments import PaymentRecord

_TEHRAN = "house_now() AT TIME ZONE 'Asia/Tehran'"
TRACE = f"""
  lpad(CAST(nextval('stan') AS text), 6, '0') AS stan,
  right(to_char({_TEHRAN}, 'YYYYDDD'), 4) || lpad(CAST(nextval('rrn') AS text), 8, '0') AS rrn,
  to_char({_TEHRAN}, 'YYMMDDHH24MISS') AS local_time"""
"""A key for a message of its own."""

# Both counts go back with the transaction when one of them is above its limit.
_COUNT_QUESTION = text(f"""
WITH used AS (
  INSERT INTO quota (scope, window_start, used)
  SELECT scope, date_trunc('day', house_now(), 'Asia/Tehran'), 1
  FROM (VALUES ('holder-asker ' || :source), ('holder-card ' || :destination)) AS share (scope) ORDER BY scope
  ON CONFLICT (scope, window_start) DO UPDATE SET used = quota.used + 1
  RETURNING scope, used)
SELECT m.acquirer_id, m.merchant_id, t.terminal_id, {TRACE},
  (SELECT used FROM used WHERE scope LIKE 'holder-asker %') AS of_asker,
  (SELECT used FROM used WHERE scope LIKE 'holder-card %') AS of_card
FROM terminal t JOIN merchant m USING (merchant_id) WHERE t.terminal_id = :terminal_id
""")
_SO_FAR = text("""
WITH day AS MATERIALIZED (SELECT date_trunc('day', house_now(), 'Asia/Tehran') AS began)
SELECT CAST(coalesce(sum(p.amount_rial), 0) AS bigint) AS sent_rial, count(*) AS times,
  count(*) FILTER (WHERE t.destination_hash = :destination_hash) AS to_destination
FROM day CROSS JOIN transfer t JOIN payment p USING (payment_id) JOIN attempt a ON a.attempt_id = p.attempt_id
WHERE t.source_hash = :source_hash AND t.named_at > day.began - interval '1 hour' AND a.submitted_at >= day.began
  AND p.state IN ('paying', 'unknown', 'authorised', 'confirmed', 'settled', 'reversing', 'disputed')
""")
_OPEN = text(f"""
WITH opened AS (
  INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    callback_url, reference, state, page_expires_at, confirm_window_seconds, payee_key, payee_name, inside)
  SELECT :payment_id, :page_token, 'CARD_TRANSFER', t.terminal_id, t.merchant_id, :order_id, :amount_rial, :fee_rial,
    :callback_url, :reference, 'open', house_now() + make_interval(secs => :page_seconds), :confirm_window_seconds,
    :payee_key, :payee_name, :inside
  FROM terminal t WHERE t.terminal_id = :terminal_id
  RETURNING {FACTS}, attempt_id),
named AS (
  INSERT INTO transfer (payment_id, source_hash, destination_hash, destination_sealed, destination_masked,
    destination_issuer_id, holder_name)
  SELECT payment_id, :source_hash, :destination_hash, :destination_sealed, :destination_masked, :destination_issuer_id,
    :holder_name FROM opened),
{noted(PaymentEvent.OPENED, "opened")}
SELECT {FACTS} FROM opened
""")
_FIRST = """NOT EXISTS (
  SELECT FROM transfer earlier JOIN payment done USING (payment_id)
  WHERE earlier.source_hash = t.source_hash AND earlier.destination_hash = t.destination_hash
    AND done.state IN ('confirmed', 'settled')) AS first"""
_OF_PAYMENT = text(f"""
SELECT t.destination_masked, t.holder_name, t.credit, i.name_fa AS issuer_name_fa, i.name_en AS issuer_name_en,
  {_FIRST},
  r.payment_id AS requested, r.amount_rial AS fixed_rial, r.destination_token AS saved_token,
  s.pan_masked AS saved_masked, si.name_fa AS saved_bank_fa, si.name_en AS saved_bank_en
FROM payment p LEFT JOIN transfer t USING (payment_id) LEFT JOIN issuer i ON i.issuer_id = t.destination_issuer_id
LEFT JOIN transfer_request r USING (payment_id)
LEFT JOIN saved_destination s ON s.merchant_id = p.merchant_id AND s.token = r.destination_token
LEFT JOIN issuer si ON si.issuer_id = s.issuer_id WHERE p.payment_id = :payment_id
""")

# Everything about one card's transfers of a day is decided one after the other, and nobody names another payee
# meanwhile; the look is a statement of its own.
_HOLD = text("""
SELECT pg_advisory_xact_lock(hashtextextended('transfer ' || encode(:source_hash, 'hex'), 0))
FROM payment WHERE page_token = :page_token FOR UPDATE
""")
_WISH = text(f"""
SELECT p.amount_rial, p.reference, t.destination_hash, t.source_hash = :source_hash AS same_card, {_FIRST},
  t.named_at > house_now() - interval '{HOLDER_FRESH_SECONDS} seconds' AS fresh
FROM payment p JOIN transfer t USING (payment_id) WHERE p.page_token = :page_token AND p.state = 'open'
""")
_WIPE = second_legs.wipe("transfer", "destination_sealed", "saving_sealed")


@dataclass(frozen=True, slots=True)
class Question:
    """A question for a holder's name, counted: its key, and how often its asker and its card were counted today."""

    trace: Trace
    merchant_id: str
    of_asker: int
    of_card: int


@dataclass(frozen=True, slots=True)
class Wish:
    """What an open transfer wants, as it stands when a card is shown for it.

    Args:
        reference: which naming of the payee this is.
        same_card: it is the card that was named when the holder was asked for.
        first: this card has sent nothing to this destination yet.
        fresh: the holder's name is young enough.
    """

    amount_rial: int
    reference: str
    destination_hash: bytes
    same_card: bool
    first: bool
    fresh: bool


@dataclass(frozen=True, slots=True)
class TransferLine:
    """Who gets the money of a transfer, as its page shows it; ``first`` when this card has sent nothing there yet."""

    destination_masked: str
    holder_name: str
    credit: str
    issuer_name_fa: str
    issuer_name_en: str
    first: bool


@dataclass(frozen=True, slots=True)
class SavedLine:
    """The saved destination that a merchant asked for, as the page shows it before a card is typed."""

    pan_masked: str
    issuer_name_fa: str
    issuer_name_en: str


@dataclass(frozen=True, slots=True)
class RequestLine:
    """What a merchant fixed of a transfer, as its page shows it.

    Args:
        amount_rial: ``None`` leaves it to whoever pays.
        by_token: the destination is a saved one, not typed.
        saved: that one; ``None`` when it is not there any more.
    """

    amount_rial: int | None
    by_token: bool
    saved: SavedLine | None


def count_question(connection: Connection, terminal_id: str, *, source: str, destination: str) -> Question:
    """Count a question and draw the key of its message; the caller rolls back what is above a limit."""
    values = {"terminal_id": terminal_id, "source": source, "destination": destination}
    row = connection.execute(_COUNT_QUESTION, values).one()
    trace = Trace(row.acquirer_id, row.terminal_id, row.stan, row.rrn, row.local_time)
    return Question(trace, row.merchant_id, row.of_asker, row.of_card)


def so_far(connection: Connection, source_hash: bytes, destination_hash: bytes) -> DaySoFar:
    """Add up what a card has sent today, money under way included."""
    row = connection.execute(_SO_FAR, {"source_hash": source_hash, "destination_hash": destination_hash}).one()
    return DaySoFar(Rial(row.sent_rial), row.times, row.to_destination)


def open_transfer(connection: Connection, values: Mapping[str, Any]) -> PaymentRecord:
    """Insert a payment that is a transfer, with its destination and its event."""
    return PaymentRecord.of(connection.execute(_OPEN, dict(values)).mappings().one())


def of_payment(connection: Connection, payment_id: str) -> tuple[TransferLine | None, RequestLine | None]:
    """Return who gets the money of a transfer, if that was named, and what a merchant fixed, if one asked for it."""
    row = connection.execute(_OF_PAYMENT, {"payment_id": payment_id}).mappings().one()
    named = TransferLine(**{name: row[name] for name in TransferLine.__dataclass_fields__})
    return (None if named.holder_name is None else named), _request(row)


def _request(row: RowMapping) -> RequestLine | None:
    if row["requested"] is None:
        return None
    masked, by_token = row["saved_masked"], row["saved_token"] is not None
    saved = None if masked is None else SavedLine(masked, row["saved_bank_fa"], row["saved_bank_en"])
    return RequestLine(row["fixed_rial"], by_token, saved)


def hold_card(connection: Connection, source_hash: bytes, page_token: str) -> None:
    """Let nobody else decide about transfers of this card, or about this payment, until the transaction ends."""
    connection.execute(_HOLD, {"source_hash": source_hash, "page_token": page_token})


def wish(connection: Connection, page_token: str, source_hash: bytes) -> Wish | None:
    """Return what the open transfer of this page wants; ``None`` when there is none."""
    row = connection.execute(_WISH, {"page_token": page_token, "source_hash": source_hash}).mappings().one_or_none()
    return None if row is None else Wish(**{**row, "destination_hash": bytes(row["destination_hash"])})


def wipe_destinations(connection: Connection, *, most: int) -> int:
    """Wipe sealed card numbers of destinations whose transfer is decided; return how many."""
    return connection.execute(_WIPE, {"most": most}).rowcount
