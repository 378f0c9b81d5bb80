"""Cards in machines: what a decision about a first PIN depends on, and the one statement that writes it (D4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.device import DeviceState
from otp.domain.financial import HostAnswer
from otp.domain.first_pin import PresentDecision
from otp.domain.notices import NoticeKind
from otp.domain.quotas import Charge
from otp.store.card_days import APPROVED_TODAY, TODAY
from otp.store.notices import queued
from otp.store.quotas import CHARGED, FULL, counted

# A statement of its own after the card's lock (D4). The device is held as well, because another card on it may give it
# another root meanwhile; the order card, device is everybody's.
_READ = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{TODAY},
{FULL},
app AS MATERIALIZED (
    SELECT CAST(card_ref AS text) AS card_ref, CAST(device.device_id AS text) AS device_id, code_root_sealed,
           last_first_step, drift_steps, wrong_codes
      FROM device_card JOIN device USING (device_id)
     WHERE card_id = CAST(:card_id AS bigint) AND device_card.state = 'active' AND device.state = 'active'
       FOR UPDATE OF device),
spent AS MATERIALIZED (
    SELECT coalesce(sum(amount_rial), 0) AS spent_rial FROM authorisation
     WHERE card_id = CAST(:card_id AS bigint) AND {APPROVED_TODAY})
SELECT clock.now, spent.spent_rial, full_rows.retry_after, card.status, card.expiry, card.first_pin_mac,
       card.first_pin_key, card.first_pin_failures, card.first_pin_locked_until, card.balance_rial, app.*
  FROM clock CROSS JOIN spent CROSS JOIN full_rows LEFT JOIN card ON card.card_id = CAST(:card_id AS bigint)
       LEFT JOIN app ON true
""")

# The rows of its terminal are the last that anybody waits for.
_WRITE = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{CHARGED},
decided AS (
    SELECT CAST(:authorisation_id AS bigint) AS authorisation_id, CAST(:card_id AS bigint) AS card_id,
           CAST(:debit_rial AS bigint) AS debit_rial, CAST(:step AS bigint) AS step,
           CAST(:card_ref AS uuid) AS card_ref, CAST(:mistaken AS text) AS mistaken),
changed AS (
    UPDATE card SET first_pin_failures = :failures, first_pin_locked_until = :locked_until,
           balance_rial = balance_rial - decided.debit_rial
      FROM decided WHERE card.card_id = decided.card_id AND CAST(:counted AS bool) RETURNING card.card_id),
stepped AS (
    UPDATE device_card SET last_first_step = decided.step FROM decided
     WHERE device_card.card_ref = decided.card_ref AND last_first_step < decided.step RETURNING device_id),
judged AS (
    UPDATE device SET wrong_codes = CASE WHEN decided.mistaken IS NULL THEN 0 ELSE wrong_codes + 1 END,
           state = coalesce(decided.mistaken, state)
      FROM decided WHERE device_id = CAST(:device_id AS uuid)
       AND (decided.mistaken IS NOT NULL OR device_id IN (SELECT device_id FROM stepped))
    RETURNING decided.card_id, decided.mistaken),
suspended AS (SELECT card_id FROM judged WHERE mistaken = '{DeviceState.SUSPENDED}'),
told AS ({queued(NoticeKind.APP_SUSPENDED, "suspended")} RETURNING id),
posted AS (
    INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
    SELECT authorisation_id, 'purchase', 'card:' || card_id, 'acquirer:' || CAST(:acquirer_id AS text), debit_rial
      FROM decided WHERE debit_rial > 0 RETURNING posting_id)
UPDATE authorisation
   SET state = :state, action_code = :action_code, reason = :reason, approval_code = :approval_code,
       capture_date = :capture_date, card_id = decided.card_id, decided_at = house_now(),
       code_channel = CASE :state WHEN 'approved' THEN 'first_pin' END,
       card_ref = CASE WHEN decided.step IS NOT NULL THEN decided.card_ref END
  FROM decided WHERE authorisation.authorisation_id = decided.authorisation_id
""")


@dataclass(frozen=True, slots=True)
class PresentRow:
    """A card's row under its lock."""

    status: str
    expiry: str
    first_pin_mac: bytes | None
    first_pin_key: str | None
    first_pin_failures: int
    first_pin_locked_until: dt.datetime | None
    balance_rial: int


@dataclass(frozen=True, slots=True)
class Present:
    """What a decision needs to know, by the database's clock (D33): the card, and its app if one is active.

    Args:
        retry_after: for how long, seconds, too many wrong tries at this terminal hold it back.
    """

    now: dt.datetime
    spent_rial: int
    retry_after: int | None
    card: PresentRow | None
    card_ref: str | None
    device_id: str | None
    code_root_sealed: bytes | None
    last_first_step: int | None
    drift_steps: int | None
    wrong_codes: int | None


@dataclass(frozen=True, slots=True)
class Writing:
    """All that one message changes.

    Args:
        approved: money was taken, or the PIN was right where none was asked for.
        charges: what a wrong try counts on.
        mistaken: what a wrong code of the app leaves its device in; ``None`` where none was meant.
    """

    authorisation_id: int
    card_id: int | None
    acquirer_id: str
    decision: PresentDecision
    answer: HostAnswer
    approved: bool
    card_ref: str | None
    device_id: str | None
    charges: Sequence[Charge]
    mistaken: DeviceState | None


def read(connection: Connection, card_id: int | None, charges: Sequence[Charge]) -> Present:
    """Read the card, its app, and what it spent today (Asia/Tehran); the card is held already.

    ``charges`` are those of a wrong try (D20).
    """
    row = dict(connection.execute(_READ, {"card_id": card_id, **counted(charges)}).mappings().one())
    names = PresentRow.__slots__
    card = None if row["status"] is None else PresentRow(*(row[name] for name in names))
    rest = {name: value for name, value in row.items() if name not in names}
    return Present(**{**rest, "spent_rial": int(row["spent_rial"])}, card=card)


def write(connection: Connection, writing: Writing) -> None:
    """Write counters, the used step, the device, the debit with its posting and the answer in one statement."""
    decision, answer = writing.decision, writing.answer
    connection.execute(
        _WRITE,
        {
            "authorisation_id": writing.authorisation_id,
            "card_id": writing.card_id,
            "acquirer_id": writing.acquirer_id,
            "debit_rial": decision.debit.amount,
            "counted": decision.counted,
            "failures": decision.failures,
            "locked_until": decision.locked_until,
            "step": decision.step,
            "card_ref": writing.card_ref,
            "device_id": writing.device_id,
            "mistaken": writing.mistaken,
            **counted(writing.charges if decision.wrong else ()),
            "state": "approved" if writing.approved else "declined",
            "action_code": answer.action_code,
            "reason": decision.reason,
            "approval_code": answer.approval_code,
            "capture_date": answer.capture_date,
        },
    )
