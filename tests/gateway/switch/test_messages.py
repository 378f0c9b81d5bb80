"""PIN block and MAC of the gateway refuse what does not fit, without saying what it was (D22, D38)."""

from __future__ import annotations

import pytest

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.switch.mac import mac_of
from gateway.switch.pin_block import PinRefused, seal_pin

PAN = Pan.parse("6219861034529007")


@pytest.mark.parametrize("pin", ["123", "1234567890123", "12a4", "۱۲۳۴۵"])
def test_d22_a_pin_is_four_to_twelve_digits(pin: str) -> None:
    """Anything else is refused, and the refusal does not quote it."""
    with pytest.raises(PinRefused) as refusal:
        seal_pin(Sensitive(bytes(24)), Sensitive(pin), PAN)

    assert pin not in str(refusal.value)


def test_keys_of_another_size_are_refused() -> None:
    """A PIN key is 24 bytes, a MAC key 16."""
    with pytest.raises(ValueError, match="24 bytes"):
        seal_pin(Sensitive(bytes(16)), Sensitive("12345"), PAN)
    with pytest.raises(ValueError, match="16 bytes"):
        mac_of(bytes(24), b"")
