"""Authorisations: the duplicate key of a message, the first answer to it, and its reversal (D2, D9, D9c)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.financial import MessageKey

_KEY = """acquirer_id = :acquirer_id AND terminal_id = :terminal_id AND stan = :stan AND rrn = :rrn
    AND local_time = :local_time"""

_COLUMNS = """authorisation_id, request_hash, state, action_code, approval_code, capture_date, amount_rial, card_id,
    credited_card_id, told_rial"""

# The advisory lock marks a key as being worked on, for inquiries; it ends with the transaction. The unique key makes a
# second message with this key wait here until the first one has committed.
_INSERT_PURCHASE = text("""
WITH busy AS MATERIALIZED (SELECT pg_advisory_xact_lock(hashtextextended(:lock_name, 0)) AS held)
INSERT INTO authorisation
    (acquirer_id, terminal_id, stan, rrn, local_time, request_hash, kind, state, transaction_ref, amount_rial, fee_rial)
SELECT :acquirer_id, :terminal_id, :stan, :rrn, :local_time, :request_hash, :kind, 'received', :transaction_ref,
       :amount_rial, :fee_rial
  FROM busy
 WHERE CAST(:sent_at AS timestamptz) BETWEEN house_now() - interval '1 day' AND house_now() + interval '1 day'
    ON CONFLICT (acquirer_id, terminal_id, stan, rrn, local_time) DO NOTHING
RETURNING authorisation_id
""")
_INSERT_TOMBSTONE = text("""
INSERT INTO authorisation
    (acquirer_id, terminal_id, stan, rrn, local_time, request_hash, kind, state, amount_rial, fee_rial, action_code,
     decided_at)
VALUES (:acquirer_id, :terminal_id, :stan, :rrn, :local_time, :request_hash, 'tombstone', 'tombstone', :amount_rial, 0,
        '914', house_now())
    ON CONFLICT (acquirer_id, terminal_id, stan, rrn, local_time) DO NOTHING
RETURNING authorisation_id
""")
_READ = text(f"SELECT {_COLUMNS} FROM authorisation WHERE {_KEY}")

# The original first, and then its cards in everybody's order: whoever gives money back on its card meanwhile is waited
# for, and seen by the next statement (D4).
_LOCK = text(f"""
WITH original AS MATERIALIZED (SELECT {_COLUMNS} FROM authorisation WHERE {_KEY} FOR UPDATE),
held AS MATERIALIZED (
    SELECT card.card_id FROM card
     WHERE card.card_id IN (SELECT unnest(ARRAY[original.card_id, credited_card_id]) FROM original)
     ORDER BY card.card_id FOR UPDATE)
SELECT original.* FROM original CROSS JOIN (SELECT count(*) FROM held) AS cards
""")

_INQUIRE = text(f"""
WITH free AS MATERIALIZED
    (SELECT pg_try_advisory_xact_lock_shared(hashtextextended(:lock_name, 0)) AS free),
found AS (SELECT {_COLUMNS} FROM authorisation WHERE {_KEY})
SELECT free.free, found.* FROM free LEFT JOIN found ON true
""")

STANDING = """
    SELECT coalesce(sum(CASE authorisation.kind WHEN 'credit' THEN -1 ELSE 1 END * authorisation.amount_rial), 0)
           AS stands_rial
      FROM authorisation JOIN asked USING (acquirer_id, transaction_ref)
     WHERE authorisation.state = 'approved'
       AND (authorisation.kind = 'purchase' AND authorisation.card_id = asked.card_id
            OR authorisation.kind = 'credit' AND authorisation.credited_card_id = asked.card_id)
"""
"""What is not given back yet of the purchases of one payment by one card, which is held; needs ``asked`` before it."""

# A purchase of which a refund has given something back stands, now and ever after: else both would give it back (D11).
_REVERSE = text(f"""
WITH asked AS MATERIALIZED (
    SELECT authorisation_id, acquirer_id, transaction_ref, kind, card_id, amount_rial, reversal_refused
      FROM authorisation WHERE authorisation_id = :authorisation_id AND state = 'approved'),
standing AS MATERIALIZED ({STANDING}),
judged AS MATERIALIZED (
    SELECT asked.*, NOT reversal_refused AND (kind <> 'purchase' OR transaction_ref IS NULL
           OR amount_rial <= stands_rial) AS free
      FROM asked, standing),
undone AS (
    UPDATE authorisation SET state = CASE WHEN free THEN 'reversed' ELSE 'approved' END, reversal_refused = NOT free
      FROM judged WHERE authorisation.authorisation_id = judged.authorisation_id RETURNING free),
