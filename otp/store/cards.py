"""Cards as the bank's operator writes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.errors import DuplicateCard

# A card may still be found under the key before; then it has an account already.
_ADD = text("""
INSERT INTO card (card_token, card_token_key, card_name, pan_sealed, expiry, mobile_sealed, mobile_token,
                  mobile_token_key, mobile_last_two, second_pin_active, balance_rial, opened_rial, customer_id, kind,
                  first_pin_mac, first_pin_key, static_second_pin_mac, static_pin_key, holder_name_sealed)
SELECT :card_token, :card_token_key, :card_name, :pan_sealed, :expiry, :mobile_sealed, :mobile_token,
       :mobile_token_key, :mobile_last_two, :second_pin_active, :balance_rial, :balance_rial, :customer_id, :kind,
       :first_pin_mac, :pin_key, :static_second_pin_mac, :pin_key, :holder_name_sealed
 WHERE NOT EXISTS (SELECT FROM card WHERE card_token = ANY(CAST(:tokens AS bytea[])))
ON CONFLICT (card_token) DO NOTHING
RETURNING card_id
""")

_BLOCK = text("""
UPDATE card SET status = 'blocked', held_by_bank = true
 WHERE card_token = ANY(CAST(:tokens AS bytea[])) RETURNING card_id
""")

_SEALED = text("""
SELECT coalesce(card_name, card_token) AS card_name, pan_sealed, mobile_sealed FROM card WHERE card_id = :card_id
""")


@dataclass(frozen=True, slots=True)
class NewRow:
    """A card's row at its opening.

    Args:
        tokens: by each live key, the one that writes first.
        card_token_key, mobile_token_key, pin_key: the ids of the keys that write.
        card_name: what everything of this card is bound to, for good; it tells nothing about the card.
    """

    tokens: Sequence[bytes]
    card_token_key: str
    card_name: bytes
    pan_sealed: bytes
    expiry: str
    mobile_sealed: bytes | None
    mobile_token: bytes | None
    mobile_token_key: str
    mobile_last_two: str | None
    second_pin_active: bool
    balance_rial: int
    kind: str
    pin_key: str
    first_pin_mac: bytes | None
    static_second_pin_mac: bytes | None
    holder_name_sealed: bytes | None = None


@dataclass(frozen=True, slots=True)
class SealedCard:
    """The sealed values of a card."""

    card_name: bytes
    pan_sealed: bytes
    mobile_sealed: bytes | None


def add(connection: Connection, row: NewRow, customer_id: int | None) -> int:
    """Write a new card of this customer, or of nobody known, and return its id.

    Raises:
        DuplicateCard: when its token is there already.
    """
    values = {**asdict(row), "tokens": list(row.tokens), "card_token": row.tokens[0], "customer_id": customer_id}
    added = connection.execute(_ADD, values).first()
    if added is None:
        raise DuplicateCard("the card has an account already")
    return int(added.card_id)


def block(connection: Connection, tokens: Sequence[bytes]) -> int | None:
    """Block a card and return its id; ``None`` when there is none."""
    blocked: int | None = connection.execute(_BLOCK, {"tokens": list(tokens)}).scalar_one_or_none()
    return blocked


def sealed(connection: Connection, card_id: int) -> SealedCard:
    """Read the sealed values of one card."""
    return SealedCard(**connection.execute(_SEALED, {"card_id": card_id}).mappings().one())
