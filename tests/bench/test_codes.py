"""Codes of the bank and of its floor are issued and checked alike; what is counted is what PostgreSQL was asked."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pytest

from bench.codes import OURS, Codes, Floor, Ours, Plastic, lines
from bench.floor import codes as floor_codes
from bench.floor.running import bank_books
from foundation.database import Database
from otp.services.bank import Bank
from sandbox.places import CannotRun
from sandbox.postgres import Cluster
from tests.otp.conftest import EXPIRY, here, key_file, make_bank, phone, settings

__all__ = ["here", "key_file", "make_bank", "phone", "settings"]
CARDS = 8
SIZES = {"floor": 3, "ours": 2}


@pytest.fixture
def run(here: Any, bank_urls: dict[str, str], cluster: Cluster) -> Iterator[Codes]:
    """Give both sides with few cards."""
    pans = [here.card(f"0912123450{number}") for number in range(CARDS)]
    cards = [Plastic(pan, here.cvv2(pan).reveal(), EXPIRY) for pan in pans]
    known = [{"pan": card.pan.reveal(), "exp_year": EXPIRY[:2], "exp_month": EXPIRY[2:]} for card in cards]
    address = bank_books(cluster, known, floor_codes.TABLES, f"floor_codes_{secrets.token_hex(4)}")
    database = Database(bank_urls["application"], application_name=OURS)
    bank: Bank = here.bank
    fields = {name: getattr(bank, name) for name in Bank.__slots__} | {"database": database}
    with closing(Floor(address)) as floor, closing(database):
        yield Codes(floor, Ours(Bank(**fields), here.psp), cards)


def test_both_sides_issue_and_use_up_every_code(run: Codes, here: Any, cluster: Cluster) -> None:
    """As many codes are used up as were measured, each with its message; a round of each gives one ratio."""
    comparison = run.compare(1, SIZES)

    assert comparison.ratio > 0
    assert [row["state"] for row in here.challenges()] == ["verified"] * SIZES["ours"]
    assert here.queued() == SIZES["ours"]
    with psycopg.connect(run.floor.address) as connection:
        kept = connection.execute("SELECT state, proof_mac IS NOT NULL FROM challenge").fetchall()
        queued = connection.execute("SELECT count(*) FROM outbox").fetchall()
    assert (kept, queued) == ([("verified", True)] * SIZES["floor"], [(SIZES["floor"],)])
    said = list(lines(run, comparison, cluster))
    assert said[1:3] == [
        "statements and commits, floor: 1 and 1 for a code, 1 and 1 for its check",
        "statements and commits, ours: 3 and 1 for a code, 4 and 1 for its check",
    ]


def test_a_wrong_code_stops_the_measurement(run: Codes) -> None:
    """Neither side counts a code that was not accepted: a floor that says yes to everything would be no ideal."""
    for side in (run.floor, run.ours):
        (wanted,) = run.orders(side, 1)
        side.issue(wanted)
        with pytest.raises(CannotRun, match=r"wrong|WRONG"):
            side.verify(wanted, "0000000")


def test_cards_that_are_used_up_stop_the_measurement(run: Codes) -> None:
    """A benchmark that went on with cards at their limit would measure refusals."""
    with pytest.raises(CannotRun, match="used up"):
        run.measure(run.floor, 3 * CARDS + 1)
