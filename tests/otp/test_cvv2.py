"""The bank derives CVV2 and stores none."""

from __future__ import annotations

import pytest

from foundation.pan import Pan
from otp.domain.cvv2 import cvv2_of, cvv_of

CVK = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")
PAN = Pan.parse("6219861034529007")


def test_the_derivation_is_the_published_one() -> None:
    """The well-known test vector of the schemes' algorithm gives 561."""
    assert cvv_of(CVK, "4123456789012345", "8701", "101") == "561"


def test_cvv2_is_three_digits_and_depends_on_everything() -> None:
    """Another expiry or another key gives another value for this card."""
    values = {cvv2_of(CVK, PAN, "0812"), cvv2_of(CVK, PAN, "0901"), cvv2_of(CVK[::-1], PAN, "0812")}

    assert len(values) == 3
    assert all(len(value) == 3 and value.isdigit() for value in values)


@pytest.mark.parametrize("expiry", ["081", "08123", "08-2", "۰۸۱۲"])
def test_a_malformed_expiry_is_refused(expiry: str) -> None:
    """An expiry is four ASCII digits."""
    with pytest.raises(ValueError, match="four digits"):
        cvv2_of(CVK, PAN, expiry)


def test_a_key_of_another_size_is_refused() -> None:
    """The key pair is sixteen bytes."""
    with pytest.raises(ValueError, match="16 bytes"):
        cvv2_of(CVK[:8], PAN, "0812")
