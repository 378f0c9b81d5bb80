"""What somebody shows for one transaction: a card, its data, and a code, a PIN or a proof."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import Reason
from otp.domain.binding import COMPLETE, SHAPES, Binding
from otp.domain.spending import Destination


@dataclass(frozen=True, slots=True)
class Shown:
    """A card, its data, and a code or a proof, for one transaction.

    Args:
        pan: ``None`` when the digits are no card number.
        card_name: what codes and PINs of this card are bound to.
        macs: every MAC that the code or the proof may have been stored under.
        by_proof: whether a proof is shown instead of a code (D13).
        acquirer_id: the authenticated one.
        aspects: the transaction as this message has it (D5), by each set of facts that a code may be bound to (D6);
            nothing where the message is of no transaction.
        refused: what is wrong with the message itself.
        pin: what was entered, where it is no proof.
        inside: a transfer stays in this bank, and goes to ``destination``, if there is such a card.
        destination_tail: the last eight digits of the card that a transfer goes to, where they are told.
        static_allowed: whether a static second PIN may be shown here; a gift card has no other.
    """

    pan: Pan | None
    card_name: bytes
    expiry: Sensitive[str]
    cvv2: Sensitive[str]
    macs: Sequence[bytes]
    by_proof: bool
    acquirer_id: str
    type_word: str
    total: Rial
    fee: Rial
    aspects: Mapping[tuple[str, ...], Binding]
    refused: Reason | None = None
    pin: Sensitive[str] | None = None
    static_allowed: bool = False
    inside: bool = False
    destination: Destination | None = None
    destination_tail: Sensitive[str] | None = None

    @property
    def references(self) -> list[str]:
        """By which references a code of this transaction may be kept."""
        return [aspect.transaction_ref for aspect in self.aspects.values()]


def aspects_of(binding: Binding) -> Mapping[tuple[str, ...], Binding]:
    """Return a transaction whole, and as far as each weak dialect would have named it."""
    return {COMPLETE: binding, **{shape: binding.narrowed(shape) for shape in SHAPES.values()}}
