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

CHECKPOINTS = Scope(
    "checkpoint",
    recent="SELECT number FROM account_checkpoint WHERE at >= :since ORDER BY number LIMIT :most",
    following="""
SELECT number FROM account_checkpoint WHERE number > coalesce(CAST(nullif(:after, '') AS bigint), 0)
ORDER BY number LIMIT :most
""",
)
"""What balances were on the way: each is proven from the one before, the snapshot from the last, and together they are
proven from the first posting on, though no statement adds up a history."""

_ACCOUNTS = "account = ANY(CAST(:subjects AS text[]))"


def _unlike(subject: str, table: str, earlier: str, asked: str) -> str:
    """Return the rows that do not hold what the checkpoint before them held and postings brought and took since."""
    since = "posting_id > coalesce(noted.upto, 0) AND posting_id <= held.upto"
    return f"""
SELECT {subject}, abs(balance_rial - plain_rial) FROM (
  SELECT held.{subject}, held.balance_rial, coalesce(noted.balance_rial, 0)
    + coalesce((SELECT sum(amount_rial) FROM posting WHERE destination = held.account AND {since}), 0)
    - coalesce((SELECT sum(amount_rial) FROM posting WHERE source = held.account AND {since}), 0) AS plain_rial
  FROM {table} AS held LEFT JOIN LATERAL (
    SELECT upto, balance_rial FROM account_checkpoint AS earlier
    WHERE earlier.account = held.account AND earlier.upto {earlier} held.upto ORDER BY earlier.upto DESC LIMIT 1)
    AS noted ON true
  WHERE held.{asked}) AS sums
WHERE balance_rial <> plain_rial
"""


_SNAPSHOT = _unlike("account", "account_snapshot", "<=", _ACCOUNTS)
_CHECKPOINT = _unlike("number", "account_checkpoint", "<", "number = ANY(CAST(:subjects AS bigint[]))")

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
        "what a merchant's postings were folded to is the last checkpoint and the postings since",
        Severity.MONEY,
        _SNAPSHOT,
        "account",
    ),
    Check(
        "I1_checkpoint",
        "what a merchant's balance was on the way is the one before and the postings between",
        Severity.MONEY,
        _CHECKPOINT,
        "checkpoint",
    ),
    Check("I1_folded_sum", "all that was folded adds up to zero", Severity.MONEY, _FOLDED_SUM),
    Check("I1_locked", "only accounts with a floor are ever locked (D32)", Severity.DELAY, _LOCKED),
    Check("I3_payable_floor", "no merchant was given more than it is owed", Severity.MONEY, _BELOW_FLOOR, "account"),
)
