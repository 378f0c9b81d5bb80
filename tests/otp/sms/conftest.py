"""What the tests of SMS providers share."""

from __future__ import annotations

import socket

import pytest


@pytest.fixture
def port() -> int:
    """Give a free port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
