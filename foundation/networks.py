"""Lists of networks, as settings and files of providers have them, and whether an address is in one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


def within(address: str | None, networks: Networks) -> bool:
    """Tell whether an address is in one of the networks; what is no address, a local socket say, is in none."""
    try:
        known = ip_address(address or "")
    except ValueError:
        return False
    return any(known in network for network in networks)
