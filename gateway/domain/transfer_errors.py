"""Errors about transfers from card to card, beside :mod:`gateway.domain.errors`."""

from __future__ import annotations

from gateway.domain.errors import Conflict, InvalidInput, LimitReached, NotFound


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


class OtherPayee(Conflict):
    """The payee was named anew since this page was shown, in another tab for instance; nothing was sent."""

    code = "other_payee"


class PayeeUnchecked(Conflict):
    """This card never sent money to this destination, and nobody ticked that the name was checked."""

    code = "payee_unchecked"


class PayeeFixed(Conflict):
    """A card was submitted for this transfer, so who gets the money and how much is not changed any more."""

    code = "payee_fixed"


class DestinationNotFound(NotFound):
    """The merchant has no saved destination under this token (any more)."""

    code = "destination_not_found"


class HolderNameOld(Conflict):
    """The name of a destination's holder was told more than 15 minutes ago; begin again."""

    code = "holder_name_old"


class HolderQuestionChallenged(LimitReached):
    """So much was asked with these cards today that whoever asks has to answer a challenge first (D28)."""

    code = "holder_question_challenged"


class TooManyHolderQuestions(LimitReached):
    """This card has asked for too many holders' names today, or too many asked for this one (D28)."""

    code = "too_many_holder_questions"
