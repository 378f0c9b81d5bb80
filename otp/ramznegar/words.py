"""What a sentence is; :mod:`otp.ramznegar.wording` has them all."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One thing to say, in both languages."""

    fa: str
    en: str
