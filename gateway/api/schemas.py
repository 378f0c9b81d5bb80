"""What merchants send and get: the models behind contracts/merchant/v1 (a test compares the two)."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, field_validator

from foundation.nul import NUL
from gateway.config import Settings
from gateway.domain.limits import CALLBACK_MAX, DESCRIPTION_MAX, PURCHASE_LEAST, PURCHASE_MOST
from gateway.domain.order import Kind
from gateway.domain.payment import OUTSIDE, TIMELINE, PaymentEvent, PaymentState
from gateway.domain.references import ORDER_ID_PATTERN
from gateway.services.open_payment import PaymentRecord
from gateway.services.read_payment import EventRecord

State = Literal[
    "open",
    "authorised",
    "confirmed",
    "settled",
    "reversing",
    "reversed",
    "refunded",
    "cancelled",
    "expired",
    "unknown",
]
CURSOR_MOST = 200
EventType = Literal[
    "opened",
    "submitted",
    "authorised",
    "declined",
    "unanswered",
    "approved_too_late",
    "attempt_reversed",
    "cancelled",
    "expired",
    "confirmed",
    "reversal_asked",
    "not_confirmed_in_time",
    "reversed",
    "settled",
    "refund_requested",
    "refund_done",
    "refund_refused",
    "refunded",
]
BIGGEST = 10**15
"""Beyond any amount; keeps numbers within what the database holds."""

PAGE_MOST = 100
PAGE_USUAL = 25
NUMBER_DIGITS = 18
_RFC3339 = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:.]{8,26}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII)


def _told(**rules: Any) -> dict[str, Any]:
    """Return rules that the contract tells and the domain checks, each answered 422 with its own code."""
    return rules


def _digits(text: object) -> object:
    if isinstance(text, str) and not (text.isascii() and text.isdigit() and len(text) <= NUMBER_DIGITS):
        raise ValueError("is a whole number in ASCII digits")
    return text


def _moment(text: object) -> object:
    if not isinstance(text, str) or not _RFC3339.fullmatch(text):
        raise ValueError("is a time as 2026-11-24T12:00:00Z; write a + in an address as %2B")
    return text


def whole(value: object) -> object:
    """Read ``5000.0`` as JSON means it: the whole number that some languages write so."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Amount = Annotated[int, Field(strict=True, ge=1, le=BIGGEST, description="whole rials"), BeforeValidator(whole)]
