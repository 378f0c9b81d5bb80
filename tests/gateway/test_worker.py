"""The worker's jobs: inquiries and reversals without end, and everything at rest afterwards."""

from __future__ import annotations

import dataclasses
import threading

from foundation.pan import with_check_digit
from gateway.bulkhead import Gates, NotAdmitted
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import InquiryAnswer, Unknown
from gateway.domain.payment import PaymentState
from gateway.ports import InquiryRequest
from gateway.services.authorise import Checking
from gateway.services.enrol import add_issuer
from gateway.switch.client import RECOVERIES_AT_ONCE
from gateway.worker import THREADS, make_worker, topics
from tests.fakes.shop import ISSUER, Shop, card
from tests.fakes.switch import FakeSwitch, debit_but_silent
from tests.world import wait_for


def test_d8_what_owes_money_never_gives_up(shop: Shop) -> None:
    """D8: no limit of tries on the topics that owe money."""
    limits = {topic.name: topic.tries_max for topic in topics(shop.gateway)}
    names = ("switch.reverse", "switch.inquire", "switch.credit", "switch.refund", "top_up.deliver")
    assert limits == dict.fromkeys(names)
    assert make_worker(shop.gateway) is not None


class HangingSwitch(FakeSwitch):
    """A switch with the real places of recovery; the bank ``three`` answers no inquiry until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.gates = Gates("recovery", room=RECOVERIES_AT_ONCE, breaks=False)
        self.let_go = threading.Event()

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Answer a 1604, if there is a place to ask it from."""
        try:
            with self.gates.of(issuer.issuer_id).admitted():
                if issuer.issuer_id == "three":
                    self.let_go.wait(60)
                return super().inquire(issuer, request)
        except NotAdmitted as error:
            return Unknown(error.why)


def test_f18_a_bank_that_hangs_leaves_the_worker_to_another_banks_inquiries(shop: Shop) -> None:
    """F18: more unknowns of a silent bank than the worker has threads; one of a healthy bank is decided meanwhile."""
    switch = HangingSwitch()
    shop = dataclasses.replace(shop, gateway=dataclasses.replace(shop.gateway, switch=switch), switch=switch)
    add_issuer(shop.gateway, dataclasses.replace(ISSUER, issuer_id="three"), ("999004",))
    others = card(with_check_digit("999004000000123"))
    hanging = [shop.open() for _ in range(THREADS + 2)]
    healthy = shop.open()
    for payment, entry in [*((payment, others) for payment in hanging), (healthy, card())]:
        switch.will(debit_but_silent)
        assert shop.pay(payment, entry) == Checking()
    shop.change("UPDATE outbox SET due_at = house_now() WHERE topic = 'switch.inquire'")
    worker = make_worker(shop.gateway)
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        wait_for(lambda: shop.state(healthy) is PaymentState.AUTHORISED, "the healthy bank's answer")
        assert {shop.state(payment) for payment in hanging} == {PaymentState.UNKNOWN}
        switch.let_go.set()
        for payment in hanging:
            wait_for(lambda payment=payment: shop.state(payment) is PaymentState.AUTHORISED, "the other bank's")
    finally:
        switch.let_go.set()
        worker.stop()
        running.join()


def test_i18_after_the_faults_everything_comes_to_rest(shop: Shop) -> None:
    """I18: unconfirmed, unanswered and forgotten payments all end by themselves."""
    shop.paid()
    shop.open()
    silent = shop.open()
    shop.switch.will(debit_but_silent)
    shop.pay(silent)
    shop.switch.silent_inquiries, shop.switch.silent_reversals = 9, 4

    shop.settle_down()
    shop.settle_down(after=5_000)

    states = {row[0] for row in shop.rows("SELECT state FROM payment")}
    assert states <= {"reversed", "expired"}
    assert shop.switch.debits == {}
    assert shop.balances() == {}
