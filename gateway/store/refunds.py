"""Refunds: the reservation before anything is sent, and every way a refund ends; each is one statement (D11).

Who gives the money back is the payment's merchant, of a bill its biller (D12). Whoever asks for a refund holds that
merchant's payable account first (:func:`gateway.store.balances.lock`), so that the
deciding statement sees every refund and payout before it. What is looked at there is not the bare balance but what of
it is free to be spent (:mod:`gateway.store.payables`).
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, TextClause, text

from gateway.domain.payment import MACHINE, PaymentEvent
from gateway.domain.refund import MACHINE as REFUND
from gateway.domain.refund import REFUNDS_MAX, TELLS, RefundEvent, RefundState
from gateway.domain.webhooks import BILL_REFUND_REFUSED, BILL_REFUNDED
from gateway.store.bills import refunded, told_of_refund
from gateway.store.fragments import among, dated, facts_of, moved, noted, told_as
from gateway.store.idempotency import BOUNDED, conflicts, kept
from gateway.store.payables import spendable_of

_FACTS = facts_of("payment")
_TEHRAN = "house_now() AT TIME ZONE 'Asia/Tehran'"
TRACE = (
    "lpad(CAST(nextval('stan') AS text), 6, '0')",
    f"right(to_char({_TEHRAN}, 'YYYYDDD'), 4) || lpad(CAST(nextval('rrn') AS text), 8, '0')",
    f"to_char({_TEHRAN}, 'YYMMDDHH24MISS')",
)
"""STAN, RRN and local time of a new message."""
COLUMNS = "number, refund_id, payment_id, amount_rial, fee_rial, reason, state, asked_at, decided_at, action_code, bill"
"""Columns of a refund that its merchant may learn; ``number`` is the gateway's own name for it."""

_ITSELF = "(spoken.payment_id, spoken.bill) = (payment.payment_id, coalesce(CAST(:bill AS integer), 0))"
_AVAILABLE = spendable_of(_ITSELF)


def queued_refund(of: str) -> str:
    """Queue the sending of every refund in ``of`` that may go out."""
    return (
        f"queued_{of} AS (INSERT INTO outbox (topic, unique_key, payload) "
        f"SELECT 'switch.refund', 'switch.refund:' || number, jsonb_build_object('refund', number) FROM {of} "
        "WHERE state = 'requested' ON CONFLICT (unique_key) DO NOTHING)"
    )


_ASK = text(f"""
WITH reserved AS (
  UPDATE payment SET refunded_rial = payment.refunded_rial + :amount_rial FROM attempt a, merchant m, {BOUNDED}
  WHERE payment.payment_id = :payment_id AND payment.terminal_id = :terminal_id AND payment.kind = :kind
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.REFUND_REQUESTED))}
    AND payment.refunded_rial + :amount_rial <= payment.amount_rial
    AND a.attempt_id = payment.attempt_id AND a.state = 'approved' AND a.pan_sealed IS NOT NULL
    AND a.decided_at + make_interval(days => :refund_window_days) > house_now()
    AND m.merchant_id = payment.merchant_id
    AND (SELECT count(*) FROM refund WHERE refund.payment_id = payment.payment_id) < {REFUNDS_MAX}
    AND {_AVAILABLE} >= :amount_rial
  RETURNING {_FACTS}, payment.attempt_id, a.acquirer_id, coalesce(payment.payee_name, m.payee_name) AS payee_name),
judged AS MATERIALIZED (SELECT reserved.*, refunded_rial >= :four_eyes_rial AS held FROM reserved),
asked AS (
  INSERT INTO refund (terminal_id, refund_id, payment_id, attempt_id, merchant_id, issuer_id, acquirer_id, payee_name,
    amount_rial, fee_rial, reason, state, asked_by, bill, signed, stan, rrn, local_time)
  SELECT terminal_id, :refund_id, payment_id, attempt_id, :merchant_id, issuer_id, acquirer_id, payee_name,
    :amount_rial, CASE WHEN :amount_rial = amount_rial THEN fee_rial ELSE 0 END, :reason,
    CASE WHEN held THEN 'waiting' ELSE 'requested' END, :asked_by, :bill, :signed,
    {", ".join(f"CASE WHEN NOT held THEN {part} END" for part in TRACE)}
  FROM judged RETURNING *),
sealed AS (UPDATE attempt SET refunding = refunding + 1 FROM asked WHERE attempt.attempt_id = asked.attempt_id),
{noted(PaymentEvent.REFUND_REQUESTED, "reserved")},
{moved(PaymentEvent.REFUND_REQUESTED, "asked", refund="asked.number")},
{queued_refund("asked")},
{kept("asked", terminal="CAST(:key_of AS text)")}
SELECT {COLUMNS} FROM asked
""")

