"""The kill switch of an issuer: no new business from the next statement on, and everything begun comes to its end."""

from __future__ import annotations

import dataclasses

import pytest
import structlog
from structlog.testing import capture_logs

from gateway.domain.errors import AttemptInProgress, IssuerPaused, NotPossible, RefusedRow, TooManyAttempts
from gateway.domain.payment import PaymentState
from gateway.services import pause_issuer
from gateway.services.authorise import Checking, Paid
from gateway.services.enrol import add_issuer
from gateway.services.pause_issuer import pause, resume
from gateway.services.request_pin import request_pin
from gateway.services.reverse import reverse
from gateway.services.show_page import page_of
from gateway.store.directory import Directory
from tests.fakes.harim import SENT
from tests.fakes.shop import ISSUER, Shop, card
from tests.fakes.switch import debit_but_silent, decline, lost, meanwhile


def elsewhere(shop: Shop) -> Shop:
    """Return the same world as another process sees it: its directory was read before and is remembered for long."""
    directory = Directory(shop.gateway.database, seconds=3_600)
    assert directory.issuers()
    return dataclasses.replace(shop, gateway=dataclasses.replace(shop.gateway, directory=directory))


def test_a_paused_issuer_gets_no_pin_request_and_no_purchase(shop: Shop) -> None:
    """Nothing is sent, counted or used up; another process, which remembers the issuer as it was, stops as well."""
    payment = shop.open()
    for world in (shop, elsewhere(shop)):
        pause(shop.gateway, "two", by="ali", reason="bank asked")
        with pytest.raises(IssuerPaused):
            request_pin(world.gateway, payment.page_token, card())
        with pytest.raises(IssuerPaused):
            world.pay(payment)

    view = page_of(shop.gateway, payment.page_token)
    assert (view.state, view.attempts_left, view.pin.requests_left) == (PaymentState.OPEN, 5, 5)
    assert (shop.harim.asked, shop.switch.authorised) == ([], [])
    assert shop.rows("SELECT 1 FROM attempt UNION ALL SELECT 1 FROM pin_request UNION ALL SELECT 1 FROM quota") == []


def test_a_code_asked_before_the_pause_pays_after_it(shop: Shop) -> None:
    """The code is not consumed by the refusal."""
    payment = shop.open()
    assert request_pin(shop.gateway, payment.page_token, card()) == SENT
    pause(shop.gateway, "999002", by="ali", reason="bank asked")
    with pytest.raises(IssuerPaused):
        shop.pay(payment)
    resume(shop.gateway, "999002", by="ali")

    assert shop.pay(payment) == Paid()
    assert len(shop.switch.authorised) == 1


def test_recovery_and_reversal_go_on_while_paused(shop: Shop) -> None:
    """D2, D8: unknown outcomes are found out, money goes back, confirmations count."""
    kept, back, silent, never = (shop.open() for _ in range(4))
    for payment, behaviour in ((silent, debit_but_silent), (never, lost)):
        shop.switch.will(behaviour)
        assert shop.pay(payment) == Checking()
    assert (shop.pay(kept), shop.pay(back)) == (Paid(), Paid())
    pause(shop.gateway, "two", by="ali", reason="bank asked")
    assert shop.confirm(kept).first_time
    reverse(shop.gateway, shop.caller, back.payment_id, None)
    shop.later(5)
    shop.work()
    shop.work()

    ends = [shop.state(payment) for payment in (kept, back, silent, never)]
    assert ends == [PaymentState.CONFIRMED, PaymentState.REVERSED, PaymentState.AUTHORISED, PaymentState.OPEN]


def test_a_purchase_on_its_way_is_not_stopped(shop: Shop) -> None:
    """The pause is read with the intent; an answer that comes after it is recorded."""
    payment = shop.open()
    shop.switch.will(meanwhile(lambda: pause(shop.gateway, "two", by="ali", reason="bank asked")))

    assert shop.pay(payment) == Paid()


def test_a_payment_that_could_not_be_paid_anyway_says_so_first(shop: Shop) -> None:
    """A pause is no answer for a payment that is over or in flight; without one a used-up payment is just that."""
    over, flying, used_up = shop.open(), shop.open(), shop.open()
    shop.switch.will(lost)
    shop.pay(flying)
    for _ in range(5):
        shop.switch.will(decline("117"))
        shop.pay(used_up)
    with pytest.raises(TooManyAttempts):
        shop.pay(used_up)
    pause(shop.gateway, "two", by="ali", reason="bank asked")
    with pytest.raises(AttemptInProgress):
        shop.pay(flying)
    shop.later(2_000)
    with pytest.raises(NotPossible):
        shop.pay(over)


def test_who_paused_when_and_why_is_kept_and_logged(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The row and the log name them; pausing again changes the reason, not since when."""
    monkeypatch.setattr(pause_issuer, "log", structlog.get_logger())  # one not bound to an earlier test's settings
    with capture_logs() as said:
        pause(shop.gateway, "two", by="ali", reason="bank asked")
        since = shop.gateway.directory.pauses()["two"].since
        shop.later(60)
        pause(shop.gateway, "two", by="sara", reason="their host loses answers")
        held = shop.gateway.directory.pauses()["two"]
        resume(shop.gateway, "two", by="reza")

    assert (held.since, held.by, held.reason) == (since, "sara", "their host loses answers")
    assert [(line["event"], line["by"], line.get("reason")) for line in said] == [
        ("issuer_paused", "ali", "bank asked"),
        ("issuer_paused", "sara", "their host loses answers"),
        ("issuer_resumed", "reza", None),
    ]
    assert {line["issuer_id"] for line in said} == {"two"}
    assert said[2]["paused_at"] == since.isoformat()
    assert shop.gateway.directory.pauses() == {}


def test_correcting_an_issuers_row_does_not_resume_it(shop: Shop) -> None:
    """A pause is its own mark, not a column of the row an operator rewrites."""
    pause(shop.gateway, "two", by="ali", reason="bank asked")
    add_issuer(shop.gateway, ISSUER, ("999002",))

    with pytest.raises(IssuerPaused):
        shop.pay(shop.open())


def test_a_wrong_name_or_no_reason_is_a_sentence(shop: Shop) -> None:
    """Nothing changes."""
    with pytest.raises(RefusedRow, match="no issuer nine"):
        pause(shop.gateway, "nine", by="ali", reason="bank asked")
    with pytest.raises(RefusedRow, match="one line"):
        pause(shop.gateway, "two", by="ali", reason="two\nlines")
    with pytest.raises(RefusedRow, match="not paused"):
        resume(shop.gateway, "two", by="ali")
    assert shop.gateway.directory.pauses() == {}


def test_another_issuers_cards_are_taken(shop: Shop) -> None:
    """The switch is one issuer's."""
    add_issuer(shop.gateway, dataclasses.replace(ISSUER, issuer_id="three"), ("999004",))
    pause(shop.gateway, "three", by="ali", reason="bank asked")

    assert shop.pay(shop.open()) == Paid()
