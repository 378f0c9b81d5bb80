"""Pieces of statements that every state change shares: its event, its postings, the messages it owes.

Each piece is one CTE that reads the rows another CTE returned (``payment_id, attempt_id, merchant_id,
issuer_id, amount_rial,
fee_rial, state``; for :func:`told` all of :data:`FACTS`), so that state, event, postings and outbox are one statement
and one commit.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.attempt import AttemptEvent
from gateway.domain.clearing import DATED_AFTER_DAYS, DATED_BEFORE_DAYS
from gateway.domain.ledger import PLANS, Part
from gateway.domain.payment import TELLS, TOLD_AFTER_UNKNOWN, TOLD_PER_ATTEMPT, PaymentEvent

_PARTS = {
    Part.AMOUNT: "{of}.amount_rial",
    Part.FEE: "{of}.fee_rial",
    Part.TOTAL: "{of}.amount_rial + {of}.fee_rial",
    Part.CHARGE: "{of}.charge_rial",
    Part.NET: "{of}.net_rial",
}

FACTS = (
    "payment_id, page_token, kind, state, terminal_id, merchant_id, order_id, amount_rial, fee_rial, description, "
    "callback_url, created_at, page_expires_at, confirm_window_seconds, authorised_at, confirmed_at, reversed_at, "
    "rrn, tracking_code, pan_masked, card_token, issuer_id, decided_by, refunded_rial"
)
"""Columns of a payment that its merchant may learn."""

WITH_SECOND_LEG = "('CARD_TRANSFER', 'TOP_UP')"
"""Kinds whose approval is not the end of it (D7): nobody confirms them, and no clock gives them back."""


def facts_of(table: str, *, without: str = "") -> str:
    """Return :data:`FACTS` with the name of their table, for statements that read several."""
    return ", ".join(f"{table}.{name}" for name in FACTS.split(", ") if name != without)


def among(states: Iterable[StrEnum]) -> str:
    """Return ``('open', 'paying')``: states of the tables in the domain, as the right side of IN."""
    names = sorted({str(state) for state in states})
    if not names:
        raise ValueError("no state allows this")
    return "(" + ", ".join(f"'{name}'" for name in names) + ")"


def noted(event: StrEnum, of: str) -> str:
    """Append ``event`` to the history of every payment in ``of``."""
    return (
        f"noted_{of} AS (INSERT INTO payment_event (payment_id, attempt_id, event, state) "
        f"SELECT payment_id, attempt_id, '{event}', state FROM {of})"
    )


def moved(event: PaymentEvent, of: str, *, refund: str = "CAST(NULL AS bigint)") -> str:
    """Post what :data:`gateway.domain.ledger.PLANS` says for ``event``, for every payment in ``of``.

    ``refund`` names the column with the refund's number where ``of`` has refunds, with their sums, in payments' place.
    """
    rows = ", ".join(
        f"({_account(move.source, of)}, {_account(move.destination, of)}, {_PARTS[move.part].format(of=of)})"
        for move in PLANS[event]
    )
    return (
        f"moved_{of} AS (INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial, refund) "
        f"SELECT {of}.payment_id, {of}.attempt_id, '{event}', row.source, row.destination, row.amount_rial, {refund} "
        f"FROM {of} CROSS JOIN LATERAL (VALUES {rows}) AS row (source, destination, amount_rial) "
        "WHERE row.amount_rial > 0)"
    )


def moved_back(event: PaymentEvent, of: str) -> str:
    """Post the inverse of everything the attempts in ``of`` posted (:func:`gateway.domain.ledger.inverse`)."""
    return (
        f"moved_{of} AS (INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        f"SELECT posting.payment_id, posting.attempt_id, '{event}', posting.destination, posting.source, "
        f"posting.amount_rial FROM posting JOIN {of} ON {of}.attempt_id = posting.attempt_id "
        "AND posting.refund IS NULL "
        "ORDER BY posting.posting_id DESC)"
    )


def told(event: PaymentEvent, of: str) -> str:
    """Tell each merchant in ``of`` about ``event``, once: in its feed, and to every endpoint that wants to hear.

    ``of`` returns :data:`FACTS` of the payment: the event keeps them as they are at this moment. Its id follows from
    what happened, so the same happening never has two. An endpoint hears of one payment in order: behind what still
    waits there for the same payment, the new delivery is not due before that.
    """
    once = f"{of}.payment_id || ':' || {of}.attempt_id" if event in TOLD_PER_ATTEMPT else f"{of}.payment_id"
    return told_as(TELLS[event], of, once=once, where=_after_unknown(of) if event in TOLD_AFTER_UNKNOWN else "")


def told_as(kind: str, of: str, *, once: str, where: str = "") -> str:
    """Tell each merchant in ``of`` under this name; ``once`` is the SQL text that makes one happening of it."""
    digest = f"encode(sha256(convert_to('{kind}:' || {once}, 'UTF8')), 'hex')"
    return (
        f"told_{of} AS (INSERT INTO webhook_event (event_id, merchant_id, payment_id, type, facts) "
        f"SELECT 'evt_' || left({digest}, 32), {of}.merchant_id, {of}.payment_id, '{kind}', to_jsonb({of}) "
        f"FROM {of} {where}"
        "ON CONFLICT (event_id) DO NOTHING RETURNING event_id, number, merchant_id, payment_id, type), "
        f"{owed_to_endpoints(of)}"
    )


def owed_to_endpoints(of: str) -> str:
    """Owe the events of ``told_<of>`` to every endpoint that wants to hear, behind what waits there of the payment."""
    return (
        f"owed_{of} AS (INSERT INTO webhook_delivery (endpoint_id, event_id, number, payment_id, due_at) "
        "SELECT endpoint.endpoint_id, told.event_id, told.number, told.payment_id, greatest(house_now(), ("
        "SELECT max(earlier.due_at) FROM webhook_delivery AS earlier WHERE earlier.endpoint_id = endpoint.endpoint_id "
        "AND earlier.payment_id = told.payment_id AND earlier.state = 'waiting')) "
        f"FROM told_{of} AS told JOIN webhook_endpoint AS endpoint ON endpoint.merchant_id = told.merchant_id "
        f"AND {hears('endpoint', 'told.type')})"
    )


def hears(endpoint: str, event_type: str) -> str:
    """Return the condition that an endpoint is told about events of a type; no types means all."""
    return (
        f"{endpoint}.enabled AND {endpoint}.deleted_at IS NULL "
        f"AND (cardinality({endpoint}.event_types) = 0 OR {event_type} = ANY({endpoint}.event_types))"
    )


def queued(topic: str, of: str, *, delay_seconds: int = 0) -> str:
    """Queue work about every attempt in ``of``, once per topic and attempt."""
    return (
        f"queued_{of} AS (INSERT INTO outbox (topic, unique_key, payload, due_at) "
        f"SELECT '{topic}', '{topic}:' || attempt_id, jsonb_build_object('attempt_id', attempt_id), "
        f"house_now() + make_interval(secs => {int(delay_seconds)}) FROM {of} ON CONFLICT (unique_key) DO NOTHING)"
    )


def voiding(of: str) -> str:
    """Decide to reverse the winning attempt of every payment in ``of``; the rows are called ``voiding``."""
    return (
        f"voiding AS (UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now() FROM {of} "
        f"WHERE attempt.attempt_id = {of}.attempt_id "
        f"AND attempt.state IN {among(ATTEMPT.befores(AttemptEvent.REVERSAL_DECIDED))} "
        "RETURNING attempt.attempt_id)"
    )


def dated(at: str, told: str = "CAST(:capture_date AS text)") -> str:
    """Return the day ``MMDD`` in whose file a movement of the moment ``at`` is looked for.

    As its bank dated it, where that can be; otherwise its own day in Tehran, so that some file has to name it.
    """
    own = f"({at} AT TIME ZONE 'Asia/Tehran')"
    return (
        f"CASE WHEN {told} = ANY (ARRAY(SELECT to_char({own} + days * interval '1 day', 'MMDD') "
        f"FROM generate_series(-{DATED_BEFORE_DAYS}, {DATED_AFTER_DAYS}) AS days)) THEN {told} "
        f"ELSE to_char({own}, 'MMDD') END"
    )


def _after_unknown(of: str) -> str:
    return (
        f"WHERE EXISTS (SELECT FROM payment_event WHERE payment_event.payment_id = {of}.payment_id "
        f"AND payment_event.attempt_id = {of}.attempt_id AND event = '{PaymentEvent.ATTEMPT_UNANSWERED}') "
    )


def _account(name: str, of: str) -> str:
    prefix, _, holder = name.partition(":")
    columns = {
        "{issuer}": f"'{prefix}:' || {of}.issuer_id",
        "{merchant}": f"'{prefix}:' || {of}.merchant_id",
        "{payee}": f"'{prefix}:' || {of}.payee_issuer_id",
    }
    return columns.get(holder, f"'{name}'")