Text = Annotated[str, Field(strict=True)]
Limit = Annotated[int, Field(ge=1, le=PAGE_MOST), BeforeValidator(_digits)]
Rials = Annotated[int, Field(ge=1, le=BIGGEST), BeforeValidator(_digits)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class In(BaseModel):
    """What is sent; an unknown member is refused, and a text that the database cannot hold."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @field_validator("*")
    @classmethod
    def _without_nul(cls, value: object) -> object:
        texts = value if isinstance(value, list) else [value]
        if any(isinstance(text, str) and NUL in text for text in texts):
            raise ValueError("has the character NUL")
        return value


class _Out(BaseModel):
    model_config = ConfigDict(frozen=True)


class OpenIn(In):
    """What every payment is opened with."""

    order_id: Annotated[
        Text,
        Field(
            description="your own number: 1 to 64 letters, digits and ._-",
            json_schema_extra=_told(pattern=ORDER_ID_PATTERN, minLength=1, maxLength=64),
        ),
    ]
    callback_url: Annotated[
        Text,
        Field(
            description="on your registered site; the shopper returns there",
            json_schema_extra=_told(format="uri", maxLength=CALLBACK_MAX),
        ),
    ]
    description: Annotated[
        Text | None,
        Field(
            description=f"shown on the page, at most {DESCRIPTION_MAX} printable characters",
            json_schema_extra=_told(maxLength=DESCRIPTION_MAX),
        ),
    ] = None
    mobile: Annotated[
        Text | None,
        Field(description="the shopper's, 09 and nine digits", json_schema_extra=_told(pattern="^09[0-9]{9}$")),
    ] = None


class OpenPaymentIn(OpenIn):
    """Open a payment of one amount for one order."""

    amount: Annotated[
        Amount, Field(json_schema_extra=_told(minimum=PURCHASE_LEAST.amount, maximum=PURCHASE_MOST.amount))
    ]


class ConfirmIn(In):
    """Confirm a payment; the amount must be the payment's."""

    amount: Amount


class ReverseIn(In):
    """Reverse a payment as a whole; the body may be left out."""

    amount: Annotated[Amount | None, Field(description="if sent, it must be the payment's: a part is not reversed")] = (
        None
    )


class PageQuery(In):
    """Which page of a list."""

    limit: Annotated[Limit, Field(description="rows per page")] = PAGE_USUAL
    cursor: Annotated[
        str | None,
        Field(max_length=CURSOR_MOST, description="next_cursor of the page before; keep the filters while paging"),
    ] = None


class ListQuery(PageQuery):
    """Which payments; filters are joined by and."""

    state: Annotated[State | None, Field(description="as they stand now")] = None
    order_id: Annotated[str | None, Field(pattern=ORDER_ID_PATTERN, description="every payment of one order")] = None
    amount: Annotated[Rials | None, Field(description="exactly this many rials")] = None
    card_token: Annotated[str | None, Field(pattern="^card_[0-9a-f]{32}$", description="paid with this card")] = None
    rrn: Annotated[str | None, Field(pattern="^[0-9]{12}$", description="retrieval reference number")] = None
    tracking_code: Annotated[
        str | None, Field(pattern="^[0-9]{12,20}$", description="what the shopper reads on the receipt")
    ] = None
    created_from: Annotated[Moment | None, Field(description="opened at this moment or later, RFC 3339")] = None
    created_before: Annotated[Moment | None, Field(description="opened before this moment, RFC 3339")] = None


class CardOut(_Out):
    """The card that paid: never its number."""

    masked_pan: Annotated[str, Field(description="first six and last four digits")]
    token: Annotated[str, Field(description="the same card of yours has the same token; other merchants see another")]


class PaymentOut(_Out):
    """A payment as it stands."""

    id: str
    state: State
    amount: Annotated[
        int, Field(description="rials, without the fee; 0 for a transfer whose payer has not typed it yet")
    ]
    fee: Annotated[int, Field(description="rials the cardholder pays on top")]
    order_id: str
    description: str | None
    page_url: Annotated[str, Field(description="send the shopper's browser here")]
    callback_url: str
    created_at: dt.datetime
    expires_at: Annotated[dt.datetime, Field(description="until then the page can be paid")]
    confirm_before: Annotated[
        dt.datetime | None,
        Field(description="a purchase not confirmed by then goes back by itself; null for everything else"),
    ]
    decided_by: Annotated[
        dt.datetime | None,
        Field(description="while unknown: by then the result is known or the money is back; do not charge again"),
    ]
    authorised_at: dt.datetime | None
    confirmed_at: dt.datetime | None
    reverse_before: Annotated[
        dt.datetime | None, Field(description="a confirmed purchase can be reversed until then; null when it is not")
    ]
    reversed_at: dt.datetime | None
    refunded_amount: Annotated[
        int, Field(description="rials of it that were refunded or are on their way; a refused refund counts no more")
    ]
    rrn: Annotated[str | None, Field(description="retrieval reference number, 12 digits")]
    tracking_code: Annotated[str | None, Field(description="what the shopper reads on the receipt")]
    card: CardOut | None


class ConfirmedOut(PaymentOut):
    """A confirmed payment."""

    first_time: Annotated[
        bool,
        Field(description="true for the call that confirmed and for repeats under its Idempotency-Key; deliver once"),
    ]


class PaymentsOut(_Out):
    """One page of a list."""

    items: list[PaymentOut]
    next_cursor: Annotated[str | None, Field(description="send it as cursor for the next page; null at the end")]


class EventOut(_Out):
    """One thing that happened to a payment."""

    at: dt.datetime
    type: EventType
    state: Annotated[State, Field(description="how the payment stood then")]
    attempt: Annotated[int | None, Field(description="which try of the shopper, from 1; null when it is about none")]


class EventsOut(_Out):
    """A payment's history, oldest first."""

    items: list[EventOut]


class FlawOut(_Out):
    """One place of the request; exactly one of pointer, parameter and header is there."""

    pointer: Annotated[str | None, Field(description="JSON pointer into the body")] = None
    parameter: Annotated[str | None, Field(description="of the query")] = None
    header: str | None = None
    detail: str


class Problem(_Out):
    """RFC 9457 problem details."""

    type: Annotated[str, Field(description="address of the explanation, ends in # and the code")]
    title: Annotated[str, Field(description="in Persian where Accept-Language prefers it")]
    status: int
    detail: str
    code: Annotated[str, Field(description="stable, for machines")]
    errors: list[FlawOut] | None = None
    payment_id: str | None = None
    state: State | None = None
    scope: Annotated[str | None, Field(description="what the key lacks")] = None


class ProblemRow(_Out):
    """One problem of the catalogue."""

    code: str
    type: str
    status: int
    title_fa: str
    title_en: str
    do_fa: str
    do_en: str


class ProblemsOut(_Out):
    """Every problem the API answers with."""

    items: list[ProblemRow]


def payment_out(record: PaymentRecord, settings: Settings) -> PaymentOut:
    """Show a payment to its merchant."""
    return PaymentOut.model_validate(facts(record, settings))


def event_out(record: EventRecord) -> EventOut:
    """Show an event to the payment's merchant."""
    word = TIMELINE[PaymentEvent(record.event)]
    values = {"at": record.at, "type": word, "state": OUTSIDE[record.state], "attempt": record.attempt}
    return EventOut.model_validate(values)


def facts(record: PaymentRecord, settings: Settings) -> dict[str, object]:
    """Return what a merchant may know of a payment, by the names of the contract."""
    card = None
    if record.pan_masked is not None and record.card_token is not None:
        card = CardOut(masked_pan=record.pan_masked, token=record.card_token)
    window = dt.timedelta(seconds=record.confirm_window_seconds)
    purchase = record.kind is Kind.PURCHASE
    whole = purchase and record.state is PaymentState.CONFIRMED and not record.refunded_rial
    reversible = record.confirmed_at if whole else None
    return {
        "id": record.payment_id,
        "state": OUTSIDE[record.state],
        "amount": record.amount_rial,
        "fee": record.fee_rial,
        "order_id": record.order_id,
        "description": record.description,
        "page_url": f"{settings.public_url.rstrip('/')}/pay/{record.page_token}",
        "callback_url": record.callback_url,
        "created_at": record.created_at,
        "expires_at": record.page_expires_at,
        "confirm_before": record.authorised_at + window if purchase and record.authorised_at else None,
        "decided_by": record.decided_by if record.state is PaymentState.UNKNOWN else None,
        "authorised_at": record.authorised_at,
        "confirmed_at": record.confirmed_at,
        "reverse_before": reversible and reversible + dt.timedelta(seconds=settings.reverse_window_seconds),
        "reversed_at": record.reversed_at,
        "refunded_amount": record.refunded_rial,
        "rrn": record.rrn,
        "tracking_code": record.tracking_code,
        "card": card,
    }
