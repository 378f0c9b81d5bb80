"""Threads that send webhooks are shared: among merchants, and among endpoints that all wait."""

from __future__ import annotations

from gateway.api.events import renderer
from gateway.services.deliver import SHARES, Pace, deliver, take
from tests.fakes.shop import Shop
from tests.gateway.services.test_webhooks import Servers, add, cancelled
from tests.gateway.services.test_webhooks import servers as servers


def test_f23_one_merchant_holds_its_share_however_many_endpoints_it_has(shop: Shop) -> None:
    """F23: what hangs at one merchant leaves threads to the others, in the lane of the quick and of the slow."""
    for number in range(9):
        add(shop, f"n{number}")
    for _ in range(2):
        cancelled(shop)

    for pace, slow in ((Pace.QUICK, False), (Pace.SLOW, True)):
        shop.change("UPDATE webhook_endpoint SET slow = :slow", slow=slow)
        shop.change("UPDATE webhook_delivery SET leased_until = NULL")
        held = take(shop.gateway, pace, 3)
        for _ in range(3):
            held += take(shop.gateway, pace, 12, held)
        assert len(held) == SHARES[pace].per_merchant


def test_f23_where_many_endpoints_wait_each_has_its_turn(shop: Shop, servers: Servers) -> None:
    """F23: with one thread for three endpoints, none of which has its backlog ever worked off, a lot decides."""
    add(shop, "second")
    add(shop, "third")
    for _ in range(25):
        cancelled(shop)
    for _ in range(25):
        (taken,) = take(shop.gateway, Pace.QUICK, 1)
        deliver(shop.gateway, taken, renderer(shop.gateway.settings))

    assert {where for where, _, _ in servers.heard} == {"webhooks", "second", "third"}
