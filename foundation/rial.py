"""Money: a whole number of rials, never a float, never negative."""

from __future__ import annotations

from dataclasses import dataclass

RIALS_PER_TOMAN = 10


@dataclass(frozen=True, slots=True, order=True)
class Rial:
    """An amount of money in rials, the smallest useful unit; zero is allowed, less is not.

    Raises:
        TypeError: for a bool, a float or anything that is not an ``int``.
        ValueError: for a negative amount.
    """

    amount: int

    def __post_init__(self) -> None:
        if type(self.amount) is not int:
            raise TypeError(f"an amount of rials is an int, not {type(self.amount).__name__}")
        if self.amount < 0:
            raise ValueError("an amount of rials is never negative")

    def __add__(self, other: Rial) -> Rial:
        return Rial(self.amount + other.amount)

    def __sub__(self, other: Rial) -> Rial:
        return Rial(self.amount - other.amount)

    def __bool__(self) -> bool:
        return self.amount > 0

    def __str__(self) -> str:
        return f"{self.amount:,} rial"

    @property
    def toman(self) -> int:
        """Whole tomans, for people to read; the odd rials are dropped."""
        return self.amount // RIALS_PER_TOMAN
