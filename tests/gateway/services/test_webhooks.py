"""Deliveries: in order per payment, isolated per endpoint, kept until heard or given up, sent again when asked."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest

from foundation.sensitive import Sensitive
from gateway.api.events import renderer
from gateway.domain.errors import (
    DuplicateEndpoint,
    EndpointNotFound,
    EventNotFound,
    RotationRunning,
    TooManyEndpoints,
)
from gateway.domain.webhooks import ENDPOINT_DISABLED, ENDPOINTS_MAX, GIVE_UP_SECONDS, UNDELIVERED
from gateway.ports import Delivered, NotDelivered, Webhook
from gateway.services import endpoints
from gateway.services.cancel import cancel
from gateway.services.deliver import Pace, deliver, deliver_due, take
from gateway.services.endpoints import Choice, Wish
from gateway.services.open_payment import PaymentRecord
from tests.fakes.shop import MERCHANT, WEBHOOK_SECRET, Shop

FIRST = f"whe_{MERCHANT.merchant_id}"
DAY = 86_400
EPOCH = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


class Servers:
    """Merchants' servers by the path of their address; ``down`` names those that fail."""

    def __init__(self, *down: str) -> None:
        self.down = set(down)
        self.heard: list[tuple[str, str, str]] = []
        self.secrets: list[tuple[Sensitive[str], ...]] = []
        self.bodies: list[dict[str, Any]] = []
        self.refused: set[str] = set()

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Take one."""
        body = json.loads(webhook.body)
        where = webhook.url.rsplit("/", 1)[1]
        self.heard.append((where, body["data"]["order_id"], body["type"]))
        self.secrets.append(webhook.secrets)
        self.bodies.append(body)
        failing = where in self.down or body["data"]["order_id"] in self.refused
        return NotDelivered("status 500", status=500) if failing else Delivered(200)


@pytest.fixture
def servers(shop: Shop) -> Servers:
    """Servers in place of the fake that remembers."""
    object.__setattr__(shop.gateway, "callbacks", found := Servers())
    return found


def send_due(shop: Shop) -> int:
    """Send what is due."""
    return deliver_due(shop.gateway, renderer(shop.gateway.settings))


def add(shop: Shop, where: str, *types: str) -> str:
    """Add an endpoint and return its id."""
    wish = Wish(event_types=types)
    made = endpoints.add_endpoint(shop.gateway, MERCHANT.merchant_id, f"http://localhost:8200/{where}", wish)
    return made.endpoint.endpoint_id


def cancelled(shop: Shop, order_id: str | None = None) -> PaymentRecord:
    """Open a payment and cancel it: one event."""
    payment = shop.open(order_id=order_id)
    cancel(shop.gateway, payment.page_token)
    return payment


def feed(shop: Shop, **choice: Any) -> list[endpoints.Event]:
    """Read the feed."""
    return endpoints.list_events(shop.gateway, MERCHANT.merchant_id, Choice(**choice))[0]


def test_an_event_tells_the_payment_as_it_was(shop: Shop, servers: Servers) -> None:
    """Id, type, time, and the payment as the API shows it, at that moment; the feed says the same."""
    payment = shop.paid()
    shop.confirm(payment)
    send_due(shop)

    first, second = servers.bodies
    assert (first["type"], second["type"]) == ("payment.authorised", "payment.confirmed")
    assert (first["data"]["state"], second["data"]["state"]) == ("authorised", "confirmed")
    assert first["data"]["confirmed_at"] is None
    assert first["data"]["card"]["masked_pan"].startswith("999002******")
    assert first["data"]["page_url"].startswith("http://localhost:8000/pay/")
    assert first["id"].startswith("evt_")
    assert first["created_at"] == first["timestamp"]
    assert [event.event_id for event in feed(shop)] == [first["id"], second["id"]]


def test_f23_events_of_a_payment_keep_their_order_and_others_pass(shop: Shop, servers: Servers) -> None:
    """F23: what follows at the same endpoint waits behind a failure; other payments and endpoints do not."""
    add(shop, "other")
    payment = shop.paid()
    servers.refused.add(payment.order_id)
    servers.down.add("webhooks")
    shop.confirm(payment)
    send_due(shop)
    servers.down.clear()
    servers.refused.clear()
    passing = cancelled(shop)
    send_due(shop)

    own = [heard for heard in servers.heard if heard[1] == payment.order_id]
    assert sorted(own) == [
        ("other", payment.order_id, "payment.authorised"),
        ("webhooks", payment.order_id, "payment.authorised"),
    ]
    assert ("webhooks", passing.order_id, "payment.cancelled") in servers.heard
    shop.later(10)
    send_due(shop)
    for where in ("webhooks", "other"):
        types = [kind for at, order, kind in servers.heard if at == where and order == payment.order_id]
        assert types == ["payment.authorised", "payment.authorised", "payment.confirmed"]


def test_f23_an_event_that_comes_later_waits_behind_a_back_off(shop: Shop, servers: Servers) -> None:
    """F23: also when it becomes true while the earlier one waits for its next try."""
    servers.down.add("webhooks")
    payment = shop.paid()
    send_due(shop)
    shop.confirm(payment)

    assert shop.rows("SELECT count(DISTINCT due_at) FROM webhook_delivery") == [(1,)]
    servers.down.clear()
    assert send_due(shop) == 0
    shop.later(10)
    assert send_due(shop) == 2


def test_f23_a_backlog_of_one_endpoint_is_no_queue_for_another(shop: Shop, servers: Servers) -> None:
    """F23: a claim takes one delivery per endpoint, and slow endpoints are in a lane of their own."""
    add(shop, "other")
    for _ in range(5):
        cancelled(shop)
    servers.down.add("webhooks")

    first = take(shop.gateway, Pace.QUICK, 8)
    assert len({delivery.endpoint_id for delivery in first}) == len(first) == 2
    for delivery in first:
        deliver(shop.gateway, delivery, renderer(shop.gateway.settings))
    assert {delivery.url.rsplit("/", 1)[1] for delivery in take(shop.gateway, Pace.QUICK, 8)} == {"other"}
    held = take(shop.gateway, Pace.SLOW, 8)
    assert {delivery.endpoint_id for delivery in held} == {FIRST}
    assert take(shop.gateway, Pace.SLOW, 8, held) == []


def test_f23_an_endpoint_that_answers_again_leaves_the_slow_lane(shop: Shop, servers: Servers) -> None:
    """F23: one success is enough."""
    servers.down.add("webhooks")
    cancelled(shop)
    send_due(shop)
    assert shop.rows("SELECT slow, failures FROM webhook_endpoint") == [(True, 1)]
    servers.down.clear()
    cancelled(shop)
    send_due(shop)
    assert shop.rows("SELECT slow, failures, failing_since FROM webhook_endpoint") == [(False, 0, None)]


def test_f24_a_lost_lease_sends_the_same_event_again_and_writes_once(shop: Shop, servers: Servers) -> None:
    """F24: who took over writes the result; the late one's is refused; both carry one id."""
    cancelled(shop)
    (lost,) = take(shop.gateway, Pace.QUICK, 8)
    assert take(shop.gateway, Pace.QUICK, 8) == []
    shop.later(60)
    (again,) = take(shop.gateway, Pace.QUICK, 8)
    deliver(shop.gateway, again, renderer(shop.gateway.settings))
    servers.down.add("webhooks")
    deliver(shop.gateway, lost, renderer(shop.gateway.settings))

    assert servers.bodies[0]["id"] == servers.bodies[1]["id"]
    assert shop.rows("SELECT state, tries FROM webhook_delivery") == [("delivered", 2)]
    assert shop.rows("SELECT number, status FROM webhook_attempt ORDER BY number") == [(1, 500), (2, 200)]


