"""Pay merchants out: one batch for a business day, filled after its cut-off, closed once, exported as often as needed.

The sweep may die anywhere: each chunk of lines is one transaction with state, postings and webhooks, and whoever comes
next goes on with the open batch. Several workers fill one batch together; the payable's lock orders them (D32).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import structlog

from foundation.audit import Details
from gateway.domain import settlement
from gateway.domain.calendar import Calendar
from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked, check_name, check_reason
from gateway.services.approve import ask_in
from gateway.services.audit_trail import WORKER, note
from gateway.services.gateway import Gateway
from gateway.store import balances, ibans, payables, settlements
from gateway.store.settlements import Batch
from gateway.store.settlements import PaidOut as PaidOut

log = structlog.get_logger()

MERCHANTS_AT_ONCE = 100
LINES_AT_ONCE = 200
ROUNDS_MOST = 10_000
"""Chunks of one merchant in one sweep; what is left comes with the next one."""

PATIENCE = dt.timedelta(minutes=30)
"""How long a batch stays open for a merchant that cannot be settled; then it is closed without."""


def calendar_of(gateway: Gateway) -> Calendar:
    """Return the business calendar of this deployment."""
    settings = gateway.settings
    calendar = Calendar(settings.settlement_cutoff_hour, settings.settlement_thursdays)
    return calendar.with_closed(settings.extra_holidays)


def settle(gateway: Gateway) -> int:
    """Fill the batch of the last business day that was cut off, and close it; return how many lines were written.

    For a merchant that cannot be settled it is left open for a while, and the next sweep tries again.
    """
    batch = _batch(gateway)
    if batch is None:
        return 0
    written, failed, after = 0, list[str](), ""
    while some := _merchants(gateway, batch.cut_off_at, batch.opened_at, after):
        for merchant_id in some:
            lines = _try_merchant(gateway, batch, merchant_id)
            written += lines or 0
            failed += [merchant_id] if lines is None else []
        after = some[-1]
    _finish_bills(gateway)
    if not failed or _is_old(gateway, batch):
        _close(gateway, batch, failed)
    gateway.ring()
    return written


def returned(gateway: Gateway, payout_id: int, *, by: str, reason: str) -> tuple[int, PaidOut]:
    """Ask that a merchant is owed again what the bank sent back; return the request's number, and whose money it is.

    Raises:
        RefusedRow: there is no such payout, its batch is not closed, it came back before, or as for any request.
    """
    who = (check_name(by), check_reason(reason))
    with gateway.database.begin() as connection:
        paid = settlements.paid_out(connection, payout_id)
        if paid is None:
            raise RefusedRow(f"no payout {payout_id} of a closed batch can come back: there is none, or it did before")
        facts: Details = {"merchant": paid.merchant_id, "iban": paid.iban, "rial": paid.amount_rial}
        return ask_in(gateway, connection, Asked.RETURN_PAYOUT, payout_id, who=who, facts=facts), paid


def _batch(gateway: Gateway) -> Batch | None:
    """Return the open batch; where there is none, open that of the last business day if anything is due."""
    calendar = calendar_of(gateway)
    with gateway.database.single() as connection:
        if (found := settlements.open_batch(connection)) is not None:
            return found
        now = settlements.now(connection)
        business_day = calendar.last_cut_off(now)
        cut_off_at = calendar.cutoff_of(business_day)
        if settlements.has_batch(connection, business_day):
            return None
    if not _merchants(gateway, cut_off_at, now, ""):
        return None
    with gateway.database.single() as connection:
        settlements.begin(connection, business_day, calendar.value_day(business_day), cut_off_at)
        return settlements.open_batch(connection)


def _merchants(gateway: Gateway, cut_off_at: dt.datetime, at: dt.datetime, after: str) -> list[str]:
    window = gateway.settings.reverse_window_seconds
    with gateway.database.single() as connection:
        return settlements.merchants(
            connection, at=at, cut_off_at=cut_off_at, window=window, after=after, most=MERCHANTS_AT_ONCE
        )


def _is_old(gateway: Gateway, batch: Batch) -> bool:
    with gateway.database.single() as connection:
        return settlements.now(connection) > batch.opened_at + PATIENCE


def _try_merchant(gateway: Gateway, batch: Batch, merchant_id: str) -> int | None:
    """Settle a merchant's payments; return how many, or ``None`` when that failed, and the others go on."""
    try:
        return _settle_merchant(gateway, batch, merchant_id)
    except Exception as error:  # noqa: BLE001 - one merchant must not keep the others from their money
        log.warning("merchant_not_settled", merchant_id=merchant_id, error=type(error).__name__)
        return None


def _settle_merchant(gateway: Gateway, batch: Batch, merchant_id: str) -> int:
    written = 0
    for _ in range(ROUNDS_MOST):
        lines, full = _settle_some(gateway, batch, merchant_id)
        written += lines
        if not full:
            break
    return written


def _settle_some(gateway: Gateway, batch: Batch, merchant_id: str) -> tuple[int, bool]:
    """Settle some of a merchant's payments; return how many, and whether there may be more that it can be paid."""
    window = gateway.settings.reverse_window_seconds
    with gateway.database.begin() as connection:
        if not settlements.share(connection, batch.batch_id):
            return 0, False
        balances.lock(connection, f"payable:{merchant_id}")
        owed = settlements.due(connection, merchant_id, batch.cut_off_at, window=window, most=LINES_AT_ONCE)
        payments = [each.payment_id for each in owed if each.payment_id is not None]
        free = payables.spendable(connection, merchant_id, payments, reverse_window_seconds=window)
        chosen = settlement.lines(owed, free)
        if chosen:
            settlements.settle(connection, batch.batch_id, chosen)
    return len(chosen), len(chosen) == len(owed) >= LINES_AT_ONCE


def _finish_bills(gateway: Gateway) -> None:
    """Settle the payments whose last biller was paid just now, or gave its money back since the batch before."""
    for _ in range(ROUNDS_MOST):
        with gateway.database.single() as connection:
            if settlements.finish_bills(connection, most=LINES_AT_ONCE) < LINES_AT_ONCE:
                return


def _close(gateway: Gateway, batch: Batch, without: Sequence[str]) -> None:
    with gateway.database.begin() as connection:
        if not settlements.hold(connection, batch.batch_id):
            return
        totals = settlements.totals(connection, batch.batch_id)
        shares = ibans.shares(connection, list(totals), batch.opened_at)
        payouts = [
            payout
            for merchant_id, net in totals.items()
            for payout in settlement.payouts(merchant_id, net, shares[merchant_id])
        ]
        settlements.close(connection, batch.batch_id, payouts)
        net = sum(payout.amount.amount for payout in payouts)
        details: Details = {"business_day": str(batch.business_day), "payouts": len(payouts), "net_rial": net}
        note(connection, gateway.keyring, WORKER, "batch.closed", f"batch:{batch.batch_id}", details)
    if without:
        log.error("merchants_left_out", batch_id=batch.batch_id, merchants=without)
    log.info("batch_closed", batch_id=batch.batch_id, business_day=str(batch.business_day), payouts=len(payouts))
