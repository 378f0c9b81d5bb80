"""OCRA, the challenge-response algorithm of OATH (RFC 6287).

This bank asks hexadecimal questions only (``QH64``). A numeric one loses its leading zeros and is padded on the right,
so an amount and sixteen times that amount make the same code: never put an amount into ``QN``.

>>> ocra("OCRA-1:HOTP-SHA256-8:QH64-T1M", bytes(32), question="ab" * 32, time=0)
'55277416'
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

_SUITE = re.compile(
    r"OCRA-1:HOTP-(?P<hash>SHA1|SHA256|SHA512)-(?P<digits>[4-9]|10):"
    r"(?P<counter>C-)?Q(?P<kind>[ANH])(?P<most>[0-6][0-9])(?:-P(?P<pin>SHA1|SHA256|SHA512))?(?:-T(?P<time>\d{1,2}[SMH]))?"
)
_QUESTION_BYTES = 128
_NUMBER_BYTES = 8
_SIGN_BIT = 0x7FFFFFFF

_HEXADECIMAL: Mapping[str, Callable[[str], str]] = MappingProxyType(
    {"N": lambda text: f"{int(text):x}", "A": lambda text: text.encode().hex(), "H": lambda text: text}
)
"""A question of each kind in hexadecimal digits (RFC 6287 §6.3); zeros follow up to 128 bytes."""


def ocra(
    suite: str,
    key: bytes,
    *,
    question: str,
    counter: int | None = None,
    pin: str | None = None,
    time: int | None = None,
) -> str:
    """Return the code of a suite.

    Args:
        suite: such as ``OCRA-1:HOTP-SHA256-8:QH64-T1M``; suites with session data are not spoken.
        key: the shared secret.
        question: at most twice as long as the suite names, for questions of two parties.
        counter: for a suite with ``C``.
        pin: for a suite with ``P``; its hash goes in.
        time: steps since 1970, for a suite with ``T``: minutes for ``T1M``.

    Raises:
        ValueError: for a suite that is none, or data that are not the suite's.
    """
    parts = _SUITE.fullmatch(suite)
    if parts is None:
        raise ValueError("no OCRA suite without session data")
    wanted = [(counter, parts["counter"]), (pin, parts["pin"]), (time, parts["time"])]
    if any((given is None) != (named is None) for given, named in wanted) or len(question) > 2 * int(parts["most"]):
        raise ValueError("the data are not what the suite names")
    data = suite.encode() + b"\x00" + _number(counter)
    data += bytes.fromhex(_HEXADECIMAL[parts["kind"]](question).ljust(2 * _QUESTION_BYTES, "0"))
    data += b"" if pin is None else hashlib.new(parts["pin"].lower(), pin.encode()).digest()
    value = hmac.digest(key, data + _number(time), parts["hash"].lower())
    offset = value[-1] & 0x0F
    number = int.from_bytes(value[offset : offset + 4], "big") & _SIGN_BIT
    return str(number % 10 ** int(parts["digits"])).zfill(int(parts["digits"]))


def _number(value: int | None) -> bytes:
    return b"" if value is None else value.to_bytes(_NUMBER_BYTES, "big")
