"""Take messages to phones: the code is derived and the text written as it is sent, and neither is kept (D25)."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from foundation.database import guard_no_transaction
from foundation.outbox import Job
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.worker import Dead, Done, Result, Retry
from otp.domain.activation import ActivationState, Channel, sms_part
from otp.domain.binding import parse_canonical
from otp.domain.challenge import ChallengeState
from otp.domain.code import derive_code
from otp.domain.message import (
    CodeMessage,
    code_text,
    code_values,
    last_try_text,
    sms_code_text,
    sms_code_values,
)
from otp.domain.notices import ActivationMessage, NoticeKind, activation_text, mobile_code_text, notice_text
from otp.domain.verdict import Channel as CodeChannel
from otp.ports import SmsAccepted, SmsAnswer, SmsMessage, SmsRefused, SmsTemplate, SmsUnanswered
from otp.services.bank import Bank
from otp.services.cards import mobile_code, open_mobile, open_pan
from otp.store import activations, cards, deliveries, devices, mobile_changes
from otp.store.deliveries import Sending

log = structlog.get_logger()

LIFE_LEAST_SECONDS = 20
"""With less life than this a code is not worth reading any more, and confuses."""

OUTCOMES = {SmsAccepted: "accepted", SmsRefused: "refused", SmsUnanswered: "unanswered"}
"""How the provider's answers are called in labels."""

EXPIRE_AT_ONCE_MAX = 1_000


@dataclass(frozen=True, slots=True)
class Words:
    """What a message says, also for a template, and how long it has to live: near that end no provider may get it."""

    text: Sensitive[str]
    template: SmsTemplate | None = None
    seconds_left: float | None = None


def send_code(bank: Bank, job: Job) -> Result:
    """Send the code of one challenge, unless it is decided already or about to end."""
    challenge_id = int(job.payload["challenge_id"])
    with bank.database.single() as connection:
        sending = deliveries.for_sending(connection, challenge_id)
    late = sending.seconds_left < LIFE_LEAST_SECONDS
    if late or sending.state != ChallengeState.ISSUED or sending.mobile_sealed is None:
        log.info("code_not_sent", challenge_id=challenge_id, late=late, state=sending.state)
        _record(bank, challenge_id, "dropped")
        bank.meters.sms.labels("code", "dropped").inc()
        return Done()
    code = derive_code(bank.keys.material(sending.key_id), sending.nonce, sending.canonical, sending.code_length)
    words = _code_words(bank, sending, code)
    mobile = open_mobile(bank.keys, sending.card_name, sending.mobile_sealed)
    result = _send(bank, job, "code", mobile, words)
    match result:
        case SmsAccepted(message_id):
            _record(bank, challenge_id, "accepted", message_id)
            return Done()
        case SmsRefused(why):
            _record(bank, challenge_id, "refused")
            return Dead(why)
        case SmsUnanswered(why):
            return Retry(why)


def send_last_try_warning(bank: Bank, job: Job) -> Result:
    """Tell a card's holder that one more wrong code closes it for a while (D18), where a mobile is known."""
    with bank.database.single() as connection:
        card = cards.sealed(connection, int(job.payload["card_id"]))
    if card.mobile_sealed is None:
        return Done()
    text = last_try_text(bank.settings.bank_name_fa, _last_four(bank, card.card_name, card.pan_sealed))
    return _result(
        _send(bank, job, "last_try", open_mobile(bank.keys, card.card_name, card.mobile_sealed), Words(text))
    )


def send_activation(bank: Bank, job: Job) -> Result:
    """Send the SMS part of one activation, derived here, unless the activation is decided or over (D23)."""
    with bank.database.single() as connection:
        sending = activations.for_sending(connection, int(job.payload["activation_key"]))
    if sending.late or sending.state != ActivationState.ISSUED:
        log.info("activation_not_sent", late=sending.late, state=sending.state)
        bank.meters.sms.labels("activation", "dropped").inc()
        return Done()
    message = ActivationMessage(
        bank_name=bank.settings.bank_name_fa,
        card_last_four=_last_four(bank, sending.card_name, sending.pan_sealed),
        channel=Channel(sending.channel),
        ceiling=None if sending.ceiling_rial is None else Rial(sending.ceiling_rial),
    )
    text = activation_text(message, sms_part(bank.keys.material(sending.key_id), sending.nonce))
    mobile = open_mobile(bank.keys, sending.card_name, sending.mobile_sealed)
    return _result(_send(bank, job, "activation", mobile, Words(text)))


def send_notice(bank: Bank, job: Job) -> Result:
    """Tell a card's holder what happened to it, where a mobile is known."""
    facts = {**job.payload, "sender": bank.settings.sms_sender}
    card_id, kind = int(facts.pop("card_id")), NoticeKind(facts.pop("kind"))
    with bank.database.single() as connection:
        card = cards.sealed(connection, card_id)
    if card.mobile_sealed is None:
        return Done()
    last_four = _last_four(bank, card.card_name, card.pan_sealed)
    text = notice_text(kind, bank.settings.bank_name_fa, last_four, facts)
    return _result(_send(bank, job, "notice", open_mobile(bank.keys, card.card_name, card.mobile_sealed), Words(text)))


