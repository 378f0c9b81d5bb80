"""Whoever opens an organisation from outside, as the seed and the chaos run do, leaves the process as it was."""

from __future__ import annotations

import os

from otp.meters import Meters
from sandbox.banks import BANK_TWO
from sandbox.seed import bank_of, gateway_of
from tests.world import RunningWorld


def test_an_organisation_opened_from_outside_leaves_nothing_behind(world: RunningWorld) -> None:
    """No setting, no place for this process's numbers, and no connection, the monitor's included."""
    before = dict(os.environ)
    with bank_of(world.world, BANK_TWO) as bank, gateway_of(world.world) as gateway:
        opened = [database for database in (bank.database, bank.reader, gateway.database, gateway.reader) if database]
        assert [database.ping() for database in opened] == [True] * 4
        pools = [database.engine.pool for database in opened]
        assert [pool.checkedin() for pool in pools] == [1] * 4  # type: ignore[attr-defined]  # what a queue of them has

    assert [pool.checkedin() for pool in pools] == [0] * 4  # type: ignore[attr-defined]  # as above
    assert dict(os.environ) == before
    Meters().host_answers.labels("1804", "000").inc()
