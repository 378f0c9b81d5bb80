"""The bank's account with a message centre, and what the centre's statuses mean."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.sensitive import Sensitive
from otp.sms.panel import Verdict, codes

STATUSES = codes(
    {
        Verdict.ACCEPTED: "0",
        Verdict.REFUSED: "11",
        Verdict.ELSEWHERE: "8 20 88",
        Verdict.UNSUITED: "1 10 67 97 98",
        Verdict.TROUBLE: "4 5 13 14 15",
    }
)
"""SMPP's command statuses in decimal: 0x0B no such number; 0x08 system, 0x14 queue full, 0x58 throttled; 0x0D to 0x0F
binding; every other is taken for a broken centre."""


@dataclass(frozen=True, slots=True)
class Centre:
    """The bank's account with a centre.

    Args:
        name: ours.
        window: parts on their way at once.
        per_second: parts sent in a second.
        source: type of number and numbering plan of the line; ``dest`` of mobiles, which are written ``98…``.
    """

    name: str
    host: str
    port: int
    system_id: Sensitive[str]
    password: Sensitive[str]
    line: str | None = None
    tls: bool = False
    system_type: str = ""
    window: int = 10
    per_second: int = 50
    source: tuple[int, int] = (0, 1)
    dest: tuple[int, int] = (1, 1)
