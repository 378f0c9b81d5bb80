"""Tell what became of the message of a code, to the PSP that asked for it and no further than its card was proven."""

from __future__ import annotations

from otp.domain.psp import Psp
from otp.services.bank import Bank
from otp.store import deliveries

TOLD_AS = {"delivered": "accepted", "undelivered": "accepted"}
"""What Harim v1 has no word for: it knows that the operator took a message over, and nothing of the phone."""

UNDISCLOSED = "undisclosed"
"""What is told about every other id: of an unproven request, of another PSP, of nothing at all (D19)."""


def tell_delivery(bank: Bank, psp: Psp, correlation_id: str) -> str:
    """Return the state of the last message of a code, or ``undisclosed``.

    An unproven request got an id whether or not there is such a card, so its id alone says nothing here either.
    """
    with bank.database.single() as connection:
        found = deliveries.of_code(connection, psp.psp_id, correlation_id)
    if found is None or not (found.proven or bank.discloses_to(psp)):
        return UNDISCLOSED
    return TOLD_AS.get(found.state, found.state)
