"""The ceiling of codes that are bound to nothing, as it holds now (D14, D27)."""

from __future__ import annotations

from dataclasses import dataclass

WISHED = """
least(CAST(:most AS bigint), CASE WHEN unbound_ceiling_next_at <= house_now() THEN unbound_ceiling_next_rial
                                  ELSE coalesce(unbound_ceiling_rial, CAST(:most AS bigint)) END)
"""
"""Of a card's row: the holder's own wish, at most the bank's ``:most``."""

IN_FORCE = f"least({WISHED}, CASE WHEN low_ceiling_until > house_now() THEN CAST(:low AS bigint) END)"
"""What holds now: for a day after a change of mobile no more than ``:low``."""


@dataclass(frozen=True, slots=True)
class Ceilings:
    """What the bank allows unbound codes at most: always, and for a day after a change of mobile; rials (D14, D27)."""

    most: int
    low: int
