"""A gateway with two banks."""

from __future__ import annotations

import pytest

from gateway.services.enrol import add_issuer
from tests.fakes.shop import ONE, Shop


@pytest.fixture
def town(shop: Shop) -> Shop:
    """A gateway with two banks."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    return shop
