"""Reverse an original: give money back or take it back, or see to it that none ever moves (D2, D7)."""

from __future__ import annotations

import hashlib

from sqlalchemy import Connection

from otp.domain.action_codes import ActionCode
from otp.domain.financial import HostAnswer, Reversal
from otp.services.desk import Desk
from otp.store import authorisations, receivers

_ANSWERS = {
    "approved": ActionCode.REVERSED,
    "reversed": ActionCode.REVERSED,
    "declined": ActionCode.REVERSED,
    "tombstone": ActionCode.NOT_FOUND,
}
"""What is answered by what the original is; an original that took nothing has nothing to give back."""


def reverse(desk: Desk, reversal: Reversal) -> HostAnswer:
    """Reverse an original once; asked again, the same answer. An unseen original leaves a tombstone under its key.

    Money that was given to a card is taken back from there if it is still there; if not, the original stands (D7), as
    does a purchase that a refund has given back already (D11).
    A purchase with this key that is just being decided is waited for, because both claim the same unique key.
    """
    mark = hashlib.sha256(b"tombstone" + desk.card_tokens(reversal.pan)[0]).digest()
    with desk.database.begin() as connection:
        if authorisations.insert_tombstone(connection, reversal.original, mark, reversal.total.amount) is not None:
            return HostAnswer(ActionCode.NOT_FOUND)
        original = authorisations.lock(connection, reversal.original)
        if original.state != "tombstone" and original.amount_rial != reversal.total.amount:
            return HostAnswer(ActionCode.KEY_REUSED)
        if original.gave:
            return _take_back(connection, reversal, original)
        answer = HostAnswer(_ANSWERS[original.state])
        back = authorisations.reverse(
            connection,
            reversal.original,
            authorisation_id=original.authorisation_id,
            own_stan=reversal.own_stan,
            own_local_time=reversal.own_local_time,
            action_code=answer.action_code,
        )
        return answer if back else _stands(original)


def _take_back(connection: Connection, reversal: Reversal, original: authorisations.Original) -> HostAnswer:
    back = receivers.take_back(
        connection,
        reversal.original,
        authorisation_id=original.authorisation_id,
        own_stan=reversal.own_stan,
        own_local_time=reversal.own_local_time,
    )
    return HostAnswer(ActionCode.REVERSED) if back else _stands(original)


def _stands(original: authorisations.Original) -> HostAnswer:
    return HostAnswer(ActionCode.NOT_REVERSED, capture_date=original.capture_date)
