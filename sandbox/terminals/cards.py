"""Which card is put into a terminal: one of the sandbox's list, or a number that is typed; never one of a real bank."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from foundation.pan import InvalidPan, Pan
from sandbox.rendering import Guide
from sandbox.terminals.hall import hall_here


def card_typed(form: Mapping[str, str]) -> Pan | str:
    """Return the card, or why it cannot be put in: ``card`` for no card number, ``real`` for one of a real bank."""
    try:
        pan = Pan.parse(form.get("typed", "").strip() or form.get("card", ""))
    except InvalidPan:
        return "card"
    return "real" if hall_here().network.line(pan) is None else pan


def cards_here(*, every_bank: bool = False) -> list[dict[str, Any]]:
    """Return the cards of the list that can be put in; of the bank of this hall, or of every bank that answers."""
    network = hall_here().network
    cards = [card for card in Guide.read().cards if network.line(Pan.parse(card["pan"])) is not None]
    return [card for card in cards if every_bank or network.is_own(Pan.parse(card["pan"]))]
