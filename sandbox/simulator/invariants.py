"""The invariants of money and codes, over the memory of both books. A violation begins with its number (I1 to I18).

Each function looks at what one committed change touched; :meth:`sandbox.simulator.mirror.Mirror.check_all` looks at
everything.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from foundation.checks import Severity, Verdict
from gateway.domain.attempt import ENDS as ATTEMPT_ENDS
from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.payment import ENDS, MACHINE, PaymentEvent, PaymentState
from gateway.domain.refund import MACHINE as REFUND
from gateway.domain.transfer import CREDIT
from otp.domain.binding import parse_canonical
from otp.domain.challenge import CHALLENGE
from sandbox.simulator import keeping, legs
from sandbox.simulator.check import Violated, require
from sandbox.simulator.memory import Memory, Row, instant, key_of

ALLOWED: dict[str, set[tuple[str, str]]] = {
    "payment": {(str(row.before), str(row.after)) for row in MACHINE.transitions if row.before},
    "attempt": {(str(row.before), str(row.after)) for row in ATTEMPT.transitions if row.before},
    "challenge": {(str(row.before), str(row.after)) for row in CHALLENGE.transitions if row.before},
    "refund": {(str(row.before), str(row.after)) for row in REFUND.transitions if row.before},
    "transfer": {("none", "owed"), *((str(row.before), str(row.after)) for row in CREDIT.transitions if row.before)},
    "authorisation": {("received", "approved"), ("received", "declined"), ("approved", "reversed")},
}
FIRST = {
    "payment": {"open"},
    "attempt": {"submitted"},
    "challenge": {"issued"},
    "authorisation": {"received", "tombstone"},
    "transfer": {"none"},
    "refund": {"requested", "waiting"},
}
STATE = {"transfer": "credit"}
"""The column that says where a row stands, where it is not ``state``."""

ACCOUNTS = ("pending", "payable", "issuer", "suspense", "fees", "transfer-clearing", "refunding", "bank")
MONEY_MAY_BE_GONE = frozenset({"declined", "voided"})
WAITING = frozenset({"submitted", "unknown", "voiding", "disputed"})
LOOKS_FAILED = frozenset({"cancelled", "expired", "reversed"})
RESTING = ENDS | {"confirmed"}
TRIES_MOST = 5
AGES = frozenset({"I5_past_promise", "I5_disputed", "I5_credit", "I5_refund_past_promise"})
UNDECIDED = frozenset({"submitted", "unknown"})
UNDECIDED_STEPS_MOST = 1_800
UNENDED_STEPS_MOST = 6_000
UNMARKED_STEPS_MOST = 1_800
"""I5's D: so many turns of everybody, more than a third of them workers', and every attempt has an answer or is being
reversed; so many, and every reversal was accepted, although issuers hang for hundreds of turns; so many past its
time, and a person is told."""

DISPUTE_AFTER = dt.timedelta(seconds=120)
"""The oldest that a reversal gets without an alarm (I5, D8); :mod:`sandbox.simulator.stage` sets the gateway so."""


def check_move(kind: str, before: Row | None, after: Row | None) -> None:
    """Check I7 (moves along the tables only) and the append-only half of I1."""
    if kind in {"posting", "payment_event"}:
        require(before is None, f"I1: a {kind} was changed or deleted")
    if kind not in ALLOWED or after is None:
        return
    name = STATE.get(kind, "state")
    if before is None:
        require(after[name] in FIRST[kind], f"I7: a {kind} began as {after[name]}")
    elif before[name] != after[name]:
        move = (before[name], after[name])
        require(move in ALLOWED[kind], f"I7: a {kind} went from {move[0]} to {move[1]}")


def check_event(before: str, event: str, after: str) -> None:
    """Check I7 and I8 by the event's own row: confirming and giving back never both win."""
    row = (PaymentState(before), PaymentEvent(event))
    possible = row[0] in MACHINE.befores(row[1]) and MACHINE.next(*row) == after
    number = "I8" if row[1] in {PaymentEvent.PAYEE_CONFIRMED, PaymentEvent.CONFIRM_WINDOW_ELAPSED} else "I7"
    require(possible, f"{number}: {event} led from {before} to {after}")


