"""The worker's jobs: webhooks by the table, inquiries and reversals without end."""

from __future__ import annotations

import dataclasses
import json
import threading

from standardwebhooks import Webhook as Signature

from foundation.pan import with_check_digit
from gateway.bulkhead import Gates, NotAdmitted
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import InquiryAnswer, Unknown
from gateway.domain.payment import PaymentState
from gateway.ports import InquiryRequest, NotDelivered
from gateway.services.authorise import Checking
from gateway.services.cancel import cancel
from gateway.services.enrol import add_issuer
from gateway.switch.client import RECOVERIES_AT_ONCE
from gateway.worker import THREADS, WEBHOOK_BACKOFF_SECONDS, make_worker, topics
from tests.fakes.shop import ISSUER, Shop, card
from tests.fakes.switch import FakeSwitch, debit_but_silent
from tests.world import wait_for


def test_a_webhook_tells_the_payment_as_it_became(shop: Shop) -> None:
    """The body follows the contract and says the state of that moment."""
    payment = shop.paid()
    shop.confirm(payment)
    shop.work()

    first, second = (json.loads(webhook.body) for webhook in shop.callbacks.sent)
    assert (first["type"], second["type"]) == ("payment.authorised", "payment.confirmed")
    assert first["timestamp"].endswith("Z")
    assert first["data"]["state"] == "authorised"
    assert first["data"]["card"]["masked_pan"].startswith("999002******")
    assert first["data"].keys() == {"id", "state", "order_id", "amount", "fee", "rrn", "tracking_code", "card"}
    assert Signature(shop.callbacks.sent[0].secret.reveal()) is not None


def test_event_ids_are_stable_over_retries(shop: Shop) -> None:
    """F23: at least once, under one id, waits from the table; 410 ends it."""
    cancel(shop.gateway, shop.open().page_token)
    shop.callbacks.will(NotDelivered("status 500"), NotDelivered("status 410", gone=True))

    shop.work()
    waits = shop.rows("SELECT extract(epoch FROM due_at - house_now()), last_error FROM outbox")
    assert float(waits[0][0]) <= WEBHOOK_BACKOFF_SECONDS[0]
    assert waits[0][1] == "status 500"
    shop.later(10)
    shop.work()

    assert len({webhook.event_id for webhook in shop.callbacks.sent}) == 1
    assert shop.rows("SELECT tries, last_error FROM outbox WHERE dead_at IS NOT NULL") == [(2, "status 410")]


def test_webhooks_are_tried_for_about_three_days() -> None:
    """The table is the promise of the documentation."""
    assert 2.5 * 86_400 < sum(WEBHOOK_BACKOFF_SECONDS) < 3.5 * 86_400


def test_a_merchant_without_address_is_told_nothing(shop: Shop) -> None:
    """No row is queued, and one queued before the address was removed is dropped."""
    before = shop.open()
    cancel(shop.gateway, before.page_token)
    shop.change("UPDATE merchant SET webhook_url = NULL, webhook_secret_sealed = NULL")
    cancel(shop.gateway, shop.open().page_token)

    assert shop.rows("SELECT count(*) FROM outbox") == [(1,)]
    assert shop.work() == 1
    assert shop.callbacks.sent == []
    assert shop.rows("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL") == [(1,)]


def test_d8_inquiry_and_reversal_never_give_up(shop: Shop) -> None:
    """D8: no limit of tries on the topics that owe money."""
    limits = {topic.name: topic.tries_max for topic in topics(shop.gateway)}
    assert limits == {"switch.reverse": None, "switch.inquire": None, "webhook": len(WEBHOOK_BACKOFF_SECONDS) + 1}
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
