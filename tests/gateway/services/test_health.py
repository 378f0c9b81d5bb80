"""Issuer health as a process knows it: from its gates and the directory, calling nobody."""

from __future__ import annotations

import dataclasses
from contextlib import ExitStack

import pytest

from gateway.bulkhead import Gates
from gateway.domain.breaker import SILENCES_MAX, Heard
from gateway.domain.health import Health
from gateway.services import health
from gateway.services.enrol import add_issuer
from gateway.services.gateway import Gateway
from gateway.services.pause_issuer import pause
from gateway.services.readiness import readiness
from tests.fakes.counting import counting
from tests.fakes.shop import ISSUER, Shop

ROOM = 4


@pytest.fixture
def ways() -> tuple[Gates, Gates]:
    """The ways to the issuers."""
    return Gates("harim", room=ROOM), Gates("switch", room=ROOM)


@pytest.fixture
def gateway(shop: Shop, ways: tuple[Gates, Gates]) -> Gateway:
    """A gateway with two issuers whose gates a test can hold."""
    add_issuer(shop.gateway, dataclasses.replace(ISSUER, issuer_id="three"), ("999004",))
    return dataclasses.replace(shop.gateway, gates=ways)


def test_f18_each_issuer_has_its_own_health(gateway: Gateway, ways: tuple[Gates, Gates]) -> None:
    """Full places make one slow, silence makes one down, and both leave the other and the process as they are."""
    assert health.of_all(gateway) == {"two": Health.HEALTHY, "three": Health.HEALTHY}
    with ExitStack() as held:
        for _ in range(ROOM // 2):
            held.enter_context(ways[0].of("two").admitted())
        assert health.of_all(gateway) == {"two": Health.SLOW, "three": Health.HEALTHY}
    assert health.of(gateway, "two") is Health.HEALTHY
    for _ in range(SILENCES_MAX):
        with ways[1].of("three").admitted() as visit:
            visit.heard = Heard.SILENCE
    assert health.of_all(gateway) == {"two": Health.HEALTHY, "three": Health.DOWN}
    assert all(readiness(gateway).values())


def test_health_is_read_from_memory(gateway: Gateway, ways: tuple[Gates, Gates]) -> None:
    """No statement while the directory remembers, and looking makes no gate."""
    health.of_all(gateway)
    with counting(gateway.database) as counted:
        health.of_all(gateway)
    assert counted.statements == []
    assert ways[0].reading("two") is None


def test_a_paused_issuer_says_so_and_a_removed_one_says_nothing(shop: Shop, gateway: Gateway) -> None:
    """Paused issuers stay in the list; issuers that are not active are not."""
    pause(gateway, "two", by="ali", reason="bank asked")
    add_issuer(gateway, dataclasses.replace(ISSUER, issuer_id="three", active=False), ("999004",))

    assert health.of_all(gateway) == {"two": Health.PAUSED}
    assert shop.gateway.gates == ()
