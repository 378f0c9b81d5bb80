"""The nights after a run: both banks' files are compared with the gateway's books, and everybody is paid out."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from gateway.services import approve, ibans, settle
from gateway.services.gateway import Gateway
from gateway.services.reconcile import import_file
from otp.services.clearing import export
from sandbox.banks import BANKS
from sandbox.bills import BILLERS
from sandbox.clock import set_offset
from sandbox.seed import bank_of, gateway_of
from sandbox.silence import silent
from sandbox.world import ACQUIRER_ID, CLOCKED, MERCHANT_ID, World

PAID_OUT = (MERCHANT_ID, *(biller.merchant_id for biller in BILLERS))
"""Who is owed money in a run: the shop and whoever sends bills."""

IBAN = "IR062960000000100324200001"
MAKER, CHECKER, REASON = "sara", "ali", "letter of the merchant"
DAYS_LATER = (14, 21)
"""When batches are made: after any holidays, and once more, for what was compared while the first one was made."""

DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Cleared:
    """What the banks' files said of the run, and what was paid out.

    Args:
        lines: of all files, by their verdicts.
        wrong: files that say otherwise than the gateway's books.
        paid_out: lines of batches.
    """

    lines: Counter[str] = field(default_factory=Counter)
    wrong: tuple[str, ...] = ()
    paid_out: int = 0


def name_accounts(world: World) -> None:
    """Have everybody's account approved by two people, when a sandbox is new: it waits two days (D11)."""
    with silent(), gateway_of(world) as gateway:
        for merchant_id in PAID_OUT:
            request = ibans.add_iban(gateway, merchant_id, IBAN, parts=1, by=MAKER, reason=REASON)
            approve.approve(gateway, request, by=CHECKER)


def clear(world: World, days: tuple[dt.date, ...]) -> Cleared:
    """Let weeks pass, compare both banks' files of these days with the gateway's books, and pay everybody out."""
    lines, wrong, paid_out = Counter[str](), list[str](), 0
    with silent(), gateway_of(world) as gateway:
        for later in DAYS_LATER:
            for organisation in CLOCKED:
                set_offset(world.database_url(organisation, "owner"), later * DAY_SECONDS)
            for name, verdicts, differences in _compared(world, gateway, days):
                lines += verdicts
                wrong += [f"the file of {name}: {count} {what}" for what, count in sorted(differences.items())]
            paid_out += settle.settle(gateway)
    return Cleared(lines, tuple(wrong), paid_out)


def _compared(
    world: World, gateway: Gateway, days: tuple[dt.date, ...]
) -> Iterator[tuple[str, Counter[str], Counter[str]]]:
    """Import every file; a second time it is known and says nothing new."""
    for which in BANKS:
        with bank_of(world, which) as bank:
            for day in days:
                done = import_file(gateway, which.issuer_id, export(bank, ACQUIRER_ID, day).encode())
                yield f"{which.issuer_id} of {day}", Counter(done.verdicts), Counter(done.differences)
