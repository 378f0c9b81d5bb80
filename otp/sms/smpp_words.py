"""Texts as SMPP 3.4 carries them: UCS-2 in parts with a header each, receipts, and what a holder's phone sends.

Source: SMPP 3.4 (issue 1.2) and 3GPP TS 23.040, 9.2.3.24.1. Any Persian letter makes a text UCS-2: 70 units in one
part, 67 in each of several.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from otp.ports import Receipt

UCS2 = 8
PART_UNITS, SEVERAL_UNITS = 70, 67
PARTS_MOST = 10
UDHI = 0x40
"""Bit of the ESM class: the text begins with a header."""
KINDS = 0x3C
"""Bits of the ESM class that say what comes from the centre: none for a person's message, else a receipt."""

_SEVERAL = {0x00: 3, 0x08: 4}
"""The elements of a header that say which part of how many this is, and their lengths (TS 23.040, 9.2.3.24.1, .8)."""

_RECEIPT = re.compile(rb"\bid:(?P<id>[\w.-]{1,64})\b.*?\bstat:(?P<stat>[A-Z]{5,7})", re.DOTALL)
_BY_WORD: Mapping[bytes, Receipt] = {
    b"DELIVRD": Receipt.DELIVERED,
    b"EXPIRED": Receipt.UNDELIVERED,
    b"DELETED": Receipt.UNDELIVERED,
    b"UNDELIV": Receipt.UNDELIVERED,
    b"REJECTD": Receipt.UNDELIVERED,
}
_BY_STATE: Mapping[int, Receipt] = {
    2: Receipt.DELIVERED,
    3: Receipt.UNDELIVERED,
    4: Receipt.UNDELIVERED,
    5: Receipt.UNDELIVERED,
    8: Receipt.UNDELIVERED,
}
_CODECS: Mapping[int, str] = {0: "latin-1", 1: "ascii", 3: "latin-1", UCS2: "utf-16-be"}


def parts_of(text: str, number: int) -> list[bytes]:
    """Cut a text into what one ``submit_sm`` carries each; no character is cut in two.

    Args:
        text: at most ten parts long, the rest is left out.
        number: the same in every part's header, so that a phone puts them together; its lowest eight bits are used.

    >>> [len(part) for part in parts_of("ی" * 71, 1)]
    [140, 14]
    """
    if _units(text) <= PART_UNITS:
        return [text.encode("utf-16-be")]
    pieces = _pieces(text)[:PARTS_MOST]
    header = bytes((5, 0, 3, number & 0xFF, len(pieces)))
    return [header + bytes((place,)) + piece.encode("utf-16-be") for place, piece in enumerate(pieces, 1)]


def text_of(content: bytes, coding: int, *, headed: bool) -> str:
    """Read what a phone sent; letters that make no sense are replaced, for whoever reads it looks for digits only."""
    if headed and content:
        content = content[content[0] + 1 :]
    return content.decode(_CODECS.get(coding, "latin-1"), errors="replace")


def place_of(content: bytes) -> tuple[int, int]:
    """Return which part of how many a text with a header is.

    >>> place_of(bytes.fromhex("05 00 03 07 02 01 0031")), place_of(bytes.fromhex("06 08 04 07 07 03 02 0031"))
    ((1, 2), (2, 3))
    """
    header = content[1 : content[0] + 1] if content else b""
    while len(header) > 1:
        kind, size, data = header[0], header[1], header[2 : 2 + header[1]]
        if len(data) == _SEVERAL.get(kind):
            return data[-1], data[-2]
        header = header[2 + size :]
    return 1, 1


def receipt_of(content: bytes, message_id: str | None, state: int | None) -> tuple[str, Receipt] | None:
    """Read a receipt: its two optional parameters first, otherwise the text that most centres write.

    Args:
        content: ``id:… stat:…``.
        message_id: the optional parameter ``receipted_message_id``.
        state: the optional parameter ``message_state``.
    """
    written = _RECEIPT.search(content)
    name = message_id or (written["id"].decode() if written else "")
    if not name:
        return None
    if state is not None:
        return name, _BY_STATE.get(state, Receipt.WAITING)
    return name, _BY_WORD.get(written["stat"], Receipt.WAITING) if written else Receipt.WAITING


def validity(seconds: float) -> str:
    """Write a time from now as SMPP does, at least a second: a centre that is late delivers what is dead to nobody.

    >>> validity(119.8), validity(3_725), validity(-1)
    ('000000000159000R', '000000010205000R', '000000000001000R')
    """
    minutes, seconds = divmod(max(1, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"000000{hours:02}{minutes:02}{seconds:02}000R"


def _units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


def _pieces(text: str) -> list[str]:
    pieces, piece, units = [], "", 0
    for letter in text:
        size = _units(letter)
        if units + size > SEVERAL_UNITS:
            pieces.append(piece)
            piece, units = "", 0
        piece, units = piece + letter, units + size
    return [*pieces, piece]
