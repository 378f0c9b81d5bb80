"""How the app's calls are let in: flood control, who calls, what is told; whatever breaks, in one shape."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import structlog
from flask import Response, current_app, g, jsonify, request
from pydantic import BaseModel, ValidationError
from werkzeug.exceptions import HTTPException

from foundation.logs import place_of
from otp.domain.app_answers import APP_ANSWERS, AppCode, Refused, refusal_body
from otp.domain.device import DeviceState
from otp.domain.errors import InvalidPublicKey
from otp.ramznegar.schemas import from_base64url
from otp.services.bank import Bank
from otp.services.know_device import Caller, SignedCall, know_device
from otp.services.tell_time import tell_time

log = structlog.get_logger()

BODY_MAX_BYTES = 4_096
FLOOD_WINDOW_SECONDS = 60
RETRY_AFTER_SECONDS = 5
TIME_HEADER = "Ramznegar-Time"
DEVICE_HEADER = "Ramznegar-Device"
_DEVICE = re.compile(r"id=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}); n=([1-9][0-9]{0,14}); mac=([A-Za-z0-9_-]{43})")

BEGUN = frozenset({DeviceState.ACTIVE})

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Told:
    """What the app is told when it is not refused."""

    body: dict[str, Any]
    status: int = 200


def bank_here() -> Bank:
    """Return the bank of the application that serves this request."""
    return cast("Bank", current_app.extensions["bank"])


def stranger(work: Callable[[Bank], Told | Refused]) -> Response:
    """Answer a call that nobody signed."""
    return _answer(work)


def activating(work: Callable[[Bank], Told | Refused]) -> Response:
    """Answer somebody who wants to become a device: an address may try it less often than it may call (D20)."""

    def patiently(bank: Bank) -> Told | Refused:
        return work(bank) if _patient(bank) else Refused(AppCode.TOO_MANY_REQUESTS, FLOOD_WINDOW_SECONDS)

    return _answer(patiently)


def signed(work: Callable[[Bank, Caller], Told | Refused], *, states: frozenset[DeviceState] = BEGUN) -> Response:
    """Answer a device that signed its call and stands where this call is allowed; to others it is no device at all."""

    def known(bank: Bank) -> Told | Refused:
        call = _call()
        caller = Refused(AppCode.CALL_REFUSED) if call is None else know_device(bank, call)
        if isinstance(caller, Caller) and caller.state not in states:
            caller = Refused(AppCode.CALL_REFUSED)
        if isinstance(caller, Caller):
            return work(bank, caller)
        return caller if _patient(bank) else Refused(AppCode.TOO_MANY_REQUESTS, FLOOD_WINDOW_SECONDS)

    return _answer(known)


def read_in(model: type[M]) -> M:
    """Read the body; raises pydantic's ``ValidationError`` when it is not this message."""
    return model.model_validate(_document(request.get_data()))


def _answer(work: Callable[[Bank], Told | Refused]) -> Response:
    bank = bank_here()
    request.max_content_length = BODY_MAX_BYTES
    bucket = f"app:{request.remote_addr}"
    if not bank.flood.allow(bucket, bank.settings.app_calls_per_minute, per_seconds=FLOOD_WINDOW_SECONDS):
        return _said(Refused(AppCode.TOO_MANY_REQUESTS, FLOOD_WINDOW_SECONDS))
    try:
        return _timed(bank, _said(_unless_misshapen(bank, work)))
    except Exception as error:  # noqa: BLE001 - whatever it is, it is answered for here
        log.error("app_call_failed", error=type(error).__name__, at=place_of(error))  # noqa: TRY400 - without text
        return _said(Refused(AppCode.TEMPORARILY_UNAVAILABLE, RETRY_AFTER_SECONDS))


def _unless_misshapen(bank: Bank, work: Callable[[Bank], Told | Refused]) -> Told | Refused:
    try:
        return work(bank)
    except (ValidationError, InvalidPublicKey, HTTPException):
        return Refused(AppCode.MALFORMED)


def _timed(bank: Bank, response: Response) -> Response:
    """Tell the bank's time with an answer, so that the app knows how far its own clock is off.

    Answers that cost the database nothing, as those to a flood, do not ask it for the time either.
    """
    moment = g.get("now_ms") or tell_time(bank)
    response.headers[TIME_HEADER] = str(moment)
    return response


def _said(told: Told | Refused) -> Response:
    if isinstance(told, Told):
        response = jsonify(told.body)
        response.status_code = told.status
        return response
    response = jsonify(refusal_body(told))
    response.status_code = APP_ANSWERS[told.code].status
    if told.retry_after_seconds is not None:
        response.headers["Retry-After"] = str(told.retry_after_seconds)
    return response


def _patient(bank: Bank) -> bool:
    bucket = f"app-stranger:{request.remote_addr}"
    return bank.flood.allow(bucket, bank.settings.app_strangers_per_minute, per_seconds=FLOOD_WINDOW_SECONDS)


def _call() -> SignedCall | None:
    match = _DEVICE.fullmatch(request.headers.get(DEVICE_HEADER, ""))
    if match is None:
        return None
    return SignedCall(
        device_id=match[1],
        number=int(match[2]),
        mac=from_base64url(match[3]),
        method=request.method,
        path=request.path,
        body=request.get_data(),
    )


def _document(raw: bytes) -> Any:
    """Read a body; what is no JSON, or nested beyond sense, is no message."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None
