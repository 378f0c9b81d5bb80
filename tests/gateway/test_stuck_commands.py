"""Operators list money past its promised time: which it is, how old, and what to do about it."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable, Iterator

import pytest

from foundation.monitor import open_reader
from foundation.settings import InvalidSettings
from gateway import stuck_commands
from gateway.domain.attempt import AttemptState
from gateway.domain.outcome import Unknown
from gateway.domain.reconciliation import STANDING, Standing
from gateway.domain.refund import RefundState
from gateway.domain.stuck import NEXT, Waiting
from gateway.domain.transfer import Credit
from gateway.services.enrol import add_issuer
from gateway.services.gateway import Gateway
from gateway.services.list_stuck import list_stuck
from tests.fakes.shop import ONE, Shop
from tests.fakes.switch import debit_but_silent, give_but_silent
from tests.gateway.services.test_transfers import AMOUNT, opened

DAY_SECONDS = 86_400


@pytest.fixture
def asked(shop: Shop, gateway_urls: dict[str, str]) -> Iterator[Gateway]:
    """The shop's gateway with a read-only role."""
    reader = open_reader(gateway_urls["reader"], "tests-stuck")
    yield dataclasses.replace(shop.gateway, reader=reader)
    reader.close()


@pytest.fixture
def listed(asked: Gateway, capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    """Give what ``stuck list`` prints, without what the log says."""
    parser = argparse.ArgumentParser()
    stuck_commands.add_to(parser.add_subparsers(), lambda command: lambda chosen: command(asked, chosen))

    def run() -> list[str]:
        capsys.readouterr()
        chosen = parser.parse_args(["list"])
        chosen.run(chosen)
        return capsys.readouterr().out.splitlines()

    return run


def test_d36_each_kind_of_money_past_its_time_is_listed_oldest_first(
    shop: Shop, listed: Callable[[], list[str]]
) -> None:
    """D36: a debit, a refund and a credit nobody answers for, each with state, amount, age and next step."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    shop.switch.will(debit_but_silent)
    debit = shop.open()
    shop.pay(debit)
    refunded = shop.paid()
    shop.confirm(refunded)
    shop.switch.givings.append(give_but_silent)
    shop.refund(refunded, 100_000, "r-1")
    shop.switch.credit_answers.extend([Unknown("silent")] * 9)
    transfer = opened(shop)
    shop.send(transfer)
    shop.work()
    assert listed() == ["0 stuck, 0 rial"]

    shop.later(2 * DAY_SECONDS)
    lines = listed()

    assert lines[-1] == f"3 stuck, {250_000 + 100_000 + AMOUNT:,} rial"
    assert lines[0].startswith(
        f"debit · {debit.payment_id} · unknown · 250,000 rial · 48 h 0 min · see that the issuer"
    )
    assert lines[1].startswith(f"refund · {refunded.payment_id} · unknown · 100,000 rial · 48 h 0 min")
    assert lines[2].startswith(f"credit · {transfer.payment_id} · owed · {AMOUNT:,} rial · 48 h 0 min · call the dest")


def test_d8_a_disputed_reversal_is_listed(shop: Shop, listed: Callable[[], list[str]]) -> None:
    """D8: older than promised; somebody calls the bank."""
    shop.paid()
    shop.change("UPDATE attempt SET state = 'disputed', reversal_decided_at = house_now() - interval '25 hours'")

    assert listed()[0].endswith(
        "disputed · 250,000 rial · 25 h 0 min · call the bank; its yes to the reversal ends it by itself"
    )


def test_every_state_under_way_has_its_next_step() -> None:
    """Whatever can wait can be listed."""
    books = {Waiting.DEBIT: AttemptState, Waiting.CREDIT: Credit, Waiting.TOP_UP: Credit, Waiting.REFUND: RefundState}
    for kind, states in books.items():
        under_way = {state for state in states if STANDING.get(state) is Standing.UNDER_WAY}
        assert set(NEXT[kind]) == under_way


def test_d39_it_is_asked_as_the_reader(shop: Shop) -> None:
    """D39: as the monitor; without that role nobody asks."""
    with pytest.raises(InvalidSettings, match="GATEWAY_READER_DATABASE_URL"):
        list_stuck(shop.gateway)
