"""The invariants of kept money (I3, I4, I13): what is refunded, what is paid out, and that both happen once."""

from __future__ import annotations

from gateway.domain.refund import ENDS
from sandbox.simulator.check import require
from sandbox.simulator.memory import Memory, Row, key_of

KEPT = frozenset({"confirmed", "settled", "refunded"})
GOES_BACK = frozenset({"reversing", "disputed"})
REFUSED, DONE = "refused", "done"


def check_kept(memory: Memory, payment: Row) -> None:
    """Check one payment of a merchant: its accounts hold what its state, refunds and payout say, and nothing else."""
    name, state, amount, fee = (payment[each] for each in ("payment_id", "state", "amount_rial", "fee_rial"))
    pending, payable, fees, refunding, paid = (
        memory.balances[name, account] for account in ("pending", "payable", "fees", "refunding", "bank")
    )
    refunds = [row for row in memory.refunds.values() if row["payment_id"] == name]
    wanted = [row for row in refunds if row["state"] != REFUSED]
    lines = [line for (payment_id, _), line in memory.paid_out.items() if payment_id == name]
    left = amount - sum(row["amount_rial"] for row in wanted)
    back = sum(row["amount_rial"] for row in refunds if row["state"] == DONE)
    require(left >= 0 and payment["refunded_rial"] == amount - left, f"I4: {name} refunds more than was kept")
    require(payment["returned_rial"] == back, f"I4: {name} says {payment['returned_rial']} are back")
    require((state == "refunded") == (back == amount), f"I4: {name} is {state} and {back} are back")
    meant = left - sum(line["gross_rial"] for line in lines)
    if state in KEPT:
        require(payable == meant, f"I13: {name} is {state} and owes its merchant {payable} of {meant}")
        require(payment["confirmed_at"], f"I3: {name} keeps money nobody confirmed")
    else:
        require(payable in {0, amount} and (not payable or state in GOES_BACK), f"I3: {name} is {state} and is owed")
    require(pending in {0, amount} and not (pending and payable), f"I3: {name} holds a part")
    require(bool(pending) == (state == "authorised") or state in GOES_BACK, f"I3: {name} is {state}, pending {pending}")
    holds = state in KEPT or pending or payable
    given = sum(row["fee_rial"] for row in wanted)
    charged = sum(line["fee_rial"] for line in lines)
    require(fees == (fee - given + charged if holds else 0), f"I3: {name} holds another fee")
    under_way = sum(row["amount_rial"] + row["fee_rial"] for row in wanted if row["state"] not in ENDS)
    require(refunding == under_way, f"I4: {name} has {refunding} on the way back, not {under_way}")
    net = sum(line["net_rial"] for line in lines)
    require(paid == net, f"I13: {name} is paid out otherwise than in its lines")
    require(lines or state != "settled", f"I13: {name} is settled in no line")
    for row in refunds:
        _check_refund(memory, row)


def check_floor(memory: Memory, account: str) -> None:
    """Check I3: nobody gets more out of a merchant's account than is in it, not for a moment."""
    floor = account.startswith("payable:")
    require(not floor or memory.accounts[account] >= 0, f"I3: {account} owes us {-memory.accounts[account]}")


def check_line(memory: Memory, before: Row | None, line: Row) -> None:
    """Check a line of a batch: once for ever, of money that the bank's file has without a difference (D11, I13)."""
    require(before is None, "I13: a line of a batch was changed")
    name, number = part = (line["payment_id"], line["bill"])
    require(part not in memory.paid_out, f"I13: {name} is paid out twice")
    attempt_id = memory.payments[name]["attempt_id"]
    require(attempt_id in memory.told, f"I13: {name} is paid out, and its bank's file does not say so")
    require(attempt_id not in memory.doubted, f"I14: {name} is paid out although the books differ")
    bill, payment = memory.bill_rows.get(part), memory.payments[name]
    owed_to = bill["biller_id"] if bill else payment["merchant_id"]
    require(line["merchant_id"] == owed_to, f"I13: {name} is paid out to somebody else")
    asked = [
        row["amount_rial"]
        for row in memory.refunds.values()
        if (row["payment_id"], row["bill"]) == part and row["state"] != REFUSED
    ]
    left = (bill or payment)["amount_rial"] - sum(asked)
    require(line["gross_rial"] <= left, f"I13: {name} is paid out more than is kept of it")
    memory.paid_out[part] = line
    memory.coverage.saw("bill paid out" if number else "paid out")


def check_return(memory: Memory, row: Row, refund: Row) -> None:
    """Check a refund as the bank gives it: to the card that paid, and all of them at most what it paid."""
    debit = memory.authorisation_of(memory.attempts[refund["attempt_id"]])
    name = refund["refund_id"]
    require(debit and debit["card_id"] == row["credited_card_id"], f"I4: {name} went to another card")
    given = [
        memory.authorisations.get(memory.at_bank.get(key_of(other), 0), {})
        for other in memory.refunds.values()
        if other["attempt_id"] == refund["attempt_id"] and other["stan"]
    ]
    total = sum(each["amount_rial"] for each in given if each.get("state") == "approved")
    require(debit and total <= debit["amount_rial"], f"I4: the bank gave {total} back for one payment")


def _check_refund(memory: Memory, row: Row) -> None:
    """Check one refund against what its bank has of it: done only if given, refused only if not."""
    there = memory.authorisations.get(memory.at_bank.get(key_of(row), 0)) if row["stan"] else None
    given, name = there is not None and there["state"] == "approved", row["refund_id"]
    require(given or row["state"] != DONE, f"I6: {name} is done, and the bank gave nothing")
    require(not given or row["state"] != REFUSED, f"I6: {name} is refused, and the bank gave the money")
    if row["state"] in {"requested", "sent", "unknown"}:
        job = memory.jobs.get(f"switch.refund:{row['number']}")
        require(job and job["done_at"] is None, f"I11: {name} is {row['state']} and nobody works on it")