def test_f23_after_three_days_the_event_is_dead_and_its_owner_told(shop: Shop, servers: Servers) -> None:
    """F23: it stays in the feed, the feed says that it was not heard, and what follows goes on."""
    servers.down.add("webhooks")
    payment = shop.paid()
    shop.confirm(payment)
    seconds = 0.0
    while shop.rows("SELECT 1 FROM webhook_delivery WHERE tries > 0 AND state = 'waiting'") or seconds == 0:
        seconds += 3_000
        shop.later(seconds)
        send_due(shop)
        assert seconds < 4 * DAY
    authorised, confirmed, undelivered = feed(shop)[:3]
    assert seconds > GIVE_UP_SECONDS - 9 * 3_600
    assert (undelivered.type, undelivered.facts["event_id"]) == (UNDELIVERED, authorised.event_id)
    assert undelivered.facts["error"] == "status 500"
    assert confirmed.type == "payment.confirmed"
    assert shop.rows("SELECT DISTINCT endpoint_id FROM webhook_delivery") == [(FIRST,)]

    servers.down.clear()
    assert endpoints.redeliver_event(shop.gateway, MERCHANT.merchant_id, authorised.event_id) == 1
    assert send_due(shop) >= 1
    assert shop.rows("SELECT state FROM webhook_delivery ORDER BY number LIMIT 1") == [("delivered",)]


