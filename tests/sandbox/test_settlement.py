"""From a purchase to the merchant's account in a running sandbox: the bank's file, the comparison, the batch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import requests

from sandbox.banks import BANK_TWO
from sandbox.shopper import Shopper
from sandbox.world import ACQUIRER_ID, MERCHANT_ID
from tests.world import RunningWorld, wait_for

IBAN = "IR062960000000100324200001"
WEEK_SECONDS = 7 * 86_400
SETTLED_WITHIN_SECONDS = 150.0


@pytest.fixture
def own_world(tmp_path: Path) -> Iterator[RunningWorld]:
    """A sandbox whose clock may be moved by days."""
    running = RunningWorld(tmp_path / "var")
    running.start()
    try:
        yield running
    finally:
        running.stop()


def said(world: RunningWorld, organisation: str, *words: str) -> str:
    """Run a command that must go well; return what it said."""
    done = world.operate(organisation, *words)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def bought(world: RunningWorld) -> None:
    """Buy something in the shop, which confirms it."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    shopper.pay(shopper.request_pin())
    shopper.return_to_shop()


def captured_on(world: RunningWorld) -> str:
    """Return the day of the bank's capture, YYYYMMDD."""
    url = world.world.database_url(BANK_TWO.organisation, "reader").replace("+psycopg", "")
    with psycopg.connect(url) as bank:
        found = bank.execute(
            "SELECT to_char(max(decided_at) AT TIME ZONE 'Asia/Tehran', 'YYYYMMDD') FROM authorisation"
        ).fetchone()
    return str(found[0]) if found else ""


def without_last(content: str) -> str:
    """Take a file's last movement away, with a trailer that fits again."""
    *lines, last, _ = content.splitlines()
    body = "".join(f"{line}\n" for line in lines)
    total = sum(int(line.split(",")[6]) for line in lines[2:])
    assert last.split(",")[5] in {"purchase", "credit"}
    return f"{body}trailer,{len(lines) - 2},{total},{hashlib.sha256(body.encode()).hexdigest()}\n"


def statements(world: RunningWorld) -> list[dict[str, Any]]:
    """Ask the API as the shop does."""
    headers = {"Authorization": f"Bearer {world.info['merchant']['secret_key']}"}
    answer = requests.get(f"{world.info['gateway']}/api/v1/settlements", headers=headers, timeout=10)
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def test_d11_f31_from_the_purchase_to_the_merchants_account(own_world: RunningWorld, tmp_path: Path) -> None:
    """D11, F31: two purchases, one of which the bank's file lacks: it is listed; the other is paid out to the rial."""
    add = ("settlement", "iban-add", MERCHANT_ID, IBAN, "--by", "sara", "--reason", "letter of the shop")
    assert said(own_world, "gateway", *add).startswith("request 1;")
    assert "somebody else approves" in own_world.operate("gateway", "reconcile", "approve", "1", "--by", "sara").stderr
    said(own_world, "gateway", "reconcile", "approve", "1", "--by", "ali")
    bought(own_world)
    bought(own_world)
    day = captured_on(own_world)
    export = ("clearing", "export", "--date", day, "--acquirer", ACQUIRER_ID)
    assert "five minutes after midnight" in own_world.operate(BANK_TWO.organisation, *export).stderr
    control = f"{own_world.info['banks'][0]['url']}/sandbox/control"
    requests.post(control, json={"clock_seconds": WEEK_SECONDS}, timeout=10).raise_for_status()

    whole = said(own_world, BANK_TWO.organisation, *export)
    file = tmp_path / "clearing.csv"
    take = ("reconcile", "import", str(file), "--issuer", BANK_TWO.issuer_id)
    file.write_text(whole[:-20])
    assert "is cut" in own_world.operate("gateway", *take).stderr
    file.write_text(without_last(whole))
    assert said(own_world, "gateway", *take).splitlines()[1].startswith("1 missing_there")
    assert "imported before" in said(own_world, "gateway", *take)
    listed = said(own_world, "gateway", "reconcile", "list").splitlines()
    assert listed[-1] == "1 exceptions"
    assert " · missing_there · " in listed[0]
    assert "gateway · payee_confirmed → confirmed" in said(own_world, "gateway", "reconcile", "show", "1")

    paid_out(own_world, int(whole.splitlines()[2].split(",")[6]))
    own_world.audit()


def paid_out(own_world: RunningWorld, amount: int) -> None:
    """See the merchant's statement, the batch, and both forms of its file, all about this amount."""
    (statement,) = wait_for(lambda: statements(own_world), "the batch", SETTLED_WITHIN_SECONDS)
    assert (statement["lines"], statement["net"], statement["payouts"][0]["iban"]) == (1, amount, IBAN)
    number = statement["id"].removeprefix("set_")
    assert f"net {amount:,} rial" in said(own_world, "gateway", "settlement", "list")
    rows = said(own_world, "gateway", "settlement", "export", number).splitlines()
    assert rows[2].split(",")[1:] == [MERCHANT_ID, IBAN, str(amount)]
    xml = said(own_world, "gateway", "settlement", "export", number, "--form", "xml")
    assert f'iban="{IBAN}" rial="{amount}">' in xml
    assert xml.endswith("</settlement>\n")
