"""Holders' names, asked for by acquirers: counted and read in one statement (D20, D28)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, text

from otp.domain.quotas import Charge
from otp.store.quotas import COUNTED, counted

_READ = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now), {COUNTED}
SELECT verdict.held, card.holder_name_sealed, coalesce(card_name, card_token) AS card_name
  FROM verdict LEFT JOIN card ON card_token = ANY(CAST(:card_tokens AS bytea[]))
   AND kind <> 'gift' AND NOT held_by_bank AND NOT verdict.held
""")


@dataclass(frozen=True, slots=True)
class HolderRow:
    """What was found: ``held`` back by a limit, or the sealed name, if there is one to tell."""

    held: bool
    name_sealed: bytes | None
    card_name: bytes | None


def read_holder(connection: Connection, card_tokens: Sequence[bytes], charges: Sequence[Charge]) -> HolderRow:
    """Count a question, and read the name unless a limit holds it back."""
    row = connection.execute(_READ, {"card_tokens": list(card_tokens), **counted(charges)}).one()
    return HolderRow(row.held, row.holder_name_sealed, row.card_name)
