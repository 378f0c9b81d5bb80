"""Who holds a card, as far as somebody who wants to send money may see it (D28), and what a card is called (D25).

>>> masked_name("مریم رضایی"), card_name("0266")
('م*** ر***', 'کارت 0 2 6 6')
"""

from __future__ import annotations

import re

from otp.domain.errors import InvalidHolderName

WORDS_MAX = 4
NAME_CHARACTERS_MAX = 60
CARD_WORD = "کارت"
_STARS = "***"
_WORD = re.compile(r"[^\W\d_]+(?:[\u200c'’-][^\W\d_]+)*")
_CARD_NAME = re.compile(rf"{CARD_WORD} ([0-9]) ([0-9]) ([0-9]) ([0-9])")


def holder_place(card_name: bytes) -> str:
    """Where a sealed name belongs: it opens in no other row."""
    return f"card|holder|{card_name.hex()}"


def check_holder_name(text: str) -> str:
    """Return a name with single spaces if it is one: one to four words of letters.

    Raises:
        InvalidHolderName: when it is none.
    """
    words = text.split()
    fits = 0 < len(words) <= WORDS_MAX and sum(map(len, words)) <= NAME_CHARACTERS_MAX
    if not fits or not all(_WORD.fullmatch(word) for word in words):
        raise InvalidHolderName("a holder's name is one to four words of letters")
    return " ".join(words)


def masked_name(name: str) -> str:
    """Return the first letter of each word and three stars, which is all that leaves the bank (D28)."""
    return " ".join(word[0] + _STARS for word in name.split())


def card_name(last_four: str) -> str:
    """Return what a destination is called in a binding: its last four digits, apart, as D25 allows them."""
    return f"{CARD_WORD} {' '.join(last_four)}"


def last_four_of(payee_name: str) -> str | None:
    """Return the four digits of a name that :func:`card_name` made; ``None`` for any other.

    >>> last_four_of("کارت 0 2 6 6"), last_four_of("کارت مقصد")
    ('0266', None)
    """
    match = _CARD_NAME.fullmatch(payee_name)
    return None if match is None else "".join(match.groups())
