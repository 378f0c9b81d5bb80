"""A transfer over midnight in a running sandbox, both banks' files of both days, and what is planted in them (D7)."""

from __future__ import annotations

import datetime as dt
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import requests

from foundation.persian import TEHRAN
from sandbox.banks import BANK_ONE, BANK_TWO, Bank
from sandbox.postgres import Cluster
from sandbox.world import ACQUIRER_ID
from tests.e2e.test_transfer_http import AMOUNT, begin, cards_of, finish, sender_of
from tests.fakes.loose import unguarded
from tests.sandbox.test_settlement import said, without_last
from tests.world import RunningWorld, wait_for

HOST = f"{BANK_ONE.program}-host"
PAID_BEFORE = dt.timedelta(seconds=40)
"""How long before midnight the sender begins; the credit's deadline is a quarter of an hour later."""
ANSWERED_WITHIN_SECONDS = 90.0


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[RunningWorld]:
    """A sandbox whose clock may be moved by days."""
    running = RunningWorld(tmp_path / "var")
    running.start()
    try:
        yield running
    finally:
        running.stop()


def seconds_to(midnight: dt.datetime) -> int:
    """Return how far ahead a clock must run to be there now."""
    return int((midnight - dt.datetime.now(TEHRAN)).total_seconds())


def clock(world: RunningWorld, seconds: int) -> None:
    """Let all deciding clocks run ahead."""
    control = f"{world.info['banks'][0]['url']}/sandbox/control"
    requests.post(control, json={"clock_seconds": seconds}, timeout=10).raise_for_status()


def captured(world: RunningWorld, bank: Bank, kind: str) -> str:
    """Return DE 17 of what a bank did last of a kind; nothing while it has done none."""
    with psycopg.connect(world.world.database_url(bank.organisation, "reader").replace("+psycopg", "")) as reader:
        query = "SELECT capture_date FROM authorisation WHERE kind = %s AND state = 'approved' ORDER BY 1 DESC LIMIT 1"
        found = reader.execute(query, (kind,)).fetchone()
    return str(found[0]) if found else ""


def file_of(world: RunningWorld, bank: Bank, day: dt.date) -> str:
    """Ask a bank for its file."""
    return said(world, bank.organisation, "clearing", "export", "--date", f"{day:%Y%m%d}", "--acquirer", ACQUIRER_ID)


def compared(world: RunningWorld, file: Path, bank: Bank, content: str) -> str:
    """Import a file; return what was said of it."""
    file.write_text(content)
    return said(world, "gateway", "reconcile", "import", str(file), "--issuer", bank.issuer_id)


def over_midnight(world: RunningWorld, midnight: dt.datetime) -> None:
    """Take the money before midnight while the other bank's host is frozen, and give it after."""
    clock(world, seconds_to(midnight - PAID_BEFORE))
    source = sender_of(world, BANK_TWO.name_en)
    sender = begin(world, source, cards_of(world, BANK_ONE.name_en)[0]["pan"])
    code = sender.request_pin()
    world.signal(HOST, signal.SIGSTOP)
    sender.pay(code)
    wait_for(lambda: captured(world, BANK_TWO, "transfer"), "the debit")
    clock(world, seconds_to(midnight + PAID_BEFORE))
    world.signal(HOST, signal.SIGCONT)
    wait_for(lambda: captured(world, BANK_ONE, "credit"), "the credit", ANSWERED_WITHIN_SECONDS)


def test_d7_a_transfer_over_midnight_adds_up_and_a_planted_mismatch_is_found(
    own_world: RunningWorld, tmp_path: Path
) -> None:
    """D7: two capture dates, each of which sums to zero; then a credit that its bank's file does not tell.

    And one that the destination's bank booked, but not against the interbank account.
    """
    midnight = (dt.datetime.now(TEHRAN) + dt.timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)
    days = [(midnight - dt.timedelta(days=1)).date(), midnight.date()]
    over_midnight(own_world, midnight)
    finish(begin(own_world, sender_of(own_world, BANK_TWO.name_en), cards_of(own_world, BANK_ONE.name_en)[0]["pan"]))
    wait_for(lambda: between(own_world)[1:2], "both days", ANSWERED_WITHIN_SECONDS)

    one, two = BANK_ONE.issuer_id, BANK_TWO.issuer_id
    sums = (f"{two} +{AMOUNT}, gateway +{AMOUNT}", f"{one} -{2 * AMOUNT}, {two} +{AMOUNT}, gateway -{AMOUNT}")
    assert set(between(own_world)) == {
        f"between the banks, captured on {day:%m%d}: {told}; sum 0 rial" for day, told in zip(days, sums, strict=True)
    }
    clock(own_world, seconds_to(midnight + dt.timedelta(days=2)))
    files = [(bank, day) for day in days for bank in (BANK_TWO, BANK_ONE)]
    told = {(bank.issuer_id, day): file_of(own_world, bank, day) for bank, day in files}
    planted = {**told, (BANK_ONE.issuer_id, days[1]): without_last(told[BANK_ONE.issuer_id, days[1]])}
    heard = [compared(own_world, tmp_path / "file.csv", bank, planted[bank.issuer_id, day]) for bank, day in files]

    assert [answer.splitlines()[0].partition(": ")[2] for answer in heard] == [
        "1 lines, 1 matched",
        "0 lines",
        "1 lines, 1 matched",
        "1 lines, 1 matched",
    ]
    assert heard[-1].splitlines()[1].startswith("1 credit_missing_there")
    (listed, count) = said(own_world, "gateway", "reconcile", "list").splitlines()
    assert count == "1 exceptions"
    assert f"credit_missing_there · {AMOUNT:,} rial" in listed
    own_world.audit()

    wrongly_booked(own_world)
    done = own_world.command("audit")
    assert done.returncode == 1
    assert f"difference: between the banks, captured on {days[1]:%m%d}" in done.stdout
    assert f"{BANK_ONE.program}: not so that" not in done.stdout, "its own books are whole: only the sum finds it"


def between(world: RunningWorld) -> list[str]:
    """Return what the audit says about the banks."""
    return [line for line in world.audit() if line.startswith("between the banks")]


WRONGLY = (
    "UPDATE posting SET source = replace(source, 'interbank', 'acquirer') WHERE posting_id ="
    " (SELECT max(posting_id) FROM posting WHERE event = 'credit')"
)


def wrongly_booked(world: RunningWorld) -> None:
    """Let the destination's bank book one credit against the acquirer, as if it were a refund."""
    organisation = BANK_ONE.organisation
    url = Cluster(world.state / "postgres").url(organisation, f"{organisation}_owner").replace("+psycopg", "")
    with psycopg.connect(url) as owner, unguarded(lambda words: owner.execute(words.encode()), WRONGLY):
        owner.execute(WRONGLY.encode())
