"""What a sentence of the sandbox's own pages is: the same thing in Persian and in English."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One thing to say, in both languages."""

    fa: str
    en: str
