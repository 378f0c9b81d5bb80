"""A value that cannot be printed, logged, pickled or put into JSON by accident."""

from __future__ import annotations

import hmac
from typing import Generic, NoReturn, TypeVar

T = TypeVar("T")

STARS = "********"


class Sensitive(Generic[T]):
    """Holds a PAN, CVV2, PIN, code or key; the only way out is :meth:`reveal`.

    ``repr``, ``str`` and ``format`` give stars; pickling and JSON encoding raise ``TypeError``; equality of texts and
    bytes takes constant time.
    """

    __slots__ = ("_value",)

    def __init__(self, value: T) -> None:
        self._value = value

    def reveal(self) -> T:
        """Return the value itself. A house-rule test lists the modules that may ask."""
        return self._value

    def __repr__(self) -> str:
        return f"{type(self).__name__}({STARS})"

    def __str__(self) -> str:
        return STARS

    def __format__(self, spec: str) -> str:
        return STARS

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sensitive):
            return NotImplemented
        return hmac.compare_digest(_comparable(self._value), _comparable(other._value))

    def __hash__(self) -> int:
        return hash((type(self), self._value))

    def __reduce__(self) -> NoReturn:
        raise TypeError(f"{type(self).__name__} refuses to be pickled")


def _comparable(value: object) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()
