"""What one problem of the merchant API is: the shape of a row of the catalogue."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.api.operations import Said
from gateway.domain.errors import GatewayError


@dataclass(frozen=True, slots=True)
class Row:
    """One problem.

    Args:
        of: the error that is answered so; ``None`` for what the web server or a lost database says.
        title: what is wrong, the same for every occurrence.
        do: what a merchant's developer does about it.
    """

    code: str
    status: int
    of: type[GatewayError] | None
    title: Said
    do: Said


def row(of: type[GatewayError], status: int, title: tuple[str, str], do: tuple[str, str]) -> Row:
    """Make the row of an error; ``title`` and ``do`` in Persian and English."""
    return Row(of.code, status, of, Said(*title), Said(*do))


def plain(code: str, status: int, title: tuple[str, str], do: tuple[str, str]) -> Row:
    """Make the row of what is no error of ours."""
    return Row(code, status, None, Said(*title), Said(*do))