def test_gone_ends_an_event_at_once(shop: Shop) -> None:
    """410: not tried again, and told in the feed."""
    cancelled(shop)
    shop.callbacks.will(NotDelivered("status 410", gone=True, status=410))
    shop.work()
    assert shop.rows("SELECT state, tries FROM webhook_delivery") == [("dead", 1)]
    assert [event.type for event in feed(shop)] == ["payment.cancelled", UNDELIVERED]


def test_f23_an_outage_of_a_week_disables_the_endpoint_with_a_record(shop: Shop, servers: Servers) -> None:
    """F23: never before, never without a try that failed at its end; the feed and the row say why."""
    servers.down.add("webhooks")
    for day in range(9):
        shop.later(day * DAY)
        cancelled(shop)
        send_due(shop)
        enabled = shop.rows("SELECT enabled FROM webhook_endpoint")[0][0]
        assert enabled == (day < 7)

    notice = next(event for event in feed(shop) if event.type == ENDPOINT_DISABLED)
    assert notice.facts["endpoint_id"] == FIRST
    assert shop.rows("SELECT disabled_why FROM webhook_endpoint") == [("failing",)]
    assert len([event for event in feed(shop) if event.type == ENDPOINT_DISABLED]) == 1

    servers.down.clear()
    endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, Wish(enabled=True))
    assert send_due(shop) > 0
    assert shop.rows("SELECT failures, disabled_at FROM webhook_endpoint") == [(0, None)]


def test_one_failure_long_ago_disables_nothing(shop: Shop, servers: Servers) -> None:
    """F23: a week counts from the first failure without any success after it."""
    servers.down.add("webhooks")
    cancelled(shop)
    send_due(shop)
    servers.down.clear()
    shop.later(60)
    send_due(shop)
    servers.down.add("webhooks")
    shop.later(8 * DAY)
    cancelled(shop)
    send_due(shop)
    assert shop.rows("SELECT enabled FROM webhook_endpoint") == [(True,)]


def test_f23_when_an_outage_ends_what_waits_is_sent_soon(shop: Shop, servers: Servers) -> None:
    """F23: a day's back-off is cut short once the endpoint answers again; a lone failure's is not."""
    servers.down.add("webhooks")
    for _ in range(6):
        cancelled(shop)
    seconds = 0
    for wait in (0, 10, 50, 200, 1_000, 3_000):
        seconds += wait
        shop.later(seconds)
        send_due(shop)
    servers.down.clear()
    shop.sweep()
    assert send_due(shop) == 0
    cancelled(shop)
    assert send_due(shop) == 1
    shop.sweep()
    shop.later(seconds + 40)
    assert send_due(shop) == 6


