"""Payments and events as the gateway tells them. Fields of later versions are kept in ``raw`` and otherwise ignored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self, TypedDict

from pooya.reading import maybe_moment, maybe_whole, moment, text, whole


@dataclass(frozen=True, slots=True)
class Card:
    """The card that paid: never its number. The same card of yours has the same ``token``."""

    masked_pan: str
    token: str


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as it stands; amounts are whole rials.

    Args:
        state: open, unknown, authorised, confirmed, settled, reversing, reversed, refunded, cancelled or expired;
            a later version may have others, which mean neither paid nor failed.
        page_url: where the shopper pays.
        confirm_before: of a purchase, by then it must be confirmed, or the money goes back; ``None`` where nobody does.
        reverse_before: of a confirmed purchase, by then it can be given back whole.
        decided_by: while unknown, by then the result is known or the money is back; do not charge again.
        refunded_amount: what of it was refunded or is on its way back.
        first_time: after confirming, whether this call did it: deliver once. ``None`` elsewhere.
        raw: everything the gateway said.
    """

    id: str
    state: str
    amount: int
    order_id: str
    fee: int | None = None
    description: str | None = None
    page_url: str | None = None
    callback_url: str | None = None
    created_at: dt.datetime | None = None
    expires_at: dt.datetime | None = None
    confirm_before: dt.datetime | None = None
    decided_by: dt.datetime | None = None
    authorised_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    reverse_before: dt.datetime | None = None
    reversed_at: dt.datetime | None = None
    refunded_amount: int | None = None
    rrn: str | None = None
    tracking_code: str | None = None
    card: Card | None = None
    first_time: bool | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a payment.

        Raises:
            ValueError: it is not one.
        """
        return cls(
            id=text(body, "id"),
            state=text(body, "state"),
            amount=whole(body, "amount"),
            order_id=text(body, "order_id"),
            fee=maybe_whole(body, "fee"),
            card=card_of(body.get("card")),
            first_time=body.get("first_time"),
            raw=dict(body),
            description=body.get("description"),
            page_url=body.get("page_url"),
            callback_url=body.get("callback_url"),
            rrn=body.get("rrn"),
            tracking_code=body.get("tracking_code"),
            created_at=maybe_moment(body, "created_at"),
            expires_at=maybe_moment(body, "expires_at"),
            confirm_before=maybe_moment(body, "confirm_before"),
            decided_by=maybe_moment(body, "decided_by"),
            authorised_at=maybe_moment(body, "authorised_at"),
            confirmed_at=maybe_moment(body, "confirmed_at"),
            reverse_before=maybe_moment(body, "reverse_before"),
            reversed_at=maybe_moment(body, "reversed_at"),
            refunded_amount=maybe_whole(body, "refunded_amount"),
        )


@dataclass(frozen=True, slots=True)
class Refund:
    """Money of a payment on its way back to the card; amounts are whole rials.

    Args:
        refund_id: your own name of it, once for ever.
        state: waiting (for a second person at the gateway), pending (until the bank answers), done, or refused: then
            the money is yours again.
        fee: what of the cardholder's fee goes back beside the amount.
        action_code: what the bank answered, once it did.
        bill: which bill of the payment its biller refused, counted from 1; none where you asked for the refund.
    """

    refund_id: str
    payment_id: str
    amount: int
    state: str
    fee: int | None = None
    reason: str | None = None
    asked_at: dt.datetime | None = None
    decided_at: dt.datetime | None = None
    action_code: str | None = None
    bill: int | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a refund; raises :class:`ValueError` for what is none."""
        return cls(
            refund_id=text(body, "refund_id"),
            payment_id=text(body, "payment_id"),
            amount=whole(body, "amount"),
            state=text(body, "state"),
            fee=maybe_whole(body, "fee"),
            reason=body.get("reason"),
            asked_at=maybe_moment(body, "asked_at"),
            decided_at=maybe_moment(body, "decided_at"),
            action_code=body.get("action_code"),
            bill=maybe_whole(body, "bill"),
        )


@dataclass(frozen=True, slots=True)
class RefusedBill:
    """A bill that you sent, that was paid, and that you refused; ``state`` is that of its :class:`Refund`."""

    bill_id: str
    pay_id: str
    amount: int
    state: str
    reason: str | None = None
    asked_at: dt.datetime | None = None
    decided_at: dt.datetime | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(
            bill_id=text(body, "bill_id"),
            pay_id=text(body, "pay_id"),
            amount=whole(body, "amount"),
            state=text(body, "state"),
            reason=body.get("reason"),
            asked_at=maybe_moment(body, "asked_at"),
            decided_at=maybe_moment(body, "decided_at"),
        )


class Filters(TypedDict, total=False):
    """Which payments are wanted; times carry their zone. ``created_from`` is included, ``created_before`` is not.

    ``limit`` is payments per page, 1 to 100; ``cursor`` goes on where an earlier list ended.
    """

    state: str
    order_id: str
    amount: int
    card_token: str
    rrn: str
    tracking_code: str
    created_from: dt.datetime
    created_before: dt.datetime
    limit: int | None
    cursor: str | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; the same ``id`` is the same event, however often it arrives.

    Args:
        payment: the payment as it was then; ``None`` for kinds of events that are about something else.
        refund: the refund that is over, of ``payment.refunded`` and ``payment.refund_refused``.
    """

    id: str
    type: str
    created_at: dt.datetime
    payment: Payment | None
    data: Mapping[str, Any] = field(repr=False)
    refund: Refund | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an event.

        Raises:
            ValueError: it is not one.
        """
        data = body.get("data")
        if not isinstance(data, Mapping):
            raise ValueError("an event has data")  # noqa: TRY004 - one kind of error for what is not an event
        kind = text(body, "type")
        payment = Payment.of(data) if kind.startswith("payment.") else None
        refund = Refund.of(data["refund"]) if isinstance(data.get("refund"), Mapping) else None
        return cls(text(body, "id"), kind, moment(body, "created_at"), payment, dict(data), refund)


@dataclass(frozen=True, slots=True)
class Happening:
    """One line of a payment's history; ``attempt`` counts its attempts from 1."""

    at: dt.datetime
    type: str
    state: str
    attempt: int | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(moment(body, "at"), text(body, "type"), text(body, "state"), maybe_whole(body, "attempt"))


@dataclass(frozen=True, slots=True)
class Problem:
    """A row of the catalogue: what a ``code`` means and what to do about it, in Persian and English."""

    code: str
    type: str
    status: int
    title_fa: str
    title_en: str
    do_fa: str
    do_en: str

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        words = {name: text(body, name) for name in ("code", "type", "title_fa", "title_en", "do_fa", "do_en")}
        return cls(status=whole(body, "status"), **words)


def card_of(body: object) -> Card | None:
    """Read the card of a payment, if there is one yet."""
    return Card(text(body, "masked_pan"), text(body, "token")) if isinstance(body, Mapping) else None
