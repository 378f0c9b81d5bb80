"""Issuers: which bank gave this card, by the longest BIN prefix that matches.

>>> directory = IssuerDirectory.of([("999002", "two")])
>>> directory.find("9990021234567890")
'two'
>>> real_bank_of("6219861034529007")
RealBank(name_fa='سامان', name_en='Saman')
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

BIN_LENGTHS = range(8, 5, -1)
SANDBOX_PREFIX = "9990"
X509_DIALECTS = frozenset({"harim-v1-soap", "tosan-yaghut"})
"""Dialects whose messages are signed by certificate instead of a bare key."""
RECOVERY_PER_SECOND = 10
RECOVERY_BURST = 20
"""Our own choice until a bank names its numbers: a tenth of what a small host carries, so that purchases go on."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """A bank that gives cards, and how its Harim service and authorisation host are reached.

    Args:
        harim_key_id: id of the key that signs this issuer's answers; ``harim_public_key`` is its 32 raw bytes. Both
            are empty where the dialect signs by certificate.
        harim_certificates: PEM of the certificates that sign its SOAP answers, one after the other; two may live at a
            time while the issuer changes its key (D41).
        keeps_tombstones: its host refuses an original that arrives after its reversal, so that 914 ends a
        reversal (D3).
        recovery_per_second: inquiries and reversals it gets per second, over all our processes (F19).
        recovery_burst: so many at once after a rest.
        switch_of: the issuer whose ISO 8583 link and keys its messages take, where one bank's cards are in several
            rows because its Harim service is reached in several ways; ``None`` for a link of its own.
    """

    issuer_id: str
    name_fa: str
    name_en: str
    harim_dialect: str
    harim_url: str
    harim_key_id: str
    harim_public_key: bytes
    harim_timeout_ms: int
    switch_host: str
    switch_port: int
    switch_timeout_ms: int
    code_life_seconds: int
    resend_wait_seconds: int
    keeps_tombstones: bool
    recovery_per_second: int = RECOVERY_PER_SECOND
    recovery_burst: int = RECOVERY_BURST
    active: bool = True
    harim_certificates: str = ""
    switch_of: str | None = None

    @property
    def link_id(self) -> str:
        """Name the link to its host: keys and connection are the link's."""
        return self.switch_of or self.issuer_id


@dataclass(frozen=True, slots=True)
class Pause:
    """An issuer's new business is stopped: since when, by whom, and why."""

    since: dt.datetime
    by: str
    reason: str


class IssuerDirectory(Generic[T]):
    """BIN prefixes of six to eight digits and what they point at; the longest match wins."""

    def __init__(self, by_prefix: dict[str, T]) -> None:
        self._by_prefix = by_prefix

    @classmethod
    def of(cls, rows: Iterable[tuple[str, T]]) -> IssuerDirectory[T]:
        """Build a directory from rows of (prefix, issuer)."""
        return cls(dict(rows))

    def find(self, digits: str) -> T | None:
        """Return the issuer of a card number (or its first eight digits), if any."""
        for length in BIN_LENGTHS:
            if (found := self._by_prefix.get(digits[:length])) is not None:
                return found
        return None

    def items(self) -> tuple[tuple[str, T], ...]:
        """Return every (prefix, issuer)."""
        return tuple(self._by_prefix.items())


@dataclass(frozen=True, slots=True)
class RealBank:
    """A bank of the real network, by the names its customers know."""

    name_fa: str
    name_en: str


_REAL_BANKS: tuple[tuple[str, str, str], ...] = (
    ("ملی", "Melli", "603799 170019 636214"),
    ("ملت", "Mellat", "610433 991975"),
    ("صادرات", "Saderat", "603769 903769"),
    ("تجارت", "Tejarat", "627353 585983"),
    ("سپه", "Sepah", "589210 604932 627381 639599 636949 639370 505801"),
    ("کشاورزی", "Keshavarzi", "603770 639217"),
    ("مسکن", "Maskan", "628023"),
    ("رفاه", "Refah", "589463"),
    ("پست بانک", "Post Bank", "627760"),
    ("صنعت و معدن", "Industry and Mine", "627961"),
    ("توسعه صادرات", "Export Development", "627648 207177"),
    ("توسعه تعاون", "Tosee Taavon", "502908"),
    ("موسسه اعتباری توسعه", "Tosee Credit Institution", "628157"),
    ("پارسیان", "Parsian", "622106 627884 639194"),
    ("پاسارگاد", "Pasargad", "502229 639347 502249"),
    ("اقتصاد نوین", "Eghtesad Novin", "627412"),
    ("سامان", "Saman", "621986"),
    ("بلوبانک", "Blu", "62198618 62198619"),
    ("کارآفرین", "Karafarin", "627488 502910"),
    ("سرمایه", "Sarmayeh", "639607"),
    ("سینا", "Sina", "639346"),
    ("شهر", "Shahr", "502806 504706"),
    ("دی", "Dey", "502938"),
    ("گردشگری", "Gardeshgari", "505416 505426"),
    ("ایران زمین", "Iran Zamin", "505785"),
    ("رسالت", "Resalat", "504172"),
    ("مهر ایران", "Mehr Iran", "606373"),
    ("خاورمیانه", "Middle East", "585947 505809"),
    ("ملل", "Melal", "606256"),
    ("نور", "Noor", "507677"),
    ("ایران‌ونزوئلا", "Iran-Venezuela", "581874"),
    ("بانک مرکزی", "Central Bank", "636795 636797"),
)

REAL_BANKS: IssuerDirectory[RealBank] = IssuerDirectory.of(
    (prefix, RealBank(name_fa, name_en)) for name_fa, name_en, prefixes in _REAL_BANKS for prefix in prefixes.split()
)
"""BINs of the real network with the bank that owns them now (mergers applied)."""


def real_bank_of(digits: str) -> RealBank | None:
    """Return the real bank that gave this card, if its BIN is known."""
    return REAL_BANKS.find(digits)


def is_sandbox_card(digits: str) -> bool:
    """Tell whether the card belongs to one of the fictional banks."""
    return digits.startswith(SANDBOX_PREFIX)