def test_an_endpoint_that_is_enabled_again_hears_soon_what_waited_for_hours(shop: Shop, servers: Servers) -> None:
    """Whoever mends a server and enables it does not wait for the back-off of its last failure."""
    servers.down.add("webhooks")
    cancelled(shop)
    seconds = 0
    for wait in (0, 10, 50, 200, 1_000, 3_000, 5_000, 10_000):
        seconds += wait
        shop.later(seconds)
        send_due(shop)
    endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, Wish(enabled=False))
    servers.down.clear()
    endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, Wish(enabled=True))

    shop.sweep()
    shop.later(seconds + 40)
    assert send_due(shop) == 1
    assert shop.rows("SELECT state FROM webhook_delivery") == [("delivered",)]


def test_an_event_refused_by_an_endpoint_that_is_well_keeps_its_back_off(shop: Shop, servers: Servers) -> None:
    """A poisoned event is not sent again with each success of the others."""
    servers.refused.add("poison")
    cancelled(shop, "poison")
    for number in range(6):
        send_due(shop)
        cancelled(shop, f"fine-{number}")
    shop.sweep()
    shop.later(1)
    send_due(shop)
    assert [heard[1] for heard in servers.heard].count("poison") == 1


def test_endpoints_hear_what_they_asked_for_while_they_are_enabled(shop: Shop, servers: Servers) -> None:
    """Types choose; a disabled endpoint gets nothing new but keeps what waits; a removed one gets nothing."""
    picky = add(shop, "picky", "payment.confirmed")
    payment = shop.paid()
    endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, Wish(enabled=False))
    shop.confirm(payment)
    send_due(shop)
    assert servers.heard == [("picky", payment.order_id, "payment.confirmed")]
    row = endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, Wish(enabled=True))
    assert (row.enabled, row.disabled_why) == (True, None)
    send_due(shop)
    assert servers.heard[1:] == [("webhooks", payment.order_id, "payment.authorised")]

    cancelled(shop)
    endpoints.remove_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST)
    assert send_due(shop) == 0
    assert shop.rows("SELECT last_error FROM webhook_delivery WHERE state = 'dead'") == [("endpoint removed",)]
    assert [each.endpoint_id for each in endpoints.list_endpoints(shop.gateway, MERCHANT.merchant_id)] == [picky]
    with pytest.raises(EndpointNotFound):
        endpoints.remove_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST)


def test_everything_since_a_time_is_sent_again(shop: Shop, servers: Servers) -> None:
    """To one endpoint, its own types, under the same ids; also what it never got because it did not exist."""
    payment = shop.paid()
    send_due(shop)
    late = add(shop, "late", "payment.authorised", "payment.cancelled")
    cancelled(shop)
    shop.confirm(payment)
    send_due(shop)
    heard = len(servers.heard)

    done = endpoints.redeliver_since(shop.gateway, MERCHANT.merchant_id, late, EPOCH)
    assert (done.queued, done.until) == (2, feed(shop)[1].created_at)
    send_due(shop)
    assert [kind for _, _, kind in servers.heard[heard:]] == ["payment.authorised", "payment.cancelled"]
    future = dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    assert endpoints.redeliver_since(shop.gateway, MERCHANT.merchant_id, late, future).queued == 0
    with pytest.raises(EndpointNotFound):
        endpoints.redeliver_since(shop.gateway, MERCHANT.merchant_id, "whe_none", EPOCH)


