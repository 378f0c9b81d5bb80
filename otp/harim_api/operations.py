"""The operations of Harim v1, the same behind every wire: a message as its wire read it in, what to tell out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, cast

import structlog
from flask import current_app, request
from pydantic import ValidationError

from foundation.logs import place_of
from foundation.pan import InvalidPan, Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.answers import ANSWERS, Code, body
from otp.domain.binding import Binding, check_binding
from otp.domain.errors import InvalidBinding
from otp.domain.psp import Psp
from otp.harim_api.schemas import DeliveryQuestion, DynamicPinRequest, VerifyRequest, known_request_id
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, Told, issue_code
from otp.services.tell_delivery import tell_delivery
from otp.services.verify_code import Check, verify_code

log = structlog.get_logger()

BODY_MAX_BYTES = 65_536
RETRY_AFTER_SECONDS = 5
FLOOD_WINDOW_SECONDS = 60
REQUEST_DYNAMIC_PIN = "RequestDynamicPin"
VERIFY_DYNAMIC_PIN = "VerifyDynamicPin"
OK = ANSWERS[Code.ACCEPTED].status


@dataclass(frozen=True, slots=True)
class Asked:
    """One message of a known PSP.

    Args:
        document: its fields by name, or anything else where it is no message at all.
        body_hash: keyed hash by which the same message is known again (D21).
    """

    document: Any
    body_hash: bytes


Operation = Callable[[Bank, Psp, Asked], Told]


def bank_here() -> Bank:
    """Return the bank of the application that serves this request."""
    return cast("Bank", current_app.extensions["bank"])


def perform(bank: Bank, psp: Psp, operation: str, asked: Asked) -> Told:
    """Run an operation by its name in the contract; whatever breaks, the PSP is told so."""
    return guarded(bank, psp, operation, partial(OPERATIONS[operation], bank, psp, asked))


def guarded(bank: Bank, psp: Psp, operation: str, work: Callable[[], Told]) -> Told:
    """Do ``work`` for a known PSP, timed and counted as this operation; whatever breaks, the PSP is told so."""
    with structlog.contextvars.bound_contextvars(psp_id=psp.psp_id):
        try:
            with bank.meters.pin_seconds.labels(psp.psp_id).time():
                told = work()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is answered for here
            log.error("harim_request_failed", error=type(error).__name__, at=place_of(error))  # noqa: TRY400 - without text
            told = unavailable()
    return counted(bank, psp, operation, told)


def counted(bank: Bank, psp: Psp, operation: str, told: Told) -> Told:
    """Count what a known PSP is told about its request for a PIN, or of a code to check, and return it."""
    meters = {REQUEST_DYNAMIC_PIN: bank.meters.pin_requests, VERIFY_DYNAMIC_PIN: bank.meters.code_checks}
    if operation in meters:
        meters[operation].labels(psp.psp_id, told.body["code"]).inc()
    return told


def refusal(code: Code, request_id: str | None, **details: int | str | None) -> Told:
    """Say no."""
    return Told(ANSWERS[code].status, body(code, request_id, **details))


def unavailable() -> Told:
    """Say that we cannot now, and when to ask again."""
    return refusal(Code.TEMPORARILY_UNAVAILABLE, None, retry_after_seconds=RETRY_AFTER_SECONDS)


def strangers_refusal(bank: Bank, code: Code, reason: str) -> Told:
    """Say no to somebody who is not known; an address that keeps trying is held off (D20)."""
    log.warning("harim_stranger_refused", reason=reason, address=request.remote_addr)
    patient = bank.flood.allow(
        f"stranger:{request.remote_addr}", bank.settings.strangers_per_minute, per_seconds=FLOOD_WINDOW_SECONDS
    )
    return refusal(code if patient else Code.TOO_MANY_REQUESTS, None)


def _request_dynamic_pin(bank: Bank, psp: Psp, asked: Asked) -> Told:
    def work() -> Told:
        document = DynamicPinRequest.model_validate(asked.document)
        card = document.card
        request = CodeRequest(
            request_id=document.request_id,
            sequence=document.sequence,
            body_hash=asked.body_hash,
            binding=_binding(psp, document),
            pan=Pan.parse(card.pan.get_secret_value()),
            cvv2=None if card.cvv2 is None else Sensitive(card.cvv2.get_secret_value()),
            expiry=None if card.expiry is None else Sensitive(card.expiry.get_secret_value()),
        )
        return issue_code(bank, psp, request)

    return _unless_misshapen(asked, work)


def _verify_dynamic_pin(bank: Bank, psp: Psp, asked: Asked) -> Told:
    def work() -> Told:
        document = VerifyRequest.model_validate(asked.document)
        card = document.card
        check = Check(
            request_id=document.request_id,
            sequence=document.sequence,
            body_hash=asked.body_hash,
            binding=_binding(psp, document),
            pan=Pan.parse(card.pan.get_secret_value()),
            cvv2=Sensitive(card.cvv2.get_secret_value()),
            expiry=Sensitive(card.expiry.get_secret_value()),
            pin=Sensitive(document.pin.get_secret_value()),
        )
        return verify_code(bank, psp, check)

    if not psp.verify_enabled:
        return refusal(Code.UNSUPPORTED_OPERATION, known_request_id(asked.document))
    return _unless_misshapen(asked, work)


def _unless_misshapen(asked: Asked, work: Callable[[], Told]) -> Told:
    """Let ``work`` read a message and perform it; say what is wrong with one that cannot be read."""
    request_id = known_request_id(asked.document)
    try:
        return work()
    except ValidationError as error:
        return refusal(Code.MALFORMED, request_id, field=_first_field(error))
    except InvalidPan:
        return refusal(Code.MALFORMED, request_id, field="card.pan")
    except InvalidBinding as error:
        return refusal(Code.INCOMPLETE_BINDING, request_id, field=error.field)


def _binding(psp: Psp, document: DynamicPinRequest) -> Binding:
    binding = Binding(
        type=document.type,
        amount=Rial(document.amount),
        fee=Rial(document.fee),
        acquirer_id=document.acquirer_id,
        merchant_id=document.merchant_id,
        terminal_id=document.terminal_id,
        payee_name=document.payee_name,
        payee_key=document.payee_key,
        transaction_ref=document.transaction_ref,
    )
    check_binding(binding)
    if binding.acquirer_id != psp.acquirer_id:
        raise InvalidBinding("acquirer_id")
    return binding


def _first_field(error: ValidationError) -> str | None:
    return ".".join(str(part) for part in error.errors(include_input=False, include_url=False)[0]["loc"]) or None


def _get_delivery_status(bank: Bank, psp: Psp, asked: Asked) -> Told:
    try:
        correlation_id = DeliveryQuestion.model_validate(asked.document).correlation_id
    except ValidationError as error:
        return refusal(Code.MALFORMED, None, field=_first_field(error))
    return Told(OK, {"correlation_id": correlation_id, "state": tell_delivery(bank, psp, correlation_id)})


def _ping(bank: Bank, _psp: Psp, _asked: Asked) -> Told:
    """Tell whether the bank works and its database answers."""
    if not bank.database.ping():
        return unavailable()
    return Told(OK, {"status": "ok", "bank": {"fa": bank.settings.bank_name_fa, "en": bank.settings.bank_name_en}})


OPERATIONS: Mapping[str, Operation] = MappingProxyType(
    {
        REQUEST_DYNAMIC_PIN: _request_dynamic_pin,
        VERIFY_DYNAMIC_PIN: _verify_dynamic_pin,
        "GetDeliveryStatus": _get_delivery_status,
        "Ping": _ping,
    }
)
"""Every operation of the contract; what is offered here is offered on each wire."""
