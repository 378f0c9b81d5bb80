"""Invariants of accounts: what their postings were folded to, and the floor that some of them have (D32)."""

from __future__ import annotations

from foundation.checks import Check, Scope, Severity
from gateway.store.balances import balance_of

ACCOUNTS = Scope(
    "account",
    recent="""
SELECT account FROM account_snapshot WHERE folded_at >= :since AND account LIKE 'payable:%' ORDER BY account LIMIT :most
""",
    following="""
SELECT account FROM account_snapshot WHERE account > :after AND account LIKE 'payable:%' ORDER BY account LIMIT :most
""",
)
"""Accounts with a floor. The others balance them: that all together are zero is a check of its own."""

_ACCOUNTS = "account = ANY(CAST(:subjects AS text[]))"

_SNAPSHOT = f"""
SELECT account, abs(balance_rial - plain_rial) FROM (
  SELECT account, balance_rial,
    coalesce((SELECT sum(amount_rial) FROM posting WHERE destination = account AND posting_id <= upto), 0)
      - coalesce((SELECT sum(amount_rial) FROM posting WHERE source = account AND posting_id <= upto), 0) AS plain_rial
  FROM account_snapshot WHERE {_ACCOUNTS}) AS folded
WHERE balance_rial <> plain_rial
"""

_FOLDED_SUM = "SELECT 'all', abs(sum(balance_rial)) FROM account_snapshot HAVING sum(balance_rial) <> 0"

_BELOW_FLOOR = f"""
SELECT account, -balance_rial FROM (
  SELECT account, {balance_of("account_snapshot.account")} AS balance_rial FROM account_snapshot
  WHERE {_ACCOUNTS}) AS held
WHERE balance_rial < 0
"""

_LOCKED = "SELECT account, 0 FROM account_lock WHERE account NOT LIKE 'payable:%'"

CHECKS_OF_ACCOUNTS = (
    Check(
        "I1_snapshot",
        "what a merchant's postings were folded to is their plain sum",
        Severity.MONEY,
        _SNAPSHOT,
        "account",
    ),
    Check("I1_folded_sum", "all that was folded adds up to zero", Severity.MONEY, _FOLDED_SUM),
    Check("I1_locked", "only accounts with a floor are ever locked (D32)", Severity.DELAY, _LOCKED),
    Check("I3_payable_floor", "no merchant was given more than it is owed", Severity.MONEY, _BELOW_FLOOR, "account"),
)