def send_mobile_code(bank: Bank, job: Job) -> Result:
    """Send the code that confirms a new number to that number, derived here, unless the change is decided (D27)."""
    change = _change(bank, job)
    if change.late or change.state != "issued" or change.mobile_sealed is None or change.mobile_token is None:
        bank.meters.sms.labels("mobile_code", "dropped").inc()
        return Done()
    code = mobile_code(bank.keys, change.key_id, change.nonce, change.card_name, change.mobile_token)
    last_four = _last_four(bank, change.card_name, change.pan_sealed)
    text = mobile_code_text(bank.settings.bank_name_fa, last_four, code)
    mobile = open_mobile(bank.keys, change.card_name, change.mobile_sealed)
    return _result(_send(bank, job, "mobile_code", mobile, Words(text)))


def send_to_former(bank: Bank, job: Job) -> Result:
    """Tell the number that a card had before that it has another one now (D27)."""
    change = _change(bank, job)
    if change.former_sealed is None:
        return Done()
    last_four = _last_four(bank, change.card_name, change.pan_sealed)
    text = notice_text(NoticeKind.MOBILE_REPLACED, bank.settings.bank_name_fa, last_four, {})
    former = open_mobile(bank.keys, change.card_name, change.former_sealed)
    return _result(_send(bank, job, "notice", former, Words(text)))


def expire_challenges(bank: Bank) -> None:
    """End the challenges that are past their life, by the database's clock."""
    with bank.database.single() as connection:
        deliveries.expire(connection, EXPIRE_AT_ONCE_MAX)


def end_activations(bank: Bank) -> None:
    """End activations and changes of mobile past their life, and devices that never showed a first code."""
    with bank.database.single() as connection:
        activations.expire(connection, EXPIRE_AT_ONCE_MAX)
    with bank.database.single() as connection:
        devices.end_overdue(connection, EXPIRE_AT_ONCE_MAX)


def forget_quotas(bank: Bank) -> None:
    """Delete what was counted in windows that are over."""
    with bank.database.single() as connection:
        deliveries.forget_quotas(connection)


def _send(
    bank: Bank,
    job: Job,
    kind: str,
    mobile: Sensitive[str],
    words: Words,
) -> SmsAnswer:
    guard_no_transaction()
    if bank.sms is None:
        return SmsUnanswered("no provider is wired")
    message = SmsMessage(
        reference=f"sms-{job.id}",
        sender=bank.settings.sms_sender,
        mobile=mobile,
        text=words.text,
        timeout_seconds=_time_for(bank, words),
        template=words.template,
        life_seconds=words.seconds_left,
    )
    answer = bank.sms.send(message)
    bank.meters.sms.labels(kind, OUTCOMES[type(answer)]).inc()
    return answer


def _time_for(bank: Bank, words: Words) -> float:
    most = bank.settings.sms_timeout_seconds
    return most if words.seconds_left is None else min(most, words.seconds_left - LIFE_LEAST_SECONDS)


def _result(answer: SmsAnswer) -> Result:
    match answer:
        case SmsAccepted():
            return Done()
        case SmsRefused(why):
            return Dead(why)
        case SmsUnanswered(why):
            return Retry(why)


def _change(bank: Bank, job: Job) -> mobile_changes.Sending:
    with bank.database.single() as connection:
        return mobile_changes.for_sending(connection, int(job.payload["change_id"]))


def _last_four(bank: Bank, card_name: bytes, pan_sealed: bytes) -> str:
    return open_pan(bank.keys, card_name, pan_sealed).masked[-4:]


def _record(bank: Bank, challenge_id: int, delivery: str, message_id: str | None = None) -> None:
    with bank.database.single() as connection:
        deliveries.record_delivery(connection, challenge_id, delivery, message_id)


def _code_words(bank: Bank, sending: Sending, code: Sensitive[str]) -> Words:
    name = bank.settings.bank_name_fa
    if sending.channel == CodeChannel.SMS:
        facts = (name, Rial(sending.ceiling_rial or 0), sending.expires_at, code)
        template = SmsTemplate("sms_code", sms_code_values(*facts))
        return Words(sms_code_text(*facts), template, sending.seconds_left)
    bound = parse_canonical(sending.canonical)
    message = CodeMessage(
        bank_name=name,
        type=bound.type,
        amount=bound.amount,
        fee=bound.fee,
        payee_name=bound.payee_name,
        psp_name=sending.psp_name or "",
        expires_at=sending.expires_at,
        webotp_host=sending.webotp_host,
    )
    template = SmsTemplate("code", code_values(message, code))
    return Words(code_text(message, code), template, sending.seconds_left)
