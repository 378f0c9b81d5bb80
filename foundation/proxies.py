"""Whose request it is behind a proxy: the address that a named proxy saw, else the socket's own (D29)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from foundation.networks import Networks, within

DESCRIPTION = (
    'JSON list of networks, e.g. ["10.8.0.4/32"], whose proxies are believed when they write X-Forwarded-For; '
    "all limits and lists of addresses go by it"
)
"""What the setting says of itself, at the gateway and at the bank."""

_HOPS_MAX = 10
"""Proxies on one way, at most; what is written before them is not read."""


class BehindProxies:
    """A WSGI application whose ``REMOTE_ADDR`` is the caller's own address, behind proxies of these networks.

    ``X-Forwarded-For`` is read from its end, where the proxy nearest to us wrote whom it heard, for as long as the one
    who wrote is a proxy of ours. What a stranger wrote there himself is never believed.
    """

    def __init__(self, application: WSGIApplication, proxies: Networks) -> None:
        self._application = application
        self._proxies = proxies

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does."""
        peer, told = environ.get("REMOTE_ADDR", ""), environ.get("HTTP_X_FORWARDED_FOR", "")
        if told:
            environ["REMOTE_ADDR"] = caller(peer, told, self._proxies)
        return self._application(environ, start_response)


def caller(peer: str, told: str, proxies: Networks) -> str:
    """Return the address of the first who is no proxy of ours, from the socket's ``peer`` backwards through ``told``.

    A word that is no address ends the way: then it is the last address known.
    """
    address = peer
    for word in reversed(told.rsplit(",", _HOPS_MAX)[-_HOPS_MAX:]):
        if not within(address, proxies) or (before := _address(word.strip())) is None:
            break
        address = before
    return address


def _address(word: str) -> str | None:
    try:
        return str(ip_address(word))
    except ValueError:
        return None
