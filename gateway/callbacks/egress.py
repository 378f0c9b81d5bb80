"""Where a webhook may go: public addresses only, looked up once and connected to as looked up (no DNS rebinding)."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import threading
from collections.abc import Callable

LOOK_UP_SECONDS = 3.0
ADDRESSES_TRIED = 3
GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
REFUSED = tuple(
    map(
        ipaddress.ip_network,
        (
            "192.0.0.0/24",  # protocol assignments; a cloud keeps its metadata there
            "192.88.99.0/24",  # 6to4 relays
            "168.63.129.16/32",  # a cloud's own services, at an address that looks public
            "2001::/23",  # protocol assignments, Teredo among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4: an IPv4 address inside
            "3fff::/20",  # documentation
        ),
    )
)

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
LookUp = Callable[[str, int], list[str]]


class Refused(Exception):
    """The address may not be called, or is not known; the message says which, and nothing was sent."""


def system_look_up(host: str, port: int) -> list[str]:
    """Ask the system's resolver."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


def addresses_of(
    host: str, port: int, *, allow_loopback: bool, look_up: LookUp, seconds: float = LOOK_UP_SECONDS
) -> list[str]:
    """Return the addresses of a host, every one of them public, to connect to in this order.

    ``allow_loopback`` adds this machine, for a sandbox whose shop runs beside its gateway; the resolver is waited for
    so many ``seconds``.

    Raises:
        Refused: the host is unknown, the resolver is silent, or one of its addresses is not public.
    """
    found = [_address(text) for text in _within(seconds, lambda: look_up(host, port))]
    if not found:
        raise Refused("address is not known")
    if not all(is_public(each) or (allow_loopback and each.is_loopback) for each in found):
        raise Refused("address is not public")
    return [str(each) for each in dict.fromkeys(found)][:ADDRESSES_TRIED]


def is_public(address: Address) -> bool:
    """Tell whether an address is somebody else's on the internet: no private, local, shared, tunnelled or group one."""
    if any(address in network for network in REFUSED if network.version == address.version):
        return False
    if isinstance(address, ipaddress.IPv6Address):
        return address in GLOBAL_UNICAST and address.is_global
    return address.is_global and not address.is_multicast and not address.is_reserved


def _address(text: str) -> Address:
    address = ipaddress.ip_address(text.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _within(seconds: float, look_up: Callable[[], list[str]]) -> list[str]:
    """Wait for a resolver that knows no time-out in a thread that may be left behind; it ends by itself."""
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError, UnicodeError):
            found.extend(look_up())

    thread = threading.Thread(target=ask, name="look-up", daemon=True)
    thread.start()
    thread.join(seconds)
    return list(found)
