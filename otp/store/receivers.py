"""Cards that money is moved to: their locks, the one statement that gives, and the one that takes back (D4, D7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.action_codes import ActionCode, Reason
from otp.domain.credit import Receiver
from otp.domain.financial import HostAnswer, MessageKey
from otp.store.authorisations import STANDING

# One statement and one order for everybody who needs two cards, so that no two wait for each other. What it reads of a
# row it has waited for is the row as it is then.
_LOCK = text("""
SELECT card_id, card_token, coalesce(card_name, card_token) AS card_name, kind = 'gift' AS gift, held_by_bank
  FROM card WHERE card_token = ANY(CAST(:card_tokens AS bytea[])) ORDER BY card_id FOR UPDATE
""")

# What stands of the purchase is looked up under the card's lock; the day's sum is a row that this statement changes
# (D20), and the last that anybody waits for.
_GIVE = text(f"""
WITH asked AS MATERIALIZED (
    SELECT CAST(:authorisation_id AS bigint) AS authorisation_id, CAST(:card_id AS bigint) AS card_id,
           CAST(:amount_rial AS bigint) AS amount_rial, CAST(:acquirer_id AS text) AS acquirer_id,
           CAST(:transaction_ref AS text) AS transaction_ref,
           CAST(:day_max_rial AS bigint) AS day_max_rial, CAST(:refused AS text) AS refused,
           CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) AS day),
purchase AS MATERIALIZED ({STANDING}),
judged AS MATERIALIZED (
    SELECT asked.*, coalesce(refused, CASE WHEN CAST(:refund AS bool) AND amount_rial > stands_rial
                                           THEN 'nothing_to_refund' END) AS reason
      FROM asked, purchase),
counted AS (
    INSERT INTO credit_day AS booked (acquirer_id, day, credited_rial)
    SELECT acquirer_id, day, amount_rial FROM judged WHERE reason IS NULL AND amount_rial <= day_max_rial
        ON CONFLICT (acquirer_id, day) DO UPDATE SET credited_rial = booked.credited_rial + excluded.credited_rial
     WHERE booked.credited_rial + excluded.credited_rial <= :day_max_rial
    RETURNING day),
given AS MATERIALIZED (
    SELECT judged.*, EXISTS (SELECT FROM counted) AS given,
           coalesce(reason, CASE WHEN EXISTS (SELECT FROM counted) THEN 'approved' ELSE 'credit_day' END) AS verdict
      FROM judged),
credited AS (
    UPDATE card SET balance_rial = balance_rial + amount_rial FROM given WHERE card.card_id = given.card_id AND given
    RETURNING card.card_id),
posted AS (
    INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
    SELECT authorisation_id, 'credit', CASE WHEN CAST(:refund AS bool) THEN 'acquirer:' ELSE 'interbank:' END
           || acquirer_id, 'card:' || card_id, amount_rial
      FROM given WHERE given RETURNING posting_id)
UPDATE authorisation
   SET state = CASE WHEN given THEN 'approved' ELSE 'declined' END, reason = verdict, decided_at = house_now(),
       action_code = CAST(:codes AS jsonb) ->> verdict, credited_card_id = given.card_id,
       credited_on = CASE WHEN given THEN given.day END,
       approval_code = CASE WHEN given THEN CAST(:approval_code AS text) END,
       capture_date = CASE WHEN given THEN to_char(given.day, 'MMDD') END
  FROM given WHERE authorisation.authorisation_id = given.authorisation_id
RETURNING action_code, approval_code, capture_date
""")

# Both cards are held. Where the money has left its card nothing moves, now or ever after.
_TAKE_BACK = text("""
WITH original AS MATERIALIZED (
    SELECT authorisation_id, card_id, credited_card_id, amount_rial, amount_rial - fee_rial AS given_rial, credited_on
      FROM authorisation
     WHERE authorisation_id = :authorisation_id AND state = 'approved' AND NOT reversal_refused),
