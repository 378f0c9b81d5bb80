"""What the worker does when time is up, a bounded batch at a time."""

from __future__ import annotations

import structlog

from gateway.domain.transfer import DESTINATION_KEPT_DAYS
from gateway.services.gateway import Gateway
from gateway.store import attempts, balances, destinations, sweeps, top_ups, transfers

log = structlog.get_logger()

BATCH = 200
ANSWERS_KEPT_DAYS = 30
"""The contract promises one day; a shop that was away for a week still gets its first answer."""

JOBS_KEPT_DAYS = 30
FOLD_BATCH = 5_000


def expire(gateway: Gateway) -> int:
    """Expire open payments whose page time is over."""
    with gateway.database.single() as connection:
        return sweeps.expire(connection, most=BATCH)


def give_back_unconfirmed(gateway: Gateway) -> int:
    """Commit the decision to give back authorised payments that nobody confirmed in time."""
    with gateway.database.single() as connection:
        return sweeps.give_back_unconfirmed(connection, most=BATCH)


def recover_lost(gateway: Gateway) -> int:
    """Find attempts whose process died between intent and outcome; they become unknown and are inquired about."""
    with gateway.database.single() as connection:
        return attempts.recover_lost(connection, most=BATCH)


def wipe_destinations(gateway: Gateway) -> int:
    """Forget the destinations of transfers that are decided (D1)."""
    with gateway.database.single() as connection:
        return transfers.wipe_destinations(connection, most=BATCH)


def wipe_numbers(gateway: Gateway) -> int:
    """Forget the numbers of top-ups that are decided (D43)."""
    with gateway.database.single() as connection:
        return top_ups.wipe_numbers(connection, most=BATCH)


def dispute(gateway: Gateway) -> int:
    """Mark reversals that are older than promised, whatever keeps them; each is one error line (D8)."""
    age = gateway.settings.dispute_after_seconds
    with gateway.database.single() as connection:
        marked = attempts.overdue(connection, dispute_after_seconds=age, most=BATCH)
    for attempt_id, payment_id in marked:
        log.error("reversal_overdue", attempt_id=attempt_id, payment_id=payment_id)
    return len(marked)


def fold_balances(gateway: Gateway) -> int:
    """Fold postings that nothing can come before any more into their accounts' snapshots (D32)."""
    with gateway.database.begin() as connection:
        return balances.fold(connection, most=FOLD_BATCH)


def erase(gateway: Gateway) -> int:
    """Wipe what may not be kept longer: PANs, saved destinations, phones, answers, done jobs, counters (D1, D43)."""
    days = gateway.settings.refund_window_days
    erased = 0
    for wipe in (
        lambda connection: sweeps.wipe_pans(connection, refund_window_days=days, most=BATCH),
        lambda connection: sweeps.wipe_mobiles(connection, keep_days=days, most=BATCH),
        lambda connection: sweeps.forget_answers(connection, keep_days=ANSWERS_KEPT_DAYS, most=BATCH),
        lambda connection: destinations.forget(connection, keep_days=DESTINATION_KEPT_DAYS, most=BATCH),
        lambda connection: sweeps.forget_jobs(connection, keep_days=JOBS_KEPT_DAYS, most=BATCH),
        sweeps.forget_quotas,
    ):
        with gateway.database.single() as connection:
            erased += wipe(connection)
    return erased
