"""Which addresses a webhook may go to."""

from __future__ import annotations

import ipaddress
import threading

import pytest

from gateway.callbacks.egress import Refused, addresses_of, is_public

PRIVATE = (
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.53",
    "168.63.129.16",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "203.0.113.5",
    "224.0.0.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::ffff:8.8.8.8",
    "64:ff9b::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
)


@pytest.mark.parametrize("address", PRIVATE)
def test_f23_no_inside_address_is_public(address: str) -> None:
    """F23: every range that is not somebody else's on the internet."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["1.1.1.1", "185.143.232.1", "2606:4700::1111", "2a0e:97c0::1"])
def test_public_addresses_are_public(address: str) -> None:
    """A merchant's server is reached."""
    assert is_public(ipaddress.ip_address(address))


def test_f23_one_inside_address_among_public_ones_refuses_the_host() -> None:
    """F23: a name that points inside as well is a trick, not a choice."""
    with pytest.raises(Refused, match="not public"):
        addresses_of("x", 443, allow_loopback=True, look_up=lambda *_: ["1.1.1.1", "10.0.0.1"])


def test_a_mapped_address_is_judged_and_called_as_what_it_is() -> None:
    """``::ffff:`` in front hides no IPv4 address."""
    assert addresses_of("x", 443, allow_loopback=False, look_up=lambda *_: ["::ffff:1.1.1.1"]) == ["1.1.1.1"]
    with pytest.raises(Refused, match="not public"):
        addresses_of("x", 443, allow_loopback=False, look_up=lambda *_: ["::ffff:127.0.0.1"])


def test_a_resolver_that_is_silent_is_not_waited_for() -> None:
    """Looking up has a time-out of its own."""
    let_go = threading.Event()

    def silent(*_: object) -> list[str]:
        let_go.wait(5)
        return ["1.1.1.1"]

    with pytest.raises(Refused, match="not known"):
        addresses_of("x", 443, allow_loopback=False, look_up=silent, seconds=0.05)
    let_go.set()


def test_at_most_three_addresses_are_tried() -> None:
    """Each once, in the resolver's order."""
    many = ["1.1.1.1", "1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4"]
    found = addresses_of("x", 443, allow_loopback=False, look_up=lambda *_: many)
    assert found == ["1.1.1.1", "1.0.0.1", "8.8.8.8"]
