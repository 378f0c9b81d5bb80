"""A named proxy is believed about whom it heard; nobody else is (D29)."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from flask import Flask, request

from foundation.proxies import BehindProxies, caller

OURS = (ip_network("10.8.0.0/24"), ip_network("2001:db8::/64"))


@pytest.mark.parametrize(
    ("peer", "told", "who"),
    [
        ("10.8.0.4", "203.0.113.9", "203.0.113.9"),
        ("10.8.0.4", "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        ("10.8.0.4", "198.51.100.1,203.0.113.9, 10.8.0.7", "203.0.113.9"),
        ("10.8.0.4", "10.8.0.9,10.8.0.7", "10.8.0.9"),
        ("::ffff:10.8.0.4", "203.0.113.9", "203.0.113.9"),
        ("2001:db8::5", "2001:DB8:1::9", "2001:db8:1::9"),
        ("10.8.0.4", ",".join(["203.0.113.9"] + ["10.8.0.7"] * 10), "10.8.0.7"),
    ],
)
def test_d29_a_named_proxy_is_believed(peer: str, told: str, who: str) -> None:
    """The last word is its own; before it another's, believed only where that is a proxy of ours too."""
    assert caller(peer, told, OURS) == who


@pytest.mark.parametrize(
    ("peer", "told"),
    [
        ("203.0.113.9", "10.8.0.4"),
        ("203.0.113.9", "127.0.0.1, 10.8.0.4"),
        ("10.9.0.4", "198.51.100.1"),
        ("::ffff:10.9.0.4", "198.51.100.1"),
        ("", "198.51.100.1"),
        ("unix", "198.51.100.1"),
        ("10.8.0.4", "unknown"),
        ("10.8.0.4", "198.51.100.1:443"),
        ("10.8.0.4", "198.51.100.1, "),
        ("10.8.0.4", "," * 5000),
    ],
)
def test_d29_nobody_else_is(peer: str, told: str) -> None:
    """A stranger's own words, a neighbour's, and what is no address."""
    assert caller(peer, told, OURS) == peer
    assert caller("10.8.0.4", told, ()) == "10.8.0.4"


def test_d29_the_application_sees_the_caller() -> None:
    """By the header where there is one; without it by the socket."""
    app = Flask(__name__)
    app.add_url_rule("/", view_func=lambda: str(request.remote_addr))
    app.wsgi_app = BehindProxies(app.wsgi_app, OURS)  # type: ignore[method-assign]  # as Flask's manual says to
    client = app.test_client()

    def seen(**headers: str) -> str:
        return client.get("/", headers=headers, environ_overrides={"REMOTE_ADDR": "10.8.0.4"}).text

    assert seen() == "10.8.0.4"
    assert seen(X_Forwarded_For="203.0.113.9") == "203.0.113.9"
