"""What each step of a purchase may ask of its own organisation's database.

Whoever makes a step dearer changes this table, and says why. Tests hold it, ``make bench NAMES="statements"`` prints it
beside what PostgreSQL itself logged, and docs/performance.md shows it.
"""

from __future__ import annotations

from dataclasses import dataclass

GATEWAY = "gateway"
GATEWAY_WORKER = "gateway-worker"
BANK = "otp"
BANK_HOST = "otp-host"
BANK_WORKER = "otp-worker"

PURCHASE_STATEMENTS_MAX = 16
PURCHASE_COMMITS_MAX = 7
OPERATION_STATEMENTS_MAX = 4
OPERATION_COMMITS_MAX = 1
"""The most a whole purchase may ask of the gateway, and one operation of the bank."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One step with what is remembered for seconds already known (merchants, keys, issuers, link keys).

    Args:
        step: what somebody did.
        who: the process that asks, as ``pg_stat_activity`` names its connections.
        statements: without BEGIN and COMMIT; a worker's without its looks for due work, which many jobs share.
        commits: of transactions that may have written.
    """

    step: str
    who: str
    statements: int
    commits: int


BUDGETS: tuple[Budget, ...] = (
    Budget("open", GATEWAY, 1, 1),
    Budget("page", GATEWAY, 1, 0),
    Budget("request PIN", GATEWAY, 4, 2),
    Budget("request PIN", BANK, 3, 1),
    Budget("SMS", BANK_WORKER, 3, 2),
    Budget("news of the SMS", GATEWAY, 3, 2),
    Budget("no news of the SMS", GATEWAY, 2, 1),
    Budget("news of the SMS", BANK, 1, 0),
    Budget("pay", GATEWAY, 2, 2),
    Budget("pay", BANK_HOST, 4, 1),
    Budget("result", GATEWAY, 1, 0),
    Budget("read", GATEWAY, 1, 0),
    Budget("confirm", GATEWAY, 1, 1),
    Budget("confirm again", GATEWAY, 4, 2),
    Budget("webhook", GATEWAY_WORKER, 1, 1),
    Budget("verify", BANK, 4, 1),
    Budget("inquire", BANK_HOST, 1, 0),
    Budget("reverse", BANK_HOST, 3, 1),
)


def budget(step: str, who: str) -> tuple[int, int]:
    """Return the statements and commits of one step.

    Raises:
        KeyError: the table does not know it.
    """
    rows = {(row.step, row.who): (row.statements, row.commits) for row in BUDGETS}
    return rows[step, who]
