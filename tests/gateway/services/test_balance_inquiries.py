"""Balances: told once, kept nowhere, paid for only when told, and never told by somebody else's code (D2, D5)."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from structlog.testing import capture_logs

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain import fees
from gateway.domain.errors import NotPossible
from gateway.domain.fees import FeeRow, balance_fee
from gateway.domain.outcome import Approved, Balance
from gateway.domain.payment import PaymentState
from gateway.ports import Kind
from gateway.services.authorise import Checking, Refused, Told
from gateway.services.balance_inquiries import open_own, own_terminal
from gateway.services.look_alike import minutes_since_alike
from gateway.services.open_payment import PaymentRecord
from gateway.services.request_pin import request_pin
from gateway.services.show_page import page_of
from tests.fakes.shop import MERCHANT, Shop, card
from tests.fakes.switch import (
    BALANCE,
    Behaviour,
    approve,
    debit_but_silent,
    decline,
    decline_but_silent,
    die_after,
    die_before,
    garbage,
    lost,
    meanwhile,
)

FEE = 2_000


@pytest.fixture
def teller(shop: Shop) -> Shop:
    """A gateway that tells balances under the shop's terminal."""
    settings = shop.gateway.settings.model_copy(update={"balance_terminal_id": MERCHANT.terminal_id})
    shop.gateway = dataclasses.replace(shop.gateway, settings=settings)
    return shop