taken AS (
    UPDATE card SET balance_rial = balance_rial - given_rial FROM original
     WHERE card.card_id = credited_card_id AND balance_rial >= given_rial RETURNING original.*),
returned AS (
    UPDATE card SET balance_rial = balance_rial + amount_rial FROM taken WHERE card.card_id = taken.card_id
    RETURNING card.card_id),
freed AS (
    UPDATE credit_day SET credited_rial = credited_rial - given_rial FROM taken
     WHERE acquirer_id = :acquirer_id AND day = credited_on RETURNING day),
posted AS (
    INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
    SELECT authorisation_id, 'reversal', destination, source, posting.amount_rial
      FROM taken JOIN posting USING (authorisation_id) RETURNING posting_id),
undone AS (
    UPDATE authorisation SET state = CASE WHEN EXISTS (SELECT FROM taken) THEN 'reversed' ELSE 'approved' END,
           reversal_refused = NOT EXISTS (SELECT FROM taken)
      FROM original WHERE authorisation.authorisation_id = original.authorisation_id RETURNING state),
answered AS (
    INSERT INTO reversal (acquirer_id, terminal_id, stan, rrn, local_time, authorisation_id, action_code)
    SELECT :acquirer_id, :terminal_id, :own_stan, :rrn, :own_local_time, :authorisation_id,
           CASE WHEN EXISTS (SELECT FROM undone WHERE state = 'reversed') THEN '400' ELSE '480' END
        ON CONFLICT DO NOTHING)
SELECT EXISTS (SELECT FROM undone WHERE state = 'reversed') AS reversed
""")


@dataclass(frozen=True, slots=True)
class Gift:
    """A credit on its way to a card.

    Args:
        refused: why it is refused before any sum is looked at.
        refund: it may give back at most what stands of the purchase with this reference on this card.
    """

    authorisation_id: int
    acquirer_id: str
    card_id: int | None
    amount_rial: int
    day_max_rial: int
    transaction_ref: str
    refund: bool
    refused: Reason | None
    approval_code: str


@dataclass(frozen=True, slots=True)
class HeldReceiver:
    """A card under its lock: what it is to whoever sends it money, and what its codes and seals are bound to."""

    receiver: Receiver
    name: bytes


def lock_cards(connection: Connection, card_tokens: Sequence[bytes]) -> Mapping[bytes, HeldReceiver]:
    """Hold cards until the transaction ends, always in one order, and return those that this bank has, by token.

    ``card_tokens`` are those of each card under every live key; the one that it has now is in the answer.
    """
    rows = connection.execute(_LOCK, {"card_tokens": list(card_tokens)})
    return {
        bytes(row.card_token): HeldReceiver(
            Receiver(int(row.card_id), row.gift, row.held_by_bank), bytes(row.card_name)
        )
        for row in rows
    }


def give(connection: Connection, gift: Gift, codes: str) -> HostAnswer:
    """Decide a credit's sums and write it: the day's sum, the balance, the posting and the answer in one statement.

    ``codes`` is JSON: the action code by reason.
    """
    values = {name: getattr(gift, name) for name in gift.__slots__}
    row = connection.execute(_GIVE, {**values, "codes": codes}).one()
    return HostAnswer(ActionCode(row.action_code), row.approval_code, row.capture_date)


def take_back(
    connection: Connection,
    key: MessageKey,
    *,
    authorisation_id: int,
    own_stan: str,
    own_local_time: str,
) -> bool:
    """Take given money back from its card if it is still there; ``False`` when it is not, and then for good.

    The original is held with its cards, and is approved.
    """
    values = {
        "acquirer_id": key.acquirer_id,
        "terminal_id": key.terminal_id,
        "rrn": key.rrn,
        "authorisation_id": authorisation_id,
        "own_stan": own_stan,
        "own_local_time": own_local_time,
    }
    return bool(connection.execute(_TAKE_BACK, values).scalar_one())
