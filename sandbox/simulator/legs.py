"""The invariants of transfers (I15, D7): both legs or neither, nobody gains or loses, and clearing is empty at rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from sandbox.simulator.check import require
from sandbox.simulator.memory import Memory, Row, key_of

Day = tuple[str, str]
"""A bank and one of its capture dates, MMDD."""

TRANSFER = "CARD_TRANSFER"
UNDER_WAY = frozenset({"owed", "reversing"})
GOES_BACK = frozenset({"reversing", "disputed"})
NAMELESS = frozenset({"open", "cancelled", "expired"})
"""States of a transfer that a merchant asked for and nobody said yet whom it is for."""
TAKEN = frozenset({"approved", "stood"})


def check_credit(memory: Memory, row: Row, payment_id: str) -> None:
    """Check a credit as its bank gives it: the money of this transfer, without its fee, to the card that was named."""
    payment = memory.payments[payment_id]
    require(row["amount_rial"] == payment["amount_rial"], f"I15: {payment_id} gives another amount")
    _check_destination(memory, row, payment_id)


def check_transfer(memory: Memory, payment: Row) -> None:
    """Check one transfer: where its money stands, and that no state has it on both cards or on neither."""
    name, state, amount = payment["payment_id"], payment["state"], payment["amount_rial"]
    if name not in memory.transfers:
        require(state in NAMELESS, f"I15: {name} is {state} and goes to nobody")
        return
    transfer, clearing = memory.transfers[name], memory.balances[name, "transfer-clearing"]
    held = (0, amount) if state in GOES_BACK else (amount if state == "authorised" else 0,)
    require(clearing in held, f"I15: {name} is {state} and clearing holds {clearing}")
    kept = state in {"authorised", "confirmed"}
    fees = memory.balances[name, "fees"]
    require(fees == (payment["fee_rial"] if kept or (state in GOES_BACK and clearing) else 0), f"I15: {name}: its fee")
    row = memory.credit_of(name)
    given = row is not None and row["state"] == "approved"
    if row is not None:
        check_booked(memory, row)
    if not payment["inside"]:
        require(given or state != "confirmed", f"I15: {name} is complete, and its destination has nothing")
        require(not given or kept, f"I15: {name} is {state}, and its destination keeps the money")
        require(given or transfer["credit"] != "given", f"I15: {name} is given, says the gateway, and is not")
    elif state == "confirmed":
        _check_inside(memory, payment)
    if transfer["credit"] in UNDER_WAY:
        job = memory.jobs.get(f"switch.credit:{payment['attempt_id']}")
        require(job and job["done_at"] is None, f"I11: the credit of {name} is owed and nobody works on it")


def check_booked(memory: Memory, row: Row) -> None:
    """Check I1, I2 and I4 of one authorisation: its cards moved by its sum and fee, whole, once, or not at all."""
    number, stands = row["authorisation_id"], row["state"] == "approved"
    for card, rial in (("card_id", -row["amount_rial"]), ("credited_card_id", row["amount_rial"] - row["fee_rial"])):
        moved, meant = memory.moved(row, card), rial if stands and row[card] else 0
        require(moved == meant, f"I4: authorisation {number} moved {moved} of {meant}")
        account = memory.cards.get(row[card])
        net = account and account["opened_rial"] + memory.card_net[f"card:{row[card]}"]
        require(account is None or account["balance_rial"] == net, f"I1: card {row[card]} holds other money")


def check_clearing(memory: Memory) -> None:
    """Check at rest: per bank and capture date (DE 17) both sides claim the same, and nothing is left in clearing."""
    sums: dict[Day, int] = defaultdict(int)
    for day, rial in (*_at_banks(memory), *_taken(memory), *_given(memory)):
        sums[day] += rial
    wrong = {day: rial for day, rial in sums.items() if rial}
    require(not wrong, f"I14: both sides of {sorted(wrong.items())[:3]} differ")
    left = [name for (name, account), rial in memory.balances.items() if account == "transfer-clearing" and rial]
    require(not left, f"I15: clearing holds money of {left[:3]}")


def _at_banks(memory: Memory) -> Iterator[tuple[Day, int]]:
    """Yield what the banks' postings brought to other accounts than cards."""
    for row in memory.authorisations.values():
        for account, rial in memory.booked[row["authorisation_id"]].items():
            if not account.startswith("card:"):
                yield (row["bank"], row["capture_date"] or ""), rial


def _taken(memory: Memory) -> Iterator[tuple[Day, int]]:
    for attempt in memory.attempts.values():
        if attempt["state"] in TAKEN:
            inside = memory.payments[attempt["payment_id"]]["inside"]
            taken = attempt["fee_rial"] + (0 if inside else attempt["amount_rial"])
            yield _dated(memory, attempt, attempt["issuer_id"]), -taken


def _given(memory: Memory) -> Iterator[tuple[Day, int]]:
    for name, transfer in memory.transfers.items():
        if transfer["credit"] == "given":
            payment = memory.payments[name]
            leg = memory.attempts[payment["attempt_id"]] | transfer
            yield _dated(memory, leg, transfer["destination_issuer_id"]), payment["amount_rial"]
    for refund in memory.refunds.values():
        if refund["state"] == "done":
            yield _dated(memory, refund, refund["issuer_id"]), refund["amount_rial"] + refund["fee_rial"]


def _dated(memory: Memory, leg: Row, issuer_id: str) -> Day:
    """Return bank and capture date of a leg; where a reversal was impossible the bank told none, and its own counts."""
    row = memory.authorisations[memory.at_bank[key_of(leg)]]
    return issuer_id, leg["capture_date"] or row["capture_date"]


def _check_inside(memory: Memory, payment: Row) -> None:
    name = payment["payment_id"]
    row = memory.authorisation_of(memory.attempts[payment["attempt_id"]])
    require(
        row and row["state"] == "approved" and row["credited_card_id"], f"I15: {name} is complete and moved nothing"
    )
    if row is not None:
        _check_destination(memory, row, name)


def _check_destination(memory: Memory, row: Row, payment_id: str) -> None:
    meant = memory.destinations.get(payment_id, row["credited_card_id"])
    require(row["credited_card_id"] == meant, f"I15: {payment_id} went to another card")
