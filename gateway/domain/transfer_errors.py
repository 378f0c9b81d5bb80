"""Errors about transfers from card to card, beside :mod:`gateway.domain.errors`."""

from __future__ import annotations

from gateway.domain.errors import Conflict, InvalidInput, LimitReached


class InvalidDestination(InvalidInput):
    """Money cannot be sent to this card; ``reason`` says why.

    ``same`` as the source, ``unknown_issuer``, ``real`` in a sandbox, ``refused`` by its bank, ``unavailable`` bank.
    """

    code = "invalid_destination"
    field = "destination_pan"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the destination is not possible: {reason}")
        self.reason = reason


class TransferLimit(InvalidInput):
    """A transfer is outside a limit; ``limit`` says which: least, most, day, count or destination."""

    code = "transfer_limit"
    field = "amount"

    def __init__(self, limit: str) -> None:
        super().__init__(f"outside the limits of transfers: {limit}")
        self.limit = limit


class OtherSourceCard(Conflict):
    """A transfer is paid by the card that it was begun with, because way and fee follow from it."""

    code = "other_source_card"


class HolderNameOld(Conflict):
    """The name of a destination's holder was told more than 15 minutes ago; begin again."""

    code = "holder_name_old"


class TooManyHolderQuestions(LimitReached):
    """This card has asked for too many holders' names today, or too many asked for this one (D28)."""

    code = "too_many_holder_questions"
