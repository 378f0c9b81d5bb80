"""Readiness by named part: what is needed makes a process unready, Redis never does."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from foundation.database import Database
from foundation.keys import Keyring
from foundation.wake import Wake
from gateway.app import create_app
from gateway.domain import purposes
from gateway.services.gateway import Gateway
from gateway.store.directory import Directory
from tests.fakes.shop import Shop

NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


def ask(gateway: Gateway) -> FlaskClient:
    """Build the application around a gateway."""
    return create_app(gateway=gateway).test_client()


def test_d20_a_redis_that_is_away_is_reported_and_changes_nothing(shop: Shop, redis_url: str) -> None:
    """D20: up or down, the process stays ready."""
    for url, word in ((redis_url, "up"), ("redis://127.0.0.1:1/0", "down")):
        answer = ask(replace(shop.gateway, wake=Wake(url, "test"))).get("/readyz")
        assert (answer.status_code, answer.get_json()["redis"]) == (200, word)


@pytest.mark.parametrize("part", ["database", "keys", "directory"])
def test_a_part_that_is_missing_is_named(shop: Shop, part: str) -> None:
    """503 with the part's name; the process itself is up."""
    gone = Database(NOWHERE, pool_size=1)
    missing: dict[str, Gateway] = {
        "database": replace(shop.gateway, database=gone),
        "keys": replace(shop.gateway, keyring=Keyring([])),
        "directory": replace(shop.gateway, directory=Directory(gone, seconds=0)),
    }
    client = ask(missing[part])
    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()[part] == "down"
    assert client.get("/healthz").status_code == 200
    gone.close()


@pytest.mark.parametrize("purpose", purposes.ALL)
def test_no_purpose_may_be_without_a_key(shop: Shop, purpose: str) -> None:
    """A key that is missed only after the money would be missed too late."""
    others = [key for each in purposes.ALL if each != purpose for key in shop.gateway.keyring.of_purpose(each)]
    answer = ask(replace(shop.gateway, keyring=Keyring(others))).get("/readyz")

    assert (answer.status_code, answer.get_json()["keys"]) == (503, "down")
