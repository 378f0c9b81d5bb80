"""What a cardholder types: the card and the secrets that belong to one submission."""

from __future__ import annotations

import re
from dataclasses import dataclass

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.domain.errors import InvalidCard

_SHAPES = {
    "cvv2": re.compile(r"[0-9]{3,4}"),
    "expiry": re.compile(r"[0-9]{2}(0[1-9]|1[0-2])"),
    "pin": re.compile(r"[0-9]{4,12}"),
}


@dataclass(frozen=True, slots=True)
class CardEntry:
    """One submission of the card page; every part but the PAN lives only as long as this value (D1).

    Args:
        pan: the card number.
        cvv2: 3–4 digits.
        expiry: ``YYMM`` as printed on the card (Jalali year).
        pin: the dynamic PIN, 4–12 digits (DE 52 format 0, D22).

    Raises:
        InvalidCard: naming the part whose shape is wrong, never its content.
    """

    pan: Pan
    cvv2: Sensitive[str] | None = None
    expiry: Sensitive[str] | None = None
    pin: Sensitive[str] | None = None

    def __post_init__(self) -> None:
        for part, shape in _SHAPES.items():
            value: Sensitive[str] | None = getattr(self, part)
            if value is not None and not shape.fullmatch(value.reveal()):
                raise InvalidCard(part)

    def missing(self) -> tuple[str, ...]:
        """Return the parts a payment needs and this submission lacks."""
        return tuple(part for part in _SHAPES if getattr(self, part) is None)