def check_job(job: Row) -> None:
    """Check I11: money's jobs never die."""
    if job["topic"].startswith("switch."):
        require(job["dead_at"] is None, f"I11: {job['unique_key']} is dead; only an answer ends it")


def check_tries(memory: Memory, challenge: Row) -> None:
    """Check I9: wrong tries per code, and per payment over all its codes."""
    require(challenge["wrong_tries"] <= min(TRIES_MOST, challenge["tries_max"]), "I9: too many wrong tries on a code")
    tries = sum(memory.wrong_tries[challenge["transaction_ref"]].values())
    require(tries <= TRIES_MOST, f"I9: {tries} wrong tries on one payment")


def check_debit(memory: Memory, row: Row) -> None:
    """Check I2 and I9: one debit; one live code, of this card, payment, amount and payee, by the bank's own clock."""
    require(memory.approved[row["transaction_ref"]] == 1, "I2: a payment was debited twice")
    challenge = memory.challenges.get(row["challenge_id"])
    if challenge is None:
        raise Violated("I9: paid without a code")
    number = row["authorisation_id"]
    bound, attempt = parse_canonical(challenge["canonical"]), memory.attempt_at(key_of(row))
    payment = memory.payments[attempt["payment_id"]]
    require(memory.paid_by.setdefault(row["challenge_id"], number) == number, "I9: a code paid twice")
    require(challenge["card_id"] == row["card_id"], "I9: another card's code paid")
    require(challenge["transaction_ref"] == row["transaction_ref"], "I9: another payment's code paid")
    require((bound.amount + bound.fee).amount == row["amount_rial"], "I9: a code for another amount paid")
    payee = (bound.merchant_id, bound.terminal_id, bound.fee.amount)
    require(payee == (payment["merchant_id"], payment["terminal_id"], payment["fee_rial"]), "I9: another payee's code")
    require(bound.payee_key == payment["payee_key"], "I9: a code for other bills paid")
    in_time = instant(row["decided_at"]) < instant(challenge["expires_at"])
    require(in_time, "I9: a dead code paid")


def check_claim(memory: Memory, bill: Row) -> None:
    """Check I15 at the gateway: a pair of numbers is claimed by one payment at a time."""
    pair, payment_id = (bill["bill_id"], bill["pay_id"]), bill["payment_id"]
    memory.bills[payment_id].add(pair)
    memory.bill_rows[payment_id, bill["number"]] = bill
    if bill["claimed"]:
        require(memory.claimed.setdefault(pair, payment_id) == payment_id, f"I15: bill {pair[0]} is claimed twice")
    elif memory.claimed.get(pair) == payment_id:
        del memory.claimed[pair]


def check_bills(memory: Memory, row: Row) -> None:
    """Check I15 at the bank: no bill's money is taken for two payments."""
    payment_id = memory.attempt_at(key_of(row))["payment_id"]
    for pair in memory.bills.get(payment_id, ()):
        memory.debited[pair].add(payment_id)
        require(len(memory.debited[pair]) == 1, f"I15: bill {pair[0]} was debited twice")


def forget_bills(memory: Memory, row: Row) -> None:
    """Note that an authorisation was reversed, so that its bills may be paid by others."""
    payment_id = memory.attempt_at(key_of(row))["payment_id"]
    for pair in memory.bills.get(payment_id, ()):
        memory.debited[pair].discard(payment_id)


def give_bill_back(memory: Memory, refund: Row) -> None:
    """Note that the bank gave the money of a refused bill back, so that it alone may be paid by others (D12)."""
    bill = memory.bill_rows.get((refund["payment_id"], refund["bill"]))
    if bill is not None:
        memory.debited[bill["bill_id"], bill["pay_id"]].discard(refund["payment_id"])


def check_both_sides(memory: Memory, attempt: Row) -> None:
    """Check I1 to I4, I6 and I11 of one attempt: what the gateway was told is what the bank holds."""
    row = memory.authorisation_of(attempt)
    name, state = attempt["attempt_id"], attempt["state"]
    if row is not None:
        legs.check_booked(memory, row)
        total = attempt["amount_rial"] + attempt["fee_rial"]
        require(row["amount_rial"] == total, f"I3: {name} has another amount")
    held = row is not None and row["state"] == "approved"
    require(not (held and state in MONEY_MAY_BE_GONE), f"I6: {name} is {state}, but the bank holds its money")
    require(held or state not in legs.TAKEN, f"I3: {name} is {state}, but the bank holds nothing")
    if state in {"unknown", "voiding", "disputed"}:
        topic = "switch.inquire" if state == "unknown" else "switch.reverse"
        job = memory.jobs.get(f"{topic}:{name}")
        require(job and job["done_at"] is None, f"I11: {name} is {state} and nobody works on it")