returned AS (
    UPDATE card SET balance_rial = card.balance_rial + judged.amount_rial FROM judged
     WHERE card.card_id = judged.card_id AND free RETURNING card.card_id),
posted AS (
    INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
    SELECT authorisation_id, 'reversal', destination, source, posting.amount_rial
      FROM judged JOIN posting USING (authorisation_id) WHERE free RETURNING posting_id),
answered AS (
    INSERT INTO reversal (acquirer_id, terminal_id, stan, rrn, local_time, authorisation_id, action_code)
    SELECT :acquirer_id, :terminal_id, :own_stan, :rrn, :own_local_time, :authorisation_id,
           CASE WHEN EXISTS (SELECT FROM judged WHERE NOT free) THEN '480' ELSE :action_code END
        ON CONFLICT DO NOTHING)
SELECT NOT EXISTS (SELECT FROM judged WHERE NOT free) AS reversed
""")


@dataclass(frozen=True, slots=True)
class Original:
    """A purchase, transfer, credit or tombstone as it was answered."""

    authorisation_id: int
    request_hash: bytes
    state: str
    action_code: str
    approval_code: str | None
    capture_date: str | None
    amount_rial: int
    card_id: int | None
    credited_card_id: int | None
    told_rial: int | None

    @property
    def gave(self) -> bool:
        """Whether it gave money to a card, which a reversal has to take back from there."""
        return self.state == "approved" and self.credited_card_id is not None


@dataclass(frozen=True, slots=True)
class Intent:
    """What a purchase or a PIN check asks, as far as it is kept; ``sent_at`` is DE 12 as an instant."""

    key: MessageKey
    request_hash: bytes
    sent_at: dt.datetime
    amount_rial: int
    fee_rial: int
    transaction_ref: str | None
    kind: str = "purchase"


def insert_purchase(connection: Connection, intent: Intent) -> int | None:
    """Claim the key for a purchase or a PIN check; ``None`` when it is taken, or DE 12 is more than a day off (D9)."""
    parameters = {
        "request_hash": intent.request_hash,
        "sent_at": intent.sent_at,
        "transaction_ref": intent.transaction_ref,
        "kind": intent.kind,
        "amount_rial": intent.amount_rial,
        "fee_rial": intent.fee_rial,
    }
    row = connection.execute(_INSERT_PURCHASE, _columns(intent.key) | parameters).first()
    return None if row is None else int(row.authorisation_id)


def insert_tombstone(connection: Connection, key: MessageKey, request_hash: bytes, amount_rial: int) -> int | None:
    """Claim the key of an original that was never seen, so that it is refused for ever; ``None`` if it was (D2)."""
    parameters = {"request_hash": request_hash, "amount_rial": amount_rial}
    row = connection.execute(_INSERT_TOMBSTONE, _columns(key) | parameters).first()
    return None if row is None else int(row.authorisation_id)


def read(connection: Connection, key: MessageKey) -> Original | None:
    """Return the original with this key."""
    row = connection.execute(_READ, _columns(key)).mappings().first()
    return None if row is None else Original(**row)


def lock(connection: Connection, key: MessageKey) -> Original:
    """Return the original with this key, which exists, and hold it and its cards until the transaction ends."""
    return Original(**connection.execute(_LOCK, _columns(key)).mappings().one())


def inquire(connection: Connection, key: MessageKey) -> tuple[bool, Original | None]:
    """Say whether somebody works on this key now, and what is known of it."""
    values = dict(connection.execute(_INQUIRE, _columns(key)).mappings().one())
    free = bool(values.pop("free"))
    return not free, None if values["authorisation_id"] is None else Original(**values)


def reverse(
    connection: Connection,
    key: MessageKey,
    *,
    authorisation_id: int,
    own_stan: str,
    own_local_time: str,
    action_code: str,
) -> bool:
    """Give the money of an approved original back, once, and keep the reversal's own key.

    ``False`` when some of it was given back as a refund, and then for good. Original and cards are locked by
    :func:`lock` before; an original that is not approved moves nothing.
    """
    values = {
        **_columns(key),
        "authorisation_id": authorisation_id,
        "own_stan": own_stan,
        "own_local_time": own_local_time,
        "action_code": action_code,
    }
    return bool(connection.execute(_REVERSE, values).scalar_one())


def _columns(key: MessageKey) -> dict[str, str]:
    """Return the key's columns, and the name of the lock that marks it as being worked on."""
    columns = {name: str(getattr(key, name)) for name in key.__slots__}
    return {**columns, "lock_name": "|".join(("authorisation", *columns.values()))}
