"""The invariants of webhooks, over the memory of the books: who is told what, in what order, and how it may end.

An event is owed to every endpoint that hears its type when it becomes true; it goes there in its payment's order, to
enabled endpoints alone, and ends delivered, given up by rule with a notice, or with its endpoint.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any

import psycopg

from gateway.domain.payment import TELLS, PaymentEvent
from gateway.domain.refund import TELLS as REFUND_TELLS
from gateway.domain.webhooks import BACKOFF_SECONDS, BILLERS_TOLD, IBANS_CHANGED, JITTER_PERCENT, UNDELIVERED
from sandbox.simulator import invariants
from sandbox.simulator.check import require
from sandbox.simulator.memory import Memory, Row, instant

TOLD = {
    "authorised": TELLS[PaymentEvent.ATTEMPT_APPROVED],
    "confirmed": TELLS[PaymentEvent.PAYEE_CONFIRMED],
    "reversed": TELLS[PaymentEvent.REVERSAL_ACCEPTED],
    "cancelled": TELLS[PaymentEvent.CUSTOMER_CANCELLED],
    "expired": TELLS[PaymentEvent.WINDOW_ELAPSED],
}
TOLD_PER_ATTEMPT = {"unknown": TELLS[PaymentEvent.ATTEMPT_UNANSWERED]}
PAYMENTS = frozenset(TELLS.values()) | frozenset(REFUND_TELLS.values())
HEARD = PAYMENTS.union(IBANS_CHANGED, BILLERS_TOLD)
"""What the endpoints of merchant and biller may hear."""

LONGEST_WAIT = dt.timedelta(seconds=BACKOFF_SECONDS[-1] * (100 + JITTER_PERCENT) // 100)
CLOCKS_DIFFER = dt.timedelta(seconds=600)
"""More than a clock may be set while something waits."""

KEPT = dt.timedelta(days=30)
REMOVED = "endpoint removed"


def check_owed(reader: psycopg.Connection[tuple[Any, ...]], payment: Row) -> None:
    """Check I11: the row is in the same commit, so it is there when all of it has been read."""
    name, state = payment["payment_id"], payment["state"]
    told, per_attempt = TOLD.get(state), TOLD_PER_ATTEMPT.get(state)
    if told is None and per_attempt is None:
        return
    key = f"{told}:{name}" if told else f"{per_attempt}:{name}:{payment['attempt_id']}"
    event_id = "evt_" + hashlib.sha256(key.encode()).hexdigest()[:32]
    found = reader.execute(b"SELECT 1 FROM webhook_event WHERE event_id = %s", (event_id,)).fetchone()
    require(found, f"I11: nothing owes {key}")


def note_event(memory: Memory, event: Row) -> None:
    """Check I11: no event tells of a state that was not; keep in mind who is owed it, or what it gives notice of."""
    if event["type"] == UNDELIVERED:
        memory.unnoticed.discard((event["facts"]["event_id"], event["facts"]["endpoint_id"]))
    if event["type"] not in HEARD:
        return
    if event["type"] in PAYMENTS:
        state, known = event["facts"]["state"], memory.states[event["payment_id"]]
        require(state in known, f"I11: {event['type']} of {event['payment_id']} tells of {state}, which never was")
    memory.event_types[event["event_id"]] = event["type"]
    memory.event_owners[event["event_id"]] = event["merchant_id"]
    memory.told_at[event["event_id"]] = instant(event["created_at"])
    for endpoint in memory.endpoints.values():
        if hears(endpoint, event["merchant_id"], event["type"]):
            memory.owing.add((event["event_id"], endpoint["endpoint_id"]))


def hears(endpoint: Row, merchant_id: str, event_type: str) -> bool:
    """Tell whether an endpoint is told of this merchant's events of this type now."""
    own = endpoint["merchant_id"] == merchant_id
    wanted = not endpoint["event_types"] or event_type in endpoint["event_types"]
    return bool(own and endpoint["enabled"] and not endpoint["deleted_at"] and wanted)


def note_delivery(memory: Memory, before: Row | None, delivery: Row) -> None:
    """Check I11 and I12 of one change: to whom, delivered only by a 2xx, dead only by rule, never put off for long."""
    key = (delivery["event_id"], delivery["endpoint_id"])
    memory.deliveries[key] = delivery
    memory.owing.discard(key)
    was, state = before and before["state"], delivery["state"]
    if before is None:
        endpoint = memory.endpoints[delivery["endpoint_id"]]
        event_id = delivery["event_id"]
        asked = hears(endpoint, memory.event_owners[event_id], memory.event_types[event_id])
        require(asked, f"I11: {key} is owed to an endpoint that does not hear it")
    if state == "waiting":
        late = instant(delivery["due_at"]) - memory.now
        require(late <= LONGEST_WAIT + CLOCKS_DIFFER, f"I11: {key} is put off for {late}")
        if was not in {None, "waiting"}:
            memory.heard.discard(key)
            memory.coverage.saw("event asked for again")
    elif was == "waiting" and state == "delivered":
        require(key in memory.heard, f"I12: {key} is marked delivered, but nobody said 2xx")
    elif was == "waiting":
        _note_death(memory, key, delivery)


