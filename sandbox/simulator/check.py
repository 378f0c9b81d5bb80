"""How an invariant is checked: a violation begins with its number (I1 to I18)."""

from __future__ import annotations


class Violated(BaseException):
    """An invariant does not hold; the text begins with its number. No handler of the applications catches it."""


def require(holds: object, what: str) -> None:
    """Raise :class:`Violated` unless it holds."""
    if not holds:
        raise Violated(what)
