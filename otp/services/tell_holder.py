"""Tell an acquirer the masked name of a card's holder (D28); one statement counts the question and reads."""

from __future__ import annotations

from otp.domain.action_codes import ActionCode
from otp.domain.financial import HolderQuestion, HostAnswer
from otp.domain.holder import holder_place, masked_name
from otp.domain.quotas import holder_charges
from otp.services.desk import Desk
from otp.store.holders import read_holder

PROCESSING_CODE = "330000"


def tell_holder(desk: Desk, question: HolderQuestion) -> HostAnswer:
    """Answer with the masked name; a card that is not there, cannot be sent money or has no name looks the same."""
    if not question.trusted or question.processing_code != PROCESSING_CODE:
        return HostAnswer(ActionCode.NOT_SUPPORTED)
    mark = desk.lasting_mark(question.pan)
    charges = holder_charges(
        question.acquirer_id,
        question.asker,
        mark.hex(),
        per_hour=desk.limits.holder_questions_per_hour,
        shard=sum(mark),
    )
    with desk.database.begin() as connection:
        row = read_holder(connection, desk.card_tokens(question.pan), charges)
    if row.held:
        return HostAnswer(ActionCode.LIMIT)
    if row.name_sealed is None or row.card_name is None:
        return HostAnswer(ActionCode.CANNOT_RECEIVE)
    name = desk.keys.open(row.name_sealed, bound_to=holder_place(row.card_name)).decode()
    return HostAnswer(ActionCode.APPROVED, holder=masked_name(name))