def _note_death(memory: Memory, key: tuple[str, str], delivery: Row) -> None:
    memory.coverage.saw("webhook dead")
    if delivery["last_error"] == REMOVED:
        require(memory.endpoints[delivery["endpoint_id"]]["deleted_at"], f"I11: {key} ended with a living endpoint")
        return
    memory.unnoticed.add(key)
    too_old = instant(delivery["give_up_at"]) - memory.now <= LONGEST_WAIT + CLOCKS_DIFFER
    require(too_old or key in memory.gone, f"I11: {key} was given up before its time")
    if too_old and key not in memory.gone:
        memory.coverage.saw("webhook given up after three days")


def note_forgotten(memory: Memory, delivery: Row) -> None:
    """Check D43 and I11: what is deleted is old, and ended or can no longer end otherwise."""
    key = (delivery["event_id"], delivery["endpoint_id"])
    age = memory.now - memory.told_at[delivery["event_id"]]
    require(age >= KEPT - CLOCKS_DIFFER, f"D43: {key} is forgotten after {age}")
    lapsed = instant(delivery["give_up_at"]) <= memory.now + CLOCKS_DIFFER
    require(lapsed or delivery["state"] != "waiting", f"I11: {key} is forgotten on its way")
    memory.deliveries.pop(key)


def note_endpoint(memory: Memory, before: Row | None, endpoint: Row) -> None:
    """Keep an endpoint in mind, and count what became of it."""
    memory.endpoints[endpoint["endpoint_id"]] = endpoint
    if before and before["enabled"] and not endpoint["enabled"]:
        memory.coverage.saw(f"endpoint disabled: {endpoint['disabled_why']}")
    if before and endpoint["enabled"] and not before["enabled"]:
        memory.coverage.saw("endpoint enabled again")


def check_commit(memory: Memory) -> None:
    """Check I11 when a commit has been read whole: everybody who hears it is owed it, and no end is silent."""
    require(not memory.owing, f"I11: nobody tells {sorted(memory.owing)[:3]}")
    require(not memory.unnoticed, f"I11: given up without a notice: {sorted(memory.unnoticed)[:3]}")


def check_sent(memory: Memory, key: tuple[str, str], secrets: Sequence[str], now: dt.datetime) -> None:
    """Check I11 as a message arrives: it waits, its endpoint wants it, it is its payment's turn, under live secrets."""
    endpoint, delivery = memory.endpoints[key[1]], memory.deliveries[key]
    require(endpoint["enabled"] and not endpoint["deleted_at"], f"I11: {key} came to an endpoint that is off")
    require(delivery["state"] == "waiting", f"I11: {key} came although it is {delivery['state']}")
    earlier = [
        each["event_id"]
        for each in memory.deliveries.values()
        if each["endpoint_id"] == key[1]
        and each["payment_id"] == delivery["payment_id"] is not None
        and each["number"] < delivery["number"]
        and each["state"] == "waiting"
    ]
    require(not earlier, f"I11: {key} came before {earlier}, which is earlier in its payment")
    overlap = endpoint["previous_until"] and instant(endpoint["previous_until"]) > now
    if overlap:
        memory.coverage.saw("webhook under two secrets")
    require(len(secrets) == (2 if overlap else 1), f"F21: {key} came under {len(secrets)} secrets")


def check_told_again(body: dict[str, Any]) -> None:
    """Check I11: an event told again is the same event."""
    first = body["first"]
    for name in ("type", "timestamp"):
        require(body[name] == first[name], f"I11: an event was told again with another {name}")
    for name in ("id", "state", "order_id", "amount", "fee", "iban"):
        require(body["data"].get(name) == first["data"].get(name), f"I11: an event was told again with another {name}")


def check_quiet(memory: Memory) -> None:
    """Check I11: every job ended, and every webhook, but for what waits until its endpoint is enabled again."""
    invariants.check_quiet(memory)
    waiting = [
        key
        for key, delivery in memory.deliveries.items()
        if delivery["state"] == "waiting" and memory.endpoints[key[1]]["enabled"]
    ]
    require(not waiting, f"I11: never ended: {waiting[:3]}")
