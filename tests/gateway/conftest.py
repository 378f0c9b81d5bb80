"""The gateway on a real database, with fakes only where the outside is really outside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from foundation.database import Database
from foundation.flood import FloodControl
from gateway.config import Settings
from gateway.services.gateway import Gateway
from gateway.store.directory import Directory
from tests.fakes.callbacks import FakeCallbacks
from tests.fakes.harim import FakeHarim
from tests.fakes.shop import Shop, keyring
from tests.fakes.switch import FakeSwitch
from tests.fakes.top_ups import FakeTopUps


@pytest.fixture
def settings() -> Settings:
    """The sandbox's settings."""
    return Settings(
        database_url=SecretStr("postgresql+psycopg://unused"),
        key_file=Path("unused"),
        public_url="http://localhost:8000",
        mode="sandbox",
        psp_id="pooya",
        acquirer_id="581672",
        signing_key_id="pooya-1",
        directory_seconds=60,
        api_calls_per_minute=100_000,
        page_calls_per_minute=100_000,
        unchallenged_pin_requests=100_000,
    )


@pytest.fixture
def shop(settings: Settings, gateway_database: Database, gateway_owner_database: Database) -> Iterator[Shop]:
    """One merchant, one issuer, and a house clock that is put right afterwards."""
    switch, harim, callbacks = FakeSwitch(), FakeHarim(), FakeCallbacks()
    gateway = Gateway(
        settings=settings,
        database=gateway_database,
        keyring=keyring(),
        directory=Directory(gateway_database, seconds=settings.directory_seconds),
        harim=harim,
        switch=switch,
        callbacks=callbacks,
        top_ups=FakeTopUps(),
        flood=FloodControl(None, workers=1),
    )
    world = Shop(gateway, switch, harim, callbacks, gateway_owner_database)
    world.in_the_present()
    yield world
    world.in_the_present()
