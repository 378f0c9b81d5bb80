"""The worker's jobs: inquiries and reversals without end, and everything at rest afterwards."""

from __future__ import annotations

from gateway.worker import make_worker, topics
from tests.fakes.shop import Shop
from tests.fakes.switch import debit_but_silent


def test_d8_inquiry_and_reversal_never_give_up(shop: Shop) -> None:
    """D8: no limit of tries on the topics that owe money."""
    limits = {topic.name: topic.tries_max for topic in topics(shop.gateway)}
    assert limits == {"switch.reverse": None, "switch.inquire": None}
    assert make_worker(shop.gateway) is not None


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
