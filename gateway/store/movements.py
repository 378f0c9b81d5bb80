"""Our movements of money as clearing compares them: attempts take it, credits of transfers and refunds give it."""

from __future__ import annotations

from sqlalchemy import RowMapping

from gateway.domain.attempt import AttemptState
from gateway.domain.clearing import DATED_AFTER_DAYS, LATE_DAYS, Key
from gateway.domain.reconciliation import Ours, State
from gateway.domain.refund import RefundState
from gateway.domain.transfer import Credit

_BOOKS: dict[str, type[State]] = {
    "attempt": AttemptState,
    "credit": Credit,
    "refund": RefundState,
}

APART = "interval '5 minutes'"
"""How far the two sides' clocks may be apart about a reversal: ours of a day's last minutes counts as the next's."""

VOIDED_ON = f"CAST((attempt.decided_at + {APART}) AT TIME ZONE 'Asia/Tehran' AS date)"
TAKEN_BACK_ON = f"CAST((transfer.decided_at + {APART}) AT TIME ZONE 'Asia/Tehran' AS date)"
ATTEMPTS = f"""attempt.attempt_id, attempt.acquirer_id, attempt.terminal_id, attempt.stan, attempt.rrn,
  attempt.local_time, attempt.state, attempt.amount_rial + attempt.fee_rial AS total_rial,
  CASE attempt.state WHEN 'voided' THEN {VOIDED_ON} END AS reversed_on, 'attempt' AS book"""
CREDITS = f"""attempt.attempt_id, attempt.acquirer_id, attempt.terminal_id, transfer.stan, transfer.rrn,
  transfer.local_time, transfer.credit AS state, attempt.amount_rial AS total_rial,
  CASE transfer.credit WHEN 'reversed' THEN {TAKEN_BACK_ON} END AS reversed_on, 'credit' AS book"""
REFUNDS = """refund.attempt_id, refund.acquirer_id, refund.terminal_id, refund.stan, refund.rrn, refund.local_time,
  refund.state, refund.amount_rial + refund.fee_rial AS total_rial, CAST(NULL AS date) AS reversed_on,
  'refund' AS book"""
WITH_DEBIT = "JOIN payment USING (payment_id) JOIN attempt ON attempt.attempt_id = payment.attempt_id"
"""What a credit takes from its debit's attempt: acquirer, terminal, amount."""

KEPT = {
    "attempt": "attempt.state IN ('approved', 'stood') AND attempt.amount_rial + attempt.fee_rial > 0",
    "credit": "transfer.credit = 'given'",
    "refund": "refund.state = 'done'",
}
"""Conditions: it moved money that nobody moved back, so its bank's file names it."""

NAMED = """(EXISTS (SELECT FROM clearing_line AS line WHERE line.attempt_id = ours.attempt_id
    AND (line.stan, line.rrn) = (ours.stan, ours.rrn))
  OR EXISTS (SELECT FROM clearing_exception AS found WHERE found.attempt_id = ours.attempt_id
    AND found.ours ->> 'stan' = ours.stan AND found.ours ->> 'rrn' = ours.rrn))"""
"""A condition: a line of the bank's or a listed exception is about the movement ``ours``."""


def linked(link: str) -> str:
    """Return the condition on an issuer that this link's files are its files, too."""
    return f"IN (SELECT issuer_id FROM issuer WHERE coalesce(switch_of, issuer_id) = {link})"


def about(day: str) -> str:
    """Return the condition that a moment belongs to this capture date and no other year's, for DE 17 tells no year.

    What became of a movement may be heard as long afterwards as the banks keep its key.
    """
    return f"BETWEEN {day} - interval '{DATED_AFTER_DAYS + 1} days' AND {day} + interval '{LATE_DAYS} days'"


def captured_on(link: str, acquirer: str, day: str) -> str:
    """Return the query for what stands in our books of one bank's capture date."""
    ours, on = linked(link), f"capture_date = to_char({day}, 'MMDD')"
    return f"""
SELECT {ATTEMPTS} FROM attempt WHERE attempt.issuer_id {ours} AND attempt.acquirer_id = {acquirer}
  AND attempt.{on} AND attempt.submitted_at {about(day)} AND {KEPT["attempt"]}
UNION ALL SELECT {CREDITS} FROM transfer {WITH_DEBIT}
WHERE transfer.destination_issuer_id {ours} AND attempt.acquirer_id = {acquirer}
  AND transfer.{on} AND transfer.owed_at {about(day)} AND {KEPT["credit"]}
UNION ALL SELECT {REFUNDS} FROM refund WHERE refund.issuer_id {ours} AND refund.acquirer_id = {acquirer}
  AND refund.{on} AND refund.decided_at {about(day)} AND {KEPT["refund"]}
"""


def ours_of(row: RowMapping) -> Ours:
    """Read a movement of ours, whichever book it is from."""
    key = Key(*(row[name] for name in Key._fields))
    state: State = _BOOKS[row["book"]](row["state"])
    total, gives = int(row["total_rial"]), row["book"] != "attempt"
    return Ours(row["attempt_id"], key, state, total, row["reversed_on"], gives)