_SENT = text(f"""
UPDATE refund SET state = 'sent', sent_at = house_now()
WHERE number = :number AND state IN {among(REFUND.befores(RefundEvent.SENT))} RETURNING number
""")
_UNANSWERED = text("UPDATE refund SET state = 'unknown' WHERE number = :number AND state = 'sent'")


def _ended(event: RefundEvent, state: RefundState, changes: str, *, condition: str) -> str:
    """Return the first part of an end: the refund is decided, and no longer needs the card's number."""
    return f"""
ended AS (
  UPDATE refund SET state = '{state}', decided_at = house_now(){changes}
  WHERE {condition} AND state IN {among(REFUND.befores(event))} RETURNING *),
unsealed AS (
  UPDATE attempt SET refunding = refunding - gone.number
  FROM (SELECT attempt_id, count(*) AS number FROM ended GROUP BY attempt_id) AS gone
  WHERE attempt.attempt_id = gone.attempt_id)"""


_RETURNED = f"RETURNING {_FACTS}, payment.attempt_id, ended.refund, ended.number"
_ENDED = f"""
ended_of AS (SELECT payment_id, number, amount_rial, jsonb_build_object({
    ", ".join(f"'{name}', {name}" for name in COLUMNS.split(", "))
}) AS refund FROM ended)"""

_DONE = text(f"""
WITH {
    _ended(
        RefundEvent.CREDITED,
        RefundState.DONE,
        f", action_code = '000', approval_code = :approval_code, capture_date = {dated('sent_at')}",
        condition="number = :number",
    )
},
{_ENDED},
{refunded("ended")},
returned AS (
  UPDATE payment SET returned_rial = returned_rial + ended.amount_rial, state = CASE
      WHEN returned_rial + ended.amount_rial = payment.amount_rial THEN 'refunded' ELSE payment.state END
  FROM ended_of AS ended
  WHERE payment.payment_id = ended.payment_id AND payment.state IN {among(MACHINE.befores(PaymentEvent.REFUND_DONE))}
  {_RETURNED}),
part AS (SELECT * FROM returned WHERE state <> 'refunded'),
whole AS (SELECT * FROM returned WHERE state = 'refunded'),
{noted(PaymentEvent.REFUND_DONE, "part")},
{noted(PaymentEvent.REFUNDED_WHOLE, "whole")},
{moved(PaymentEvent.REFUND_DONE, "ended", refund="ended.number")},
{told_as(TELLS[RefundState.DONE], "returned", once="returned.number")},
{told_of_refund(BILL_REFUNDED, "ended")}
SELECT number FROM returned
""")


def refusal(event: RefundEvent, changes: str, *, condition: str) -> TextClause:
    """Return a statement that ends one refund by ``event``: the money is the merchant's again, and it is told."""
    return text(f"""
WITH {_ended(event, RefundState.REFUSED, changes, condition=condition)},
{_ENDED},
returned AS (
  UPDATE payment SET refunded_rial = refunded_rial - ended.amount_rial FROM ended_of AS ended
  WHERE payment.payment_id = ended.payment_id
    AND payment.state IN {among(MACHINE.befores(PaymentEvent.REFUND_REFUSED))}
  {_RETURNED}),
{noted(PaymentEvent.REFUND_REFUSED, "returned")},
{moved(PaymentEvent.REFUND_REFUSED, "ended", refund="ended.number")},
{told_as(TELLS[RefundState.REFUSED], "returned", once="returned.number")},
{told_of_refund(BILL_REFUND_REFUSED, "ended")}
SELECT number FROM returned
""")


_REFUSE = refusal(RefundEvent.DECLINED, ", action_code = :action_code", condition="number = :number")
_ONE = text(f"SELECT {COLUMNS} FROM refund WHERE terminal_id = :terminal_id AND refund_id = :refund_id")
_OF_PAYMENT = text(f"""
SELECT {", ".join(f"refund.{name}" for name in COLUMNS.split(", "))} FROM payment JOIN refund USING (payment_id)
WHERE payment.payment_id = :payment_id AND payment.terminal_id = :terminal_id ORDER BY refund.number LIMIT :most
""")
_REST = text(f"""
SELECT payment.amount_rial - payment.refunded_rial AS left_rial, payment.kind, payment.state,
  CAST({_AVAILABLE} AS bigint) AS available,
  (SELECT count(*) FROM refund WHERE refund.payment_id = payment.payment_id) AS refunds,
  coalesce(a.pan_sealed IS NOT NULL AND a.decided_at + make_interval(days => :refund_window_days) > house_now(), false)
    AS in_window
FROM payment LEFT JOIN attempt a ON a.attempt_id = payment.attempt_id WHERE payment.payment_id = :payment_id
""")
_FOR_SWITCH = text("""
SELECT r.number, r.refund_id, r.payment_id, r.attempt_id, r.state, r.acquirer_id, r.terminal_id, p.merchant_id,
  r.issuer_id, r.payee_name, r.amount_rial, r.fee_rial, r.stan, r.rrn, r.local_time, p.reference, a.pan_sealed
FROM refund r JOIN payment p USING (payment_id) JOIN attempt a ON a.attempt_id = r.attempt_id WHERE r.number = :number
""")


