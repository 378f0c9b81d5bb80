"""Cursors: where a page ended, opaque to the caller and good only for the list and filters it came from.

A cursor needs no signature: a forged one leads to another place in the caller's own list and nowhere else.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import re
import struct

from gateway.domain.errors import InvalidCursor
from gateway.services.read_payment import Position

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND = dt.timedelta(microseconds=1)
_DIGEST_BYTES = 8
_HEAD = struct.Struct(f">{_DIGEST_BYTES}sq")
_ID = re.compile(rb"[\x21-\x7e]{1,64}")


def cursor_of(position: Position, *, within: str) -> str:
    """Write a position in the list that ``within`` describes (its path and filters)."""
    micros = (position.at - _EPOCH) // _MICROSECOND
    packed = _HEAD.pack(_digest(within), micros) + position.payment_id.encode()
    return base64.urlsafe_b64encode(packed).decode().rstrip("=")


def position_of(cursor: str, *, within: str) -> Position:
    """Read a cursor of the list that ``within`` describes.

    Raises:
        InvalidCursor: it is damaged, or of another list or other filters.
    """
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        digest, micros = _HEAD.unpack_from(packed)
        at = _EPOCH + micros * _MICROSECOND
    except (ValueError, struct.error, OverflowError):
        raise InvalidCursor("this is no cursor of this list") from None
    payment_id = packed[_HEAD.size :]
    if digest != _digest(within):
        raise InvalidCursor("this cursor belongs to another list or other filters; keep the filters while paging")
    if not _ID.fullmatch(payment_id):
        raise InvalidCursor("this is no cursor of this list")
    return Position(at, payment_id.decode())


def _digest(within: str) -> bytes:
    return hashlib.sha256(within.encode()).digest()[:_DIGEST_BYTES]
