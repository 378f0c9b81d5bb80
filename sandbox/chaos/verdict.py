"""What has to hold once everything is quiet again: the books, the promises, and what people were told."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg

from foundation.persian import TEHRAN
from sandbox.audit import Report, audit
from sandbox.chaos.load import Purchase
from sandbox.chaos.settling import Cleared, clear
from sandbox.places import CannotRun
from sandbox.world import World

QUIET_SECONDS = 240.0
HEARD_SECONDS = 60.0
"""How long the shop may need, when weeks have passed at once, to hear of what it was to hear minutes later."""

LOOK_SECONDS = 1.0
_RESTLESS = """
SELECT (SELECT count(*) FROM attempt WHERE state IN ('submitted', 'unknown', 'voiding', 'disputed'))
  + (SELECT count(*) FROM refund WHERE state IN ('requested', 'sent', 'unknown'))
  + (SELECT count(*) FROM payment WHERE state IN ('paying', 'unknown', 'authorised', 'reversing', 'disputed'))
"""
_PAYMENTS = "SELECT payment_id, page_token, state FROM payment"
_ATTEMPTS = "SELECT concat_ws(' ', state, action_code) FROM attempt"
_NEVER: dict[str, str] = {
    "a payment has two approved attempts (I2)": """
        SELECT count(*) FROM (SELECT payment_id FROM attempt WHERE state = 'approved'
          GROUP BY payment_id HAVING count(*) > 1) AS doubled""",
    "a payment keeps money and its attempt is not approved (I3)": """
        SELECT count(*) FROM payment JOIN attempt USING (attempt_id)
        WHERE payment.state IN ('confirmed', 'settled') AND attempt.state NOT IN ('approved', 'stood')""",
    "a transfer is complete and its credit is not given (I15)": """
        SELECT count(*) FROM payment JOIN transfer USING (payment_id)
        WHERE state IN ('confirmed', 'settled') AND NOT inside AND credit <> 'given'""",
    "a job is dead (I11)": "SELECT count(*) FROM outbox WHERE dead_at IS NOT NULL",
}
"""What the gateway's books may not show."""

_NEVER_CLEARED: dict[str, str] = {
    "money that is kept is in no batch (I13)": """
        SELECT count(*) FROM payment WHERE state = 'confirmed' AND kind IN ('PURCHASE', 'BILL_PAYMENT')""",
    "somebody is still owed money (I13)": """
        SELECT count(*) FROM (SELECT account FROM posting, LATERAL (
            VALUES (destination, amount_rial), (source, -amount_rial)) AS side (account, rial)
          WHERE account LIKE 'payable:%' GROUP BY account HAVING sum(rial) <> 0) AS owed""",
}
"""What they may not show once everybody was paid out."""

KEPT = frozenset({"confirmed", "settled"})
TRUE_STATES = {
    "paid": KEPT | {"reversed", "refunded"},
    "refunded": KEPT | {"refunded"},
    "going back": frozenset({"reversed"}),
    "given back": frozenset({"reversed"}),
    "cancelled": frozenset({"cancelled"}),
    "expired": frozenset({"expired"}),
}
"""How a payment may end whose page said this; after "paid" it goes back when nobody confirms it in time, and
a bank may refuse a refund."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a run ended."""

    quiet_after_seconds: float | None
    states: Counter[str]
    attempts: Counter[str]
    unexplained_rial: int
    wrong: tuple[str, ...]
    cleared: Cleared = field(default_factory=Cleared)


def judge(world: World, purchases: list[Purchase], began: dt.date) -> Verdict:
    """Wait until nothing is under way, compare everything, pay everybody out, and compare everything again.

    The one place where everything that knows invariants is asked: add a checker here.

    ``began`` is the day in Tehran on which the run began.
    """
    try:
        quiet = wait_until_quiet(world)
        report, cleared, never = audit(world), Cleared(), _NEVER
        wrong = [] if report.clean else [*report.lines]
        if quiet is not None:
            cleared, never = clear(world, _days(began)), _NEVER | _NEVER_CLEARED
            report = _heard_by_all(world)
            wrong += [f"when all is paid out: {line}" for line in report.lines if not report.clean]
    except (psycopg.OperationalError, CannotRun) as error:
        return Verdict(None, Counter(), Counter(), 0, (f"the books cannot be read: {error}",))
    wrong += [*cleared.wrong] if quiet is not None else [f"money is still under way after {QUIET_SECONDS:.0f} s"]
    with _books(world) as books:
        wrong += [what for what, query in never.items() if _count(books, query)]
        rows = books.execute(_PAYMENTS).fetchall()
        attempts = Counter(str(row[0]) for row in books.execute(_ATTEMPTS))
    wrong += _untruths(rows, purchases)
    states = Counter(str(row[2]) for row in rows)
    return Verdict(quiet, states, attempts, report.unexplained_rial, tuple(wrong), cleared)


def _days(began: dt.date) -> tuple[dt.date, ...]:
    """Return the days of a run: two, where midnight was in it."""
    return tuple(dict.fromkeys((began, dt.datetime.now(TEHRAN).date())))


def _heard_by_all(world: World) -> Report:
    """Audit until nothing differs, or somebody had time enough to hear of what happened."""
    until = time.monotonic() + HEARD_SECONDS
    while not (report := audit(world)).clean and time.monotonic() < until:
        time.sleep(LOOK_SECONDS)
    return report


def wait_until_quiet(world: World) -> float | None:
    """Return after how many seconds no attempt and no payment is under way any more; ``None`` when that never was."""
    began = time.monotonic()
    with _books(world) as books:
        while time.monotonic() < began + QUIET_SECONDS:
            if not _count(books, _RESTLESS):
                return time.monotonic() - began
            time.sleep(LOOK_SECONDS)
    return None


def _untruths(rows: list[tuple[object, ...]], purchases: list[Purchase]) -> Iterator[str]:
    """Find purchases whose shopper was told what is not so, and payments that were answered and are not there (D34)."""
    states = {str(token): str(state) for _, token, state in rows}
    known = {str(payment_id) for payment_id, _, _ in rows}
    for purchase in purchases:
        state = states.get(purchase.page_token, "not there")
        allowed = TRUE_STATES.get(purchase.told)
        if purchase.page_token and (state == "not there" or (allowed is not None and state not in allowed)):
            yield f"somebody who {purchase.intention} was told {purchase.told}, and the payment is {state}"
        if purchase.payment_id and purchase.payment_id not in known:
            yield f"payment {purchase.payment_id} was answered and is not there"


def _books(world: World) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(world.database_url("gateway", "reader").replace("+psycopg", ""), autocommit=True)


def _count(books: psycopg.Connection[tuple[object, ...]], query: str) -> int:
    row = books.execute(query.encode()).fetchone()
    return int(str(row[0])) if row else 0
