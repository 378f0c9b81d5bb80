"""The door of the dialect ``sadad-adaptor``: POST HarimRequestOptWithPan, JSON (contracts/harim/dialects).

A known PSP's message is answered with HTTP 200, signed, and a two-digit ``responseCode``; it has no place for CVV2 and
expiry, so every request is unproven (D19).
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated

from flask import Blueprint, Response
from pydantic import BaseModel, ConfigDict, Field, SecretStr

from foundation.persian import TEHRAN
from foundation.signatures import SignedMessage
from otp.domain.answers import Code
from otp.domain.binding import TransactionType
from otp.domain.psp import Psp
from otp.harim_api.dialects import Wish, grant
from otp.harim_api.operations import OK, REQUEST_DYNAMIC_PIN, counted, refusal
from otp.harim_api.rest import converse, document_of
from otp.harim_api.schemas import AmountRial
from otp.services.bank import Bank
from otp.services.issue_code import Told

DIALECT = "sadad-adaptor"
TRACE_DIGITS = 6

REQUEST_TYPES: Mapping[int, TransactionType] = MappingProxyType(
    {1: TransactionType.PURCHASE, 6: TransactionType.BALANCE_INQUIRY}
)
"""6 is known from outside; 1 is our own choice, as the list is not published."""

RESPONSE_CODES: Mapping[Code, str] = MappingProxyType(
    {
        Code.ACCEPTED: "00",
        Code.ALREADY_SENT: "00",
        Code.VERIFIED: "00",
        Code.CARD_NOT_FOUND: "56",
        Code.CARD_BLOCKED: "62",
        Code.CARD_DATA_MISMATCH: "05",
        Code.CARD_OR_CODE_WRONG: "55",
        Code.CODE_EXPIRED: "55",
        Code.CODE_USED: "55",
        Code.CODE_FOREIGN: "55",
        Code.CODE_LOCKED: "55",
        Code.NO_MOBILE: "57",
        Code.DYNAMIC_PIN_NOT_ACTIVE: "57",
        Code.TOO_MANY_REQUESTS: "65",
        Code.TOO_MANY_LIVE_CODES: "65",
        Code.INCOMPLETE_BINDING: "12",
        Code.FEE_NOT_ALLOWED: "12",
        Code.MALFORMED: "30",
        Code.SIGNATURE_REFUSED: "63",
        Code.REQUEST_ID_REUSED: "94",
        Code.STALE: "94",
        Code.UNSUPPORTED_OPERATION: "40",
        Code.TEMPORARILY_UNAVAILABLE: "91",
    }
)
"""Each code of Harim v1 in the two digits of the PSPs' common list."""

blueprint = Blueprint("harim_sadad", __name__, url_prefix="/SadadPSPHarimAdaptor")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class CardMedia(_Strict):
    """Which card."""

    pan: SecretStr


class HarimRequestOptWithPan(_Strict):
    """The message, with its own names."""

    amount: AmountRial
    card_media: Annotated[CardMedia, Field(alias="cardMedia")]
    request_type: Annotated[int, Field(alias="requestType", strict=True)]


@blueprint.post("/HarimRequestOptWithPan")
def with_pan() -> Response:
    """Send the card's holder a code."""
    return converse(_answer, refusal=_in_their_words)


@blueprint.post("/HarimRequestOptWithToken")
def with_token() -> Response:
    """Refuse: a saved card's token is the PSP's own, and this bank knows none."""

    def answer(bank: Bank, psp: Psp, signed: SignedMessage, _raw: bytes) -> Told:
        told = counted(bank, psp, REQUEST_DYNAMIC_PIN, refusal(Code.UNSUPPORTED_OPERATION, None))
        return _signed_in_their_words(told, signed)

    return converse(answer, refusal=_in_their_words)


def _answer(bank: Bank, psp: Psp, signed: SignedMessage, raw: bytes) -> Told:
    told = grant(bank, psp, lambda: _wish(raw), once=signed.nonce.encode(), body=raw)
    return _signed_in_their_words(told, signed)


def _wish(raw: bytes) -> Wish:
    message = HarimRequestOptWithPan.model_validate(document_of(raw))
    return Wish(
        dialect=DIALECT,
        type=REQUEST_TYPES.get(message.request_type),
        total=message.amount,
        pan=message.card_media.pan.get_secret_value(),
    )


def _signed_in_their_words(told: Told, signed: SignedMessage) -> Told:
    """Say it to a known PSP: HTTP is fine, the moment is the one the PSP signed, so that a repeat is answered alike."""
    moment = dt.datetime.fromtimestamp(signed.created, TEHRAN)
    return Told(OK, {**_in_their_words(told).body, "transactionDateTime": moment.strftime("%Y-%m-%dT%H:%M:%S")})


def _in_their_words(told: Told) -> Told:
    correlation_id = told.body.get("correlation_id")
    return Told(
        told.status,
        {
            "responseCode": RESPONSE_CODES[Code(told.body["code"])],
            "message": told.body["message"]["fa"],
            "systemTrace": _trace(correlation_id),
            "correlationId": correlation_id,
            "transactionDateTime": None,
        },
    )


def _trace(correlation_id: str | None) -> str | None:
    """Make six digits that follow from the code's own id."""
    return None if correlation_id is None else f"{uuid.UUID(correlation_id).int % 10**TRACE_DIGITS:06}"
