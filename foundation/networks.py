"""Lists of networks, as settings and files of providers have them, and whether an address is in one."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address

Networks = tuple[IPv4Network | IPv6Network, ...]


def within(address: str | None, networks: Networks) -> bool:
    """Tell whether an address is in one of the networks; what is no address, a local socket say, is in none.

    A socket that serves both families calls an IPv4 peer ``::ffff:10.8.0.4``: that is 10.8.0.4 (RFC 4291, 2.5.5.2).
    """
    try:
        known = ip_address(address or "")
    except ValueError:
        return False
    mapped = known.ipv4_mapped if isinstance(known, IPv6Address) else None
    return any(known in network or (mapped is not None and mapped in network) for network in networks)