@pytest.fixture
def dear(teller: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The same, from the day on which a balance costs something."""
    monkeypatch.setattr(fees, "BALANCE_FEES", (FeeRow(dt.date(2020, 1, 1), Rial(FEE)),))
    return teller


def events(shop: Shop, asked: PaymentRecord) -> list[str]:
    """Return what happened to a question."""
    query = "SELECT event FROM payment_event WHERE payment_id = :id ORDER BY event_id"
    return [str(event) for (event,) in shop.rows(query, id=asked.payment_id)]


def until_explained(shop: Shop) -> None:
    """Let the worker do what it owes, as often as it takes."""
    for _ in range(16):
        shop.sweep()
        shop.change("UPDATE outbox SET due_at = house_now() WHERE done_at IS NULL")
        shop.work()


def test_a_balance_is_told_to_whoever_asked_and_to_nobody_else(teller: Shop) -> None:
    """The answer has it; no row, no log line and no repr does; nothing is posted."""
    asked = open_own(teller.gateway)
    with capture_logs() as logs:
        answer = teller.pay(asked)

    assert answer == Told(Sensitive(Balance(BALANCE)))
    (sent,) = teller.switch.authorised
    assert (sent.order.kind, sent.order.processing_code) == (Kind.BALANCE_INQUIRY, "310000")
    assert (sent.order.amount, sent.order.fee, sent.order.payee_key) == (Rial(0), Rial(0), "")
    assert events(teller, asked) == ["opened", "attempt_submitted", "balance_told"]
    assert teller.state(asked) is PaymentState.CONFIRMED
    assert teller.balances() == {}
    digits = str(BALANCE.amount)
    assert digits not in repr(answer) + repr(logs)
    dump = "SELECT string_agg(line, ' ') FROM (SELECT CAST(p AS text) AS line FROM payment p UNION ALL "
    dump += "SELECT CAST(a AS text) FROM attempt a UNION ALL SELECT CAST(e AS text) FROM payment_event e UNION ALL "
    dump += "SELECT CAST(w AS text) FROM webhook_event w UNION ALL SELECT CAST(o AS text) FROM outbox o) AS lines"
    assert digits not in teller.rows(dump)[0][0]


def test_d5_a_fee_is_posted_with_the_answer_and_stays(dear: Shop) -> None:
    """DE 4 is the fee alone; it is ours."""
    asked = open_own(dear.gateway)

    assert dear.pay(asked) == Told(Sensitive(Balance(BALANCE)))

    assert dear.balances() == {"issuer:two": -FEE, "fees": FEE}
    assert dear.switch.authorised[0].order.fee == Rial(FEE)
    assert sum(dear.switch.debits.values()) == FEE


def test_d5_the_code_is_asked_for_as_a_balance(dear: Shop) -> None:
    """Type, no amount, the fee: what the bank binds it to."""
    asked = open_own(dear.gateway)

    request_pin(dear.gateway, asked.page_token, card(pin=None))

    ((_, wanted),) = dear.harim.asked
    canonical = wanted.order.canonical()
    assert canonical.startswith(f"v1|type=BALANCE_INQUIRY|amount=0|fee={FEE}|")
    assert "|payee_key=|" in canonical


@pytest.mark.parametrize(
    "behaviour",
    [lost, debit_but_silent, decline_but_silent, garbage],
    ids=["lost", "debit_but_silent", "decline_but_silent", "garbage"],
)
@pytest.mark.parametrize("silent_inquiries", [0, 100])
@pytest.mark.parametrize("silent_reversals", [0, 7])
@pytest.mark.parametrize("priced", [False, True])
def test_d2_without_an_answer_nothing_is_told_and_the_fee_comes_back(
    teller: Shop,
    monkeypatch: pytest.MonkeyPatch,
    behaviour: Behaviour,
    silent_inquiries: int,
    silent_reversals: int,
    priced: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """First it is not known, and said so; in the end bank and books agree on not one rial."""
    if priced:
        monkeypatch.setattr(fees, "BALANCE_FEES", (FeeRow(dt.date(2020, 1, 1), Rial(FEE)),))
    asked = open_own(teller.gateway)
    teller.switch.will(behaviour)
    teller.switch.silent_inquiries, teller.switch.silent_reversals = silent_inquiries, silent_reversals

    assert teller.pay(asked) == Checking()
    assert teller.state(asked) is PaymentState.UNKNOWN
    until_explained(teller)

    assert teller.state(asked) in {PaymentState.OPEN, PaymentState.REVERSED}
    assert "balance_told" not in events(teller, asked)
    assert sum(teller.switch.debits.values()) == 0
    assert {account: rial for account, rial in teller.balances().items() if rial} == {}
    assert teller.rows("SELECT state FROM attempt WHERE state NOT IN ('declined', 'voided')") == []
    assert len(teller.switch.authorised) == 1


@pytest.mark.parametrize("behaviour", [die_before, die_after], ids=["before", "after"])
def test_f5_a_process_that_dies_leaves_no_fee_behind(dear: Shop, behaviour: Behaviour) -> None:
    """The sweeper finds the attempt, asks, and gives back what nobody was told for."""
    asked = open_own(dear.gateway)
    dear.switch.will(behaviour)
    with pytest.raises(SystemExit):
        dear.pay(asked)
    dear.change("UPDATE attempt SET answer_due_at = house_now() - interval '1 second'")

    until_explained(dear)

    assert sum(dear.switch.debits.values()) == 0
    assert {account: rial for account, rial in dear.balances().items() if rial} == {}


def test_an_answer_that_comes_after_the_sweeper_looked_is_still_told(dear: Shop) -> None:
    """The process that asked is alive and has the answer; nobody has decided otherwise yet."""
    asked = open_own(dear.gateway)

    def swept() -> None:
        dear.change("UPDATE attempt SET answer_due_at = house_now() - interval '1 second'")
        dear.change("UPDATE attempt SET state = 'unknown'")
        dear.change("UPDATE payment SET state = 'unknown'")

    dear.switch.will(meanwhile(swept))

    assert dear.pay(asked) == Told(Sensitive(Balance(BALANCE)))
    assert dear.state(asked) is PaymentState.CONFIRMED


def test_d2_an_answer_that_comes_after_the_reversal_was_decided_is_not_told(dear: Shop) -> None:
    """The fee is on its way back, so the balance is not given away either; an honest "checking"."""
    asked = open_own(dear.gateway)
    dear.switch.will(meanwhile(lambda: dear.change("UPDATE attempt SET state = 'voiding'")))

    assert dear.pay(asked) == Checking()


def test_a_no_of_the_bank_leaves_the_question_open(teller: Shop) -> None:
    """As for a purchase: the reason, and the tries that are left."""
    asked = open_own(teller.gateway)
    teller.switch.will(decline("121"), approve)

    first, second = teller.pay(asked), teller.pay(asked)

    assert isinstance(first, Refused)
    assert first.decline.reason == "limit_exceeded"
    assert isinstance(second, Told)
    with pytest.raises(NotPossible):
        teller.pay(asked)


def test_asking_twice_is_no_mistake(teller: Shop) -> None:
    """Nobody is asked whether a second question is meant."""
    teller.pay(open_own(teller.gateway))
    view = page_of(teller.gateway, open_own(teller.gateway).page_token)

    assert minutes_since_alike(teller.gateway, view, card().pan) is None


def test_no_balances_without_a_terminal_of_its_own(shop: Shop) -> None:
    """Where none is set, and where the one that is set may not work."""
    assert own_terminal(shop.gateway) is None
    with pytest.raises(LookupError, match="GATEWAY_BALANCE_TERMINAL_ID"):
        open_own(shop.gateway)


def test_a_balance_is_free_until_a_dated_row_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table decides by the day."""
    assert balance_fee(dt.date(2026, 11, 29)) == Rial(0)
    monkeypatch.setattr(fees, "BALANCE_FEES", (*fees.BALANCE_FEES, FeeRow(dt.date(2027, 3, 21), Rial(FEE))))
    assert [balance_fee(dt.date(2027, 3, day)) for day in (20, 21)] == [Rial(0), Rial(FEE)]


def test_an_approval_hides_its_balance() -> None:
    """A value that is printed by accident shows stars."""
    assert str(BALANCE.amount) not in repr(Approved(balance=Sensitive(Balance(BALANCE))))