@dataclass(frozen=True, slots=True)
class RefundRecord:
    """A refund as its merchant may know it.

    Args:
        fee_rial: what of the cardholder's fee goes back beside it.
        bill: which bill of the payment its biller refused, counted from 1; ``None`` of a purchase.
    """

    number: int
    refund_id: str
    payment_id: str
    amount_rial: int
    fee_rial: int
    reason: str | None
    state: RefundState
    asked_at: dt.datetime
    decided_at: dt.datetime | None
    action_code: str | None
    bill: int | None

    @classmethod
    def of(cls, row: Mapping[str, Any] | RowMapping) -> RefundRecord:
        """Build from a row, or from the JSON of one that a stored answer or an event keeps."""
        values: dict[str, Any] = {name: row.get(name) for name in cls.__dataclass_fields__}
        for name in ("asked_at", "decided_at"):
            if isinstance(values[name], str):
                values[name] = dt.datetime.fromisoformat(values[name])
        return cls(**{**values, "state": RefundState(values["state"])})

    def json(self) -> str:
        """Return this row as the JSON that a stored answer keeps."""
        return json.dumps(asdict(self), default=str)


@dataclass(frozen=True, slots=True)
class Rest:
    """What of a payment can still be refunded, in rials, and what keeps more from it."""

    left_rial: int
    kind: str
    state: str
    available: int
    refunds: int
    in_window: bool


@dataclass(frozen=True, slots=True)
class RefundRow:
    """A refund as the worker sends it; the key of its message never changes."""

    number: int
    refund_id: str
    payment_id: str
    attempt_id: str
    state: str
    acquirer_id: str
    terminal_id: str
    merchant_id: str
    issuer_id: str
    payee_name: str
    amount_rial: int
    fee_rial: int
    stan: str
    rrn: str
    local_time: str
    reference: str
    pan_sealed: bytes


class RefundTaken(Exception):
    """The terminal has used this refund id before; nothing was changed."""


def ask(connection: Connection, values: Mapping[str, Any]) -> RefundRecord | None:
    """Reserve the money and write the refund down; ``None`` when payment, window, rest or payable account forbid it.

    Raises:
        RefundTaken: the refund id was used before.
        KeyTaken, Busy: as for every request.
    """
    with conflicts(refund_key=RefundTaken):
        row = connection.execute(_ASK, dict(values)).mappings().one_or_none()
    return None if row is None else RefundRecord.of(row)


def sent(connection: Connection, number: int) -> bool:
    """Note, before it happens, that the issuer is asked for the first time; ``False`` when it may have been already."""
    return connection.execute(_SENT, {"number": number}).first() is not None


def unanswered(connection: Connection, number: int) -> None:
    """Note that nobody answered: the refund is neither done nor refused."""
    connection.execute(_UNANSWERED, {"number": number})


def done(connection: Connection, number: int, approval_code: str | None, capture_date: str | None) -> bool:
    """Record that the card was credited; the last refund of the whole makes the payment refunded."""
    values = {"number": number, "approval_code": approval_code, "capture_date": capture_date}
    return connection.execute(_DONE, values).first() is not None


def refuse(connection: Connection, number: int, action_code: str) -> bool:
    """Record an explicit no: the money is the merchant's again, and it is told."""
    return connection.execute(_REFUSE, {"number": number, "action_code": action_code}).first() is not None


def get(connection: Connection, terminal_id: str, refund_id: str) -> RefundRecord | None:
    """Read a refund of this terminal by the merchant's own id."""
    row = connection.execute(_ONE, {"terminal_id": terminal_id, "refund_id": refund_id}).mappings().one_or_none()
    return None if row is None else RefundRecord.of(row)


def of_payment(connection: Connection, terminal_id: str, payment_id: str) -> list[RefundRecord]:
    """Read every refund of a payment of this terminal, oldest first."""
    values = {"terminal_id": terminal_id, "payment_id": payment_id, "most": REFUNDS_MAX}
    return [RefundRecord.of(row) for row in connection.execute(_OF_PAYMENT, values).mappings()]


def rest(connection: Connection, values: Mapping[str, Any]) -> Rest:
    """Say what of a payment could be refunded now; it exists."""
    return Rest(**connection.execute(_REST, dict(values)).mappings().one())


def for_switch(connection: Connection, number: int) -> RefundRow | None:
    """Read a refund with all that its message carries; one that waits for a person has no key yet and is not sent."""
    row = connection.execute(_FOR_SWITCH, {"number": number}).mappings().one_or_none()
    if row is None or row["pan_sealed"] is None or row["stan"] is None:
        return None
    return RefundRow(**{**row, "pan_sealed": bytes(row["pan_sealed"])})