def test_f21_a_rotation_has_an_overlap_of_two_secrets(shop: Shop, servers: Servers) -> None:
    """F21: both sign until it ends; a third is refused meanwhile, unless the old ones are ended at once."""
    rotate = endpoints.rotate_secret
    made = rotate(shop.gateway, MERCHANT.merchant_id, FIRST, overlap_seconds=3_600)
    with pytest.raises(RotationRunning):
        rotate(shop.gateway, MERCHANT.merchant_id, FIRST, overlap_seconds=3_600)
    cancelled(shop)
    send_due(shop)
    assert [secret.reveal() for secret in servers.secrets[-1]] == [made.secret, WEBHOOK_SECRET]

    shop.later(3_700)
    cancelled(shop)
    send_due(shop)
    assert [secret.reveal() for secret in servers.secrets[-1]] == [made.secret]
    shop.sweep()
    assert shop.rows("SELECT previous_secret_sealed FROM webhook_endpoint") == [(None,)]

    rotate(shop.gateway, MERCHANT.merchant_id, FIRST, overlap_seconds=3_600)
    leaked = rotate(shop.gateway, MERCHANT.merchant_id, FIRST, overlap_seconds=0)
    cancelled(shop)
    send_due(shop)
    assert [secret.reveal() for secret in servers.secrets[-1]] == [leaked.secret]


def test_endpoints_are_few_and_have_addresses_of_their_own(shop: Shop) -> None:
    """Sixteen, each address once; one that was removed may come back."""
    second = add(shop, "again")
    with pytest.raises(DuplicateEndpoint):
        add(shop, "again")
    wish = Wish(url="http://localhost:8200/again")
    with pytest.raises(DuplicateEndpoint):
        endpoints.change_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST, wish)
    endpoints.remove_endpoint(shop.gateway, MERCHANT.merchant_id, second)
    add(shop, "again")
    for number in range(ENDPOINTS_MAX - 2):
        add(shop, f"n{number}")
    with pytest.raises(TooManyEndpoints):
        add(shop, "one-more")


def test_another_merchants_endpoints_and_events_are_not_there(shop: Shop) -> None:
    """Nothing of one merchant is read or changed by another."""
    stranger = "000000000000002"
    cancelled(shop)
    (event,) = feed(shop)
    assert endpoints.list_endpoints(shop.gateway, stranger) == []
    assert endpoints.list_events(shop.gateway, stranger, Choice()) == ([], False)
    for refused in (
        lambda: endpoints.get_event(shop.gateway, stranger, event.event_id),
        lambda: endpoints.deliveries_of(shop.gateway, stranger, event.event_id),
        lambda: endpoints.redeliver_event(shop.gateway, stranger, event.event_id),
        lambda: endpoints.list_events(shop.gateway, stranger, Choice(after=event.event_id)),
    ):
        with pytest.raises(EventNotFound):
            refused()
    for refused_endpoint in (
        lambda: endpoints.change_endpoint(shop.gateway, stranger, FIRST, Wish(enabled=False)),
        lambda: endpoints.rotate_secret(shop.gateway, stranger, FIRST, overlap_seconds=0),
        lambda: endpoints.merchant_of_endpoint(shop.gateway, "whe_none"),
    ):
        with pytest.raises(EndpointNotFound):
            refused_endpoint()
    assert endpoints.merchant_of_endpoint(shop.gateway, FIRST) == MERCHANT.merchant_id


def test_a_merchant_without_endpoint_has_a_feed(shop: Shop, servers: Servers) -> None:
    """Nothing is sent, and nothing is forgotten."""
    endpoints.remove_endpoint(shop.gateway, MERCHANT.merchant_id, FIRST)
    cancelled(shop)
    assert send_due(shop) == 0
    assert servers.heard == []
    assert [event.type for event in feed(shop)] == ["payment.cancelled"]


def test_the_same_happening_has_one_event(shop: Shop) -> None:
    """The id follows from type and payment; told again it is the same row."""
    payment = cancelled(shop)
    sweep = f"SELECT event_id FROM webhook_event WHERE payment_id = '{payment.payment_id}'"
    before = shop.rows(sweep)
    shop.change("UPDATE payment SET state = 'open'")
    cancel(shop.gateway, payment.page_token)
    assert shop.rows(sweep) == before
    assert shop.rows("SELECT count(*) FROM webhook_delivery") == [(1,)]