def check_payment(memory: Memory, row: Row) -> None:
    """Check I1, I3, I6, I13 and I15: accounts hold what the state says, kept money was confirmed, unknown looks so."""
    state, name = row["state"], row["payment_id"]
    require(not sum(memory.balances[name, account] for account in ACCOUNTS), f"I1: {name} does not sum to zero")
    (legs.check_transfer if row["kind"] == legs.TRANSFER else keeping.check_kept)(memory, row)
    own = memory.attempts.get(row["attempt_id"] or "", {})
    waits = own.get("state") in WAITING and not own["late"]
    require(not waits or state not in LOOKS_FAILED | {"open"}, f"I6: {name} says {state} while nobody knows")


def check_ages(memory: Memory) -> None:
    """Check I5: no attempt is without an answer, or without its end, for long."""
    for name, since in memory.since.items():
        waited, undecided = memory.step - since, memory.attempts[name]["state"] in UNDECIDED
        most = UNDECIDED_STEPS_MOST if undecided else UNENDED_STEPS_MOST
        require(waited <= most, f"I5: {name} is {memory.attempts[name]['state']} since {waited} steps")
    for what, began in (("credit of", memory.credit_since), ("refund", memory.refund_since)):
        for which, since in began.items():
            waited = memory.step - since
            require(waited <= UNENDED_STEPS_MOST, f"I5: the {what} {which} is under way since {waited} steps")


def check_alarms(memory: Memory) -> None:
    """Check I5 and D8: a reversal past its time is marked for a person, whatever keeps it."""
    for name in memory.since:
        attempt = memory.attempts[name]
        decided_at = attempt["reversal_decided_at"] if attempt["state"] == "voiding" else None
        if decided_at is None or memory.now - instant(decided_at) <= DISPUTE_AFTER:
            memory.overdue.pop(name, None)
            continue
        waited = memory.step - memory.overdue.setdefault(name, memory.step)
        require(waited <= UNMARKED_STEPS_MOST, f"I5: {name} is being reversed for long, and nobody is told")


def check_decided(memory: Memory) -> None:
    """Check I18: no payment and no attempt is under way any more."""
    moving = [row["payment_id"] for row in memory.payments.values() if row["state"] not in RESTING]
    require(not moving, f"I18: not at rest: {moving[:3]}")
    moving = [row["attempt_id"] for row in memory.attempts.values() if row["state"] not in ATTEMPT_ENDS]
    require(not moving, f"I18: not at rest: {moving[:3]}")
    moving = [row["refund_id"] for row in memory.refunds.values() if row["state"] in {"requested", "sent", "unknown"}]
    require(not moving, f"I18: not at rest: {moving[:3]}")


def check_quiet(memory: Memory) -> None:
    """Check I11: every job ended."""
    rows = (*memory.jobs.values(), *memory.bank_jobs.values())
    waiting = [job["unique_key"] for job in rows if not job["done_at"] and not job["dead_at"]]
    require(not waiting, f"I11: never ended: {waiting[:3]}")


def check_sms(memory: Memory, job_id: int, now: Any) -> None:
    """Check I12: what is handed to the provider is a code that can still pay."""
    job = memory.bank_jobs.get(job_id, {"topic": "?", "payload": {}})
    if job["topic"] != "sms.code":
        return
    challenge = memory.challenges[job["payload"]["challenge_id"]]
    alive = challenge["state"] == "issued" and instant(challenge["expires_at"]) > now
    require(alive, f"I12: sms {job_id} was sent although its code is {challenge['state']} or past its time")


def check_verdict(verdict: Verdict) -> None:
    """Check what a monitor says of a rule about money; how late something is, simulated time jumps decide."""
    if verdict.severity == Severity.MONEY and verdict.name not in AGES:
        require(verdict.holds, f"{verdict.name.partition('_')[0]}: the monitor says: {verdict}")
