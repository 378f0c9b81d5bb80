"""The worker: webhooks, inquiries, reversals, and what happens by itself when time is up."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from foundation import monitor
from foundation.lanes import Lane, running
from foundation.outbox import Outbox
from foundation.worker import Done, Periodic, Postpone, Result, Retry, Topic, Worker
from gateway.api.events import renderer
from gateway.domain.limits import INQUIRY_WAITS_SECONDS
from gateway.services import (
    approve_refund,
    audit_trail,
    deliver,
    ledger,
    reconcile,
    recover,
    settle,
    sweep,
    top_up_legs,
    transfer_legs,
)
from gateway.services.deliver import Delivery, Pace
from gateway.services.gateway import Gateway
from gateway.services.send_refund import send_refund
from gateway.services.watch import watch
from gateway.store.top_ups import TOP_UP_TOPIC
from gateway.store.transfer_legs import CREDIT_TOPIC
from gateway.switch.client import RECOVERIES_AT_ONCE

REVERSAL_BACKOFF_SECONDS = (1, 2, 5, 10, 30, 60, 300, 900)
SWEEP_SECONDS = 1.0
CREDIT_BACKOFF_SECONDS = (1, 2, 5, 10, 30, 60)
HASTEN_SECONDS = 5.0
FOLD_SECONDS = 10.0
DISPUTE_SECONDS = 30.0
ERASE_SECONDS = 3_600.0
JUDGE_SECONDS = 60.0
LIST_SECONDS = 3_600.0
SETTLE_SECONDS = 60.0
SWITCH_LEASE_SECONDS = 90
THREADS = 2 * RECOVERIES_AT_ONCE
"""A bank that hangs holds its places of recovery and leaves as many threads to everything else (F18)."""
HOOK_THREADS = {Pace.QUICK: 12, Pace.SLOW: 6}


def make_worker(gateway: Gateway, *, threads: int = THREADS) -> Worker:
    """Build the worker of this gateway; several may run beside each other."""
    return Worker(Outbox(gateway.database), topics(gateway), periodics(gateway), wake=gateway.wake, threads=threads)


def run(gateway: Gateway) -> None:
    """Work until SIGTERM or SIGINT; webhooks go out beside it, so that no merchant's server delays a reversal."""
    with running(lanes(gateway)):
        make_worker(gateway).run()


def lanes(gateway: Gateway) -> tuple[Lane[Delivery], ...]:
    """Return how webhooks go out: those for endpoints that fail or are slow have threads of their own (F23)."""
    render = renderer(gateway.settings)
    return tuple(
        Lane(
            name=f"webhooks-{pace}",
            claim=partial(deliver.take, gateway, pace),
            handle=lambda delivery: deliver.deliver(gateway, delivery, render),
            threads=threads,
        )
        for pace, threads in HOOK_THREADS.items()
    )


def topics(gateway: Gateway) -> tuple[Topic, ...]:
    """Return how each kind of job is done. Those about money never give up: only an answer ends them (D2, D8, D11)."""
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
            CREDIT_TOPIC,
            lambda job: _result(transfer_legs.credit(gateway, job.payload["attempt_id"], tries=job.tries)),
            CREDIT_BACKOFF_SECONDS,
            None,
            SWITCH_LEASE_SECONDS,
        ),
        Topic(
            TOP_UP_TOPIC,
            lambda job: _result(top_up_legs.deliver(gateway, job.payload["attempt_id"])),
            CREDIT_BACKOFF_SECONDS,
            None,
            SWITCH_LEASE_SECONDS,
        ),
        Topic(
            "switch.refund",
            lambda job: _result(send_refund(gateway, job.payload["refund"])),
            REVERSAL_BACKOFF_SECONDS,
            None,
            SWITCH_LEASE_SECONDS,
        ),
    )


def periodics(gateway: Gateway) -> tuple[Periodic, ...]:
    """Return the sweepers."""
    sweeps: tuple[tuple[str, float, Callable[[Gateway], int], int], ...] = (
        ("expire", SWEEP_SECONDS, sweep.expire, sweep.BATCH),
        ("give_back_unconfirmed", SWEEP_SECONDS, sweep.give_back_unconfirmed, sweep.BATCH),
        ("recover_lost", SWEEP_SECONDS, sweep.recover_lost, sweep.BATCH),
        ("wipe_destinations", SWEEP_SECONDS, sweep.wipe_destinations, sweep.BATCH),
        ("wipe_numbers", SWEEP_SECONDS, sweep.wipe_numbers, sweep.BATCH),
        ("hasten_webhooks", HASTEN_SECONDS, deliver.hasten, deliver.BATCH),
        ("fold_balances", FOLD_SECONDS, sweep.fold_balances, sweep.FOLD_BATCH),
        ("dispute", DISPUTE_SECONDS, sweep.dispute, sweep.BATCH),
        ("give_up_refunds", ERASE_SECONDS, approve_refund.give_up_waiting, approve_refund.BATCH),
        ("judge_again", JUDGE_SECONDS, reconcile.judge_again, reconcile.BATCH),
        ("list_unnamed", LIST_SECONDS, reconcile.list_unnamed, reconcile.BATCH),
        ("erase", ERASE_SECONDS, sweep.erase, sweep.BATCH),
        ("forget_webhooks", ERASE_SECONDS, deliver.forget, deliver.BATCH),
    )
    return (
        *(Periodic(name, seconds, partial(_sweep, gateway, once, batch)) for name, seconds, once, batch in sweeps),
        Periodic("advance_feed", SWEEP_SECONDS, lambda: deliver.advance_feed(gateway)),
        Periodic("seal_ledger", audit_trail.SEAL_EVERY_SECONDS, lambda: ledger.seal_ledger(gateway), aside=True),
        Periodic("seal_trail", audit_trail.SEAL_EVERY_SECONDS, lambda: audit_trail.seal_trail(gateway), aside=True),
        Periodic("settle", SETTLE_SECONDS, partial(_settle, gateway), aside=True),
        *([Periodic("monitor", monitor.EVERY_SECONDS, lambda: watch(gateway), aside=True)] if gateway.reader else []),
    )


def _settle(gateway: Gateway) -> None:
    settle.settle(gateway)


def _sweep(gateway: Gateway, run_once: Callable[[Gateway], int], batch: int) -> None:
    while run_once(gateway) >= batch:
        pass


def _result(again: recover.Again | recover.NotYet | None) -> Result:
    match again:
        case recover.Again(why):
            return Retry(why)
        case recover.NotYet(why, after_seconds):
            return Postpone(why, after_seconds)
        case None:
            return Done()
