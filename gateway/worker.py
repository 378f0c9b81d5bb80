"""The worker: webhooks, inquiries, reversals, and what happens by itself when time is up."""

from __future__ import annotations

from collections.abc import Callable

from foundation import monitor
from foundation.outbox import Job, Outbox
from foundation.worker import Dead, Done, Periodic, Postpone, Result, Retry, Topic, Worker
from gateway.domain.limits import INQUIRY_WAITS_SECONDS
from gateway.domain.payment import PaymentState
from gateway.ports import Delivered
from gateway.services import recover, sweep
from gateway.services.gateway import Gateway
from gateway.services.tell import Event, tell
from gateway.services.watch import watch
from gateway.switch.client import RECOVERIES_AT_ONCE

WEBHOOK_BACKOFF_SECONDS = (5, 30, 120, 600, 3_600, 21_600, 43_200, 86_400, 86_400)
"""Ten tries over about three days."""

REVERSAL_BACKOFF_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900)
SWEEP_SECONDS = 1.0
DISPUTE_SECONDS = 30.0
ERASE_SECONDS = 3_600.0
SWITCH_LEASE_SECONDS = 90
WEBHOOK_LEASE_SECONDS = 60
THREADS = 2 * RECOVERIES_AT_ONCE
"""A bank that hangs holds its places of recovery and leaves as many threads to everything else (F18)."""


def make_worker(gateway: Gateway, *, threads: int = THREADS) -> Worker:
    """Build the worker of this gateway; several may run beside each other."""
    return Worker(Outbox(gateway.database), topics(gateway), periodics(gateway), wake=gateway.wake, threads=threads)


def run(gateway: Gateway) -> None:
    """Work until SIGTERM or SIGINT."""
    make_worker(gateway).run()


def topics(gateway: Gateway) -> tuple[Topic, ...]:
    """Return how each kind of job is done. Inquiry and reversal never give up: only an answer ends them (D2, D8)."""
    return (
        Topic(
            "switch.reverse",
            lambda job: _result(recover.reverse(gateway, job.payload["attempt_id"])),
            REVERSAL_BACKOFF_SECONDS,
            None,
            SWITCH_LEASE_SECONDS,
        ),
        Topic(
            "switch.inquire",
            lambda job: _result(recover.inquire(gateway, job.payload["attempt_id"], tries=job.tries)),
            INQUIRY_WAITS_SECONDS,
            None,
            SWITCH_LEASE_SECONDS,
        ),
        Topic(
            "webhook",
            lambda job: _tell(gateway, job),
            WEBHOOK_BACKOFF_SECONDS,
            len(WEBHOOK_BACKOFF_SECONDS) + 1,
            WEBHOOK_LEASE_SECONDS,
        ),
    )


def periodics(gateway: Gateway) -> tuple[Periodic, ...]:
    """Return the sweepers."""
    sweeps: tuple[tuple[str, float, Callable[[Gateway], int]], ...] = (
        ("expire", SWEEP_SECONDS, sweep.expire),
        ("give_back_unconfirmed", SWEEP_SECONDS, sweep.give_back_unconfirmed),
        ("recover_lost", SWEEP_SECONDS, sweep.recover_lost),
        ("dispute", DISPUTE_SECONDS, sweep.dispute),
        ("erase", ERASE_SECONDS, sweep.erase),
    )
    return (
        *(Periodic(name, seconds, _sweeper(gateway, run_once)) for name, seconds, run_once in sweeps),
        *([Periodic("monitor", monitor.EVERY_SECONDS, lambda: watch(gateway), aside=True)] if gateway.reader else []),
    )


def _sweeper(gateway: Gateway, run_once: Callable[[Gateway], int]) -> Callable[[], None]:
    def sweep_all() -> None:
        while run_once(gateway) >= sweep.BATCH:
            pass

    return sweep_all


def _result(again: recover.Again | recover.NotYet | None) -> Result:
    match again:
        case recover.Again(why):
            return Retry(why)
        case recover.NotYet(why, after_seconds):
            return Postpone(why, after_seconds)
        case None:
            return Done()


def _tell(gateway: Gateway, job: Job) -> Result:
    payload = job.payload
    event = Event(job.id, payload["type"], payload["payment_id"], PaymentState(payload["state"]), payload["at"])
    answer = tell(gateway, event)
    if isinstance(answer, Delivered):
        return Done()
    return Dead(answer.why) if answer.gone else Retry(answer.why)
