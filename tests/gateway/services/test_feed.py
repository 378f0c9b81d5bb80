"""The feed is shown up to a mark, so that whoever follows it by cursor misses nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from gateway.services.deliver import advance_feed
from gateway.store import events, payments
from tests.fakes.shop import Shop
from tests.gateway.services.test_webhooks import cancelled, feed

WAIT_SECONDS = 8


def test_an_event_that_commits_behind_a_later_one_is_never_passed_over(shop: Shop) -> None:
    """Nothing is shown that an earlier event can still come in before; a follower by cursor reads both, in order."""
    first, slow_one = cancelled(shop), shop.open()
    (known,) = feed(shop)
    with shop.gateway.database.begin() as slow:
        payments.cancel(slow, slow_one.page_token)  # its number is drawn, and not committed
        with ThreadPoolExecutor(1) as other:
            last = other.submit(cancelled, shop).result(WAIT_SECONDS)
            assert other.submit(feed, shop, after=known.event_id).result(WAIT_SECONDS) == []
            assert len(other.submit(feed, shop).result(WAIT_SECONDS)) == 1
    found = feed(shop, after=known.event_id)
    assert [known.payment_id, *(event.payment_id for event in found)] == [
        each.payment_id for each in (first, slow_one, last)
    ]


def test_somebody_always_writes_and_the_feed_goes_on(shop: Shop) -> None:
    """Those who came after the mark are not waited for; the worker moves it on where nobody reads."""
    one, two = shop.open(), shop.open()
    cancelled(shop)
    with shop.gateway.database.begin() as slow:
        payments.cancel(slow, one.page_token)
        with ThreadPoolExecutor(1) as other:
            other.submit(advance_feed, shop.gateway).result(WAIT_SECONDS)
    with shop.gateway.database.begin() as next_slow:
        payments.cancel(next_slow, two.page_token)
        with ThreadPoolExecutor(1) as other:
            other.submit(advance_feed, shop.gateway).result(WAIT_SECONDS)
            assert len(other.submit(feed, shop).result(WAIT_SECONDS)) == 2
    assert len(feed(shop)) == 3


def test_only_one_moves_the_mark_at_a_time(shop: Shop) -> None:
    """A second one reads up to where it stands, without waiting."""
    cancelled(shop)
    feed(shop)
    cancelled(shop)
    with shop.gateway.database.begin() as first:
        events.advance(first)
        with ThreadPoolExecutor(1) as other:
            assert len(other.submit(feed, shop).result(WAIT_SECONDS)) == 1
    assert len(feed(shop)) == 2
