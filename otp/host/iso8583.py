"""ISO 8583:1993 as the bank's host reads and writes it.

The bytes are those of ``contracts/iso8583/v1`` (D37): ASCII fields, binary bitmap, raw DE 52 and DE 64. This is the
bank's own codec; the gateway has another, and the golden messages hold both to the contract.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import iso8583

from foundation.sensitive import Sensitive

FRAME_BYTES_MAX = 2048
MAC_BYTES = 8
TRACE_FIELDS = (11, 12, 32, 37, 39, 41)
_MAC_FIELD = 64
_NO_MAC = "0" * 16


class Malformed(ValueError):
    """A message breaks the contract; says which field and why, never what was in it."""

    def __init__(self, field: int | None, reason: str) -> None:
        super().__init__(f"{'message' if field is None else f'DE {field}'}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Field:
    """One row of the field table: length digits (0 = fixed), longest content in bytes, allowed content."""

    length_digits: int
    max_bytes: int
    pattern: str
    secret: bool = False
    encoding: str = "ascii"


FIELDS: Mapping[int, Field] = MappingProxyType(
    {
        2: Field(2, 19, r"[0-9]{16}", secret=True),
        3: Field(0, 6, r"[0-9]{6}"),
        4: Field(0, 12, r"[0-9]{12}"),
        11: Field(0, 6, r"[0-9]{6}"),
        12: Field(0, 12, r"[0-9]{2}(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])([01][0-9]|2[0-3])[0-5][0-9][0-5][0-9]"),
        14: Field(0, 4, r"[0-9]{2}(0[1-9]|1[0-2])", secret=True),
        17: Field(0, 4, r"(0[1-9]|1[0-2])(0[1-9]|[12][0-9]|3[01])"),
        22: Field(0, 12, r"[0-9A-Z]{12}"),
        24: Field(0, 3, r"[0-9]{3}"),
        25: Field(0, 4, r"[0-9]{4}"),
        32: Field(2, 11, r"[0-9]{6,11}"),
        37: Field(0, 12, r"[0-9A-Z]{12}"),
        38: Field(0, 6, r"[0-9A-Z]{6}"),
        39: Field(0, 3, r"[0-9]{3}"),
        41: Field(0, 8, r"[0-9A-Za-z ]{8}"),
        42: Field(0, 15, r"[0-9A-Za-z ]{15}"),
        43: Field(2, 99, r"[^\x00-\x1f\x7f|=]{1,99}", encoding="utf-8"),
        46: Field(3, 12, r"[0-9]{12}"),
        48: Field(3, 255, r"[\x20-\x7e]{1,255}", secret=True),
        49: Field(0, 3, r"364"),
        52: Field(0, 8, r"[0-9A-F]{16}", secret=True, encoding="b"),
        53: Field(2, 48, r"[a-z0-9.-]{1,23};([a-z0-9.-]{1,23})?"),
        54: Field(3, 20, r"[0-9]{2}02364[CD][0-9]{12}", secret=True),
        56: Field(2, 35, r"1200[0-9]{18}(0[6-9]|1[01])[0-9]{6,11}"),
        64: Field(0, 8, r"[0-9A-F]{16}", encoding="b"),
    }
)


@dataclass(frozen=True, slots=True)
class Layout:
    """Which fields a message type must carry and which it may; DE 53 and DE 64 are always there."""

    required: frozenset[int]
    optional: frozenset[int] = frozenset()


def _layout(required: tuple[int, ...], optional: tuple[int, ...] = ()) -> Layout:
    return Layout(frozenset((*required, 53, _MAC_FIELD)), frozenset(optional))


_PURCHASE = (2, 3, 4, 11, 12, 22, 24, 32, 37, 41, 42, 43, 46, 49)
_NOTICE = _layout((39,), (11, 12, 32, 37, 41))
LAYOUTS: Mapping[str, Layout] = MappingProxyType(
    {
        "1100": _layout((2, 3, 11, 12, 22, 24, 32, 37, 41, 42), (48, 52)),
        "1110": _layout((3, 11, 12, 32, 37, 39, 41), (43,)),
        "1200": _layout(_PURCHASE, (14, 48, 52)),
        "1201": _layout((*_PURCHASE, 48)),
        "1210": _layout((3, 4, 11, 12, 32, 37, 39, 41), (17, 38, 54)),
        "1420": _layout((2, 3, 4, 11, 12, 24, 25, 32, 37, 41, 42, 49, 56)),
        "1430": _layout((3, 4, 11, 12, 32, 37, 39, 41), (17,)),
        "1604": _layout((11, 12, 24, 32, 37, 41, 56)),
        "1614": _layout((11, 12, 32, 37, 39, 41), (4, 17, 38)),
        "1804": _layout((11, 12, 24, 32), (48,)),
        "1814": _layout((11, 12, 24, 32, 39)),
        "1144": _NOTICE,
        "1244": _NOTICE,
        "1444": _NOTICE,
        "1644": _NOTICE,
        "1844": _NOTICE,
    }
)


class Message:
    """One message: its type and its fields; the secret ones come out only as :class:`Sensitive`."""

    __slots__ = ("_fields", "mti")

    def __init__(self, mti: str, fields: Mapping[int, str]) -> None:
        self.mti = mti
        self._fields = dict(fields)

    def text(self, number: int) -> str:
        """Return a field that is no secret; a missing one is the empty text."""
        if FIELDS[number].secret:
            raise TypeError(f"DE {number} is secret; ask for it by secret()")
        return self._fields.get(number, "")

    def secret(self, number: int) -> Sensitive[str]:
        """Return a field that may not be printed (PAN, expiry, DE 48, PIN block in hex)."""
        return Sensitive(self._fields[number])

    def __contains__(self, number: int) -> bool:
        return number in self._fields

    def __repr__(self) -> str:
        shown = {number: self._fields[number] for number in TRACE_FIELDS if number in self._fields}
        return f"Message({self.mti}, {shown})"


def encode(message: Message, mac: Callable[[bytes], bytes]) -> bytes:
    """Write a message and put its MAC behind it.

    Args:
        message: its fields without DE 64.
        mac: computes the eight bytes over everything before DE 64 (MTI, bitmap with bit 64 set, fields).

    Raises:
        Malformed: when a field or the set of fields is not what the contract says.
    """
    document = {**message._fields, _MAC_FIELD: _NO_MAC}
    _check(message.mti, document)
    unsigned = _write(message.mti, document)[:-MAC_BYTES]
    return unsigned + mac(unsigned)


def decode(frame: bytes) -> Message:
    """Read a message strictly; the MAC is not judged here (see :func:`signed_part`).

    Raises:
        Malformed: with the field's number, for anything the contract does not allow.
    """
    try:
        document, _ = iso8583.decode(frame, _SPEC)
    except iso8583.DecodeError as error:
        raise Malformed(_number(error.field), "cannot be read") from None
    except KeyError as error:
        raise Malformed(_number(str(error.args[0])), "is not part of the contract") from None
    mti = document["t"]
    fields = {int(key): value for key, value in document.items() if key.isdigit()}
    _check(mti, fields)
    if _write(mti, fields) != frame:
        raise Malformed(None, "is not written in the one allowed way")
    return Message(mti, fields)


def signed_part(frame: bytes) -> tuple[bytes, bytes]:
    """Split a frame into the bytes the MAC covers and the MAC."""
    return frame[:-MAC_BYTES], frame[-MAC_BYTES:]


def _check(mti: str, fields: Mapping[int, str]) -> None:
    layout = LAYOUTS.get(mti)
    if layout is None:
        raise Malformed(None, "its type is not part of the contract")
    for number in sorted(fields):
        if number not in layout.required and number not in layout.optional:
            raise Malformed(number, "does not belong in this message")
        if re.fullmatch(FIELDS[number].pattern, fields[number]) is None:
            raise Malformed(number, "has content that is not allowed")
    for number in sorted(layout.required - fields.keys()):
        raise Malformed(number, "is missing")


def _write(mti: str, fields: Mapping[int, str]) -> bytes:
    document = {"t": mti, **{str(number): value for number, value in fields.items()}}
    try:
        frame, _ = iso8583.encode(document, _SPEC)
    except iso8583.EncodeError as error:
        raise Malformed(_number(error.field), "cannot be written") from None
    return bytes(frame)


def _number(field: str) -> int | None:
    return int(field) if field.isdigit() else None


def _spec_row(field: Field) -> dict[str, object]:
    return {
        "data_enc": field.encoding,
        "len_enc": "ascii",
        "len_type": field.length_digits,
        "max_len": field.max_bytes,
        "desc": "",
    }


_SPEC: dict[str, dict[str, object]] = {
    "h": _spec_row(Field(0, 0, "")),
    "t": _spec_row(Field(0, 4, "")),
    "p": _spec_row(Field(0, 8, "", encoding="b")),
    **{str(number): _spec_row(field) for number, field in FIELDS.items()},
}


def write_tlv(values: Mapping[str, str]) -> str:
    """Write DE 48: two digits of tag, three of length, then the value; empty values are left out."""
    return "".join(f"{tag}{len(value):03}{value}" for tag, value in sorted(values.items()) if value)


def read_tlv(text: str, allowed: Mapping[str, str]) -> dict[str, str]:
    """Read DE 48.

    Args:
        text: the field.
        allowed: pattern by tag.

    Raises:
        Malformed: for a cut, repeated, unordered or unknown sub-field, or content that does not fit its pattern.
    """
    values: dict[str, str] = {}
    rest = text
    while rest:
        head = re.match(r"([0-9]{2})([0-9]{3})", rest)
        if head is None or len(rest) < head.end() + int(head[2]):
            raise Malformed(48, "has a cut sub-field")
        tag, value = head[1], rest[head.end() : head.end() + int(head[2])]
        if tag not in allowed or re.fullmatch(allowed[tag], value) is None or tag <= max(values, default=""):
            raise Malformed(48, f"sub-field {tag} is not allowed so")
        values[tag] = value
        rest = rest[head.end() + len(value) :]
    return values
