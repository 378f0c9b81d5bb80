"""Reverse a purchase: give the money back, or see to it that it is never taken (D2)."""

from __future__ import annotations

import hashlib

from otp.domain.action_codes import ActionCode
from otp.domain.financial import HostAnswer, Reversal
from otp.services.desk import Desk
from otp.store import authorisations

_ANSWERS = {
    "approved": ActionCode.REVERSED,
    "reversed": ActionCode.REVERSED,
    "declined": ActionCode.REVERSED,
    "tombstone": ActionCode.NOT_FOUND,
}
"""What is answered by what the original is; an original that took nothing has nothing to give back."""


def reverse(desk: Desk, reversal: Reversal) -> HostAnswer:
    """Reverse an original once; asked again, the same answer. An unseen original leaves a tombstone under its key.

    A purchase with this key that is just being decided is waited for, because both claim the same unique key.
    """
    mark = hashlib.sha256(b"tombstone" + desk.card_tokens(reversal.pan)[0]).digest()
    with desk.database.begin() as connection:
        if authorisations.insert_tombstone(connection, reversal.original, mark, reversal.total.amount) is not None:
            return HostAnswer(ActionCode.NOT_FOUND)
        original = authorisations.lock(connection, reversal.original)
        if original.state != "tombstone" and original.amount_rial != reversal.total.amount:
            return HostAnswer(ActionCode.KEY_REUSED)
        answer = HostAnswer(_ANSWERS[original.state])
        authorisations.reverse(
            connection,
            reversal.original,
            authorisation_id=original.authorisation_id,
            own_stan=reversal.own_stan,
            own_local_time=reversal.own_local_time,
            action_code=answer.action_code,
        )
        return answer
