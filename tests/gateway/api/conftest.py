"""The merchant API over a real socket, and the same without one."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient
from werkzeug.serving import make_server

from gateway.app import create_app
from tests.fakes.shop import Shop


@pytest.fixture
def client(shop: Shop) -> FlaskClient:
    """The merchant's server."""
    return create_app(gateway=shop.gateway).test_client()


@pytest.fixture
def address(shop: Shop) -> Iterator[str]:
    """A running server's address; what it says of itself is that address."""
    server = make_server("127.0.0.1", 0, create_app(gateway=shop.gateway), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
