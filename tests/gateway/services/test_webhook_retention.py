"""How long events, deliveries and their log are kept (D43)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from sqlalchemy.event import listens_for

from gateway.services import endpoints
from gateway.store import webhooks
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_webhooks import DAY, Servers, cancelled, feed, send_due
from tests.gateway.services.test_webhooks import servers as servers

WAIT_SECONDS = 8


def test_d43_events_and_their_log_are_kept_for_thirty_days(shop: Shop) -> None:
    """D43: then they go, whole."""
    cancelled(shop)
    shop.work()
    shop.later(29 * DAY)
    shop.sweep()
    assert len(feed(shop)) == 1
    shop.later(31 * DAY)
    shop.sweep()
    for table in ("webhook_event", "webhook_delivery", "webhook_attempt"):
        assert shop.rows(f"SELECT count(*) FROM {table}") == [(0,)]


def test_d43_an_event_that_turns_thirty_days_old_meanwhile_goes_with_the_next(shop: Shop) -> None:
    """What is erased is chosen once: else an event would go without its deliveries, and everything would stay."""
    old, young = cancelled(shop), cancelled(shop)
    shop.work()
    older = "UPDATE webhook_event SET created_at = created_at - interval '31 days' WHERE payment_id = :id"
    shop.change(older, id=old.payment_id)
    with shop.gateway.database.begin() as connection, ThreadPoolExecutor(1) as other:

        @listens_for(connection, "after_cursor_execute", once=True)
        def time_passes(*_: object) -> None:
            other.submit(shop.later, 30 * DAY).result(WAIT_SECONDS)

        assert webhooks.forget(connection, keep_days=30, most=10) == 3
    assert shop.rows("SELECT payment_id FROM webhook_event") == [(young.payment_id,)]


def test_d43_what_was_asked_for_again_is_not_forgotten_on_its_way(shop: Shop, servers: Servers) -> None:
    """Asked for on its last day, it waits on until it is heard; then it goes as well."""
    cancelled(shop)
    send_due(shop)
    shop.later(29 * DAY)
    endpoints.redeliver_event(shop.gateway, MERCHANT.merchant_id, feed(shop)[0].event_id)
    shop.later(31 * DAY)
    shop.sweep()
    assert shop.rows("SELECT state FROM webhook_delivery") == [("waiting",)]

    send_due(shop)
    assert [kind for _, _, kind in servers.heard] == ["payment.cancelled"] * 2
    shop.sweep()
    assert shop.rows("SELECT count(*) FROM webhook_event") == [(0,)]
