"""Payments and events as the gateway tells them. Fields of later versions are kept in ``raw`` and otherwise ignored."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self


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
        decided_by: while unknown, by then the result is known or the money is back; do not charge again.
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
    reversed_at: dt.datetime | None = None
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
            id=_text(body, "id"),
            state=_text(body, "state"),
            amount=_whole(body, "amount"),
            order_id=_text(body, "order_id"),
            fee=None if body.get("fee") is None else _whole(body, "fee"),
            card=_card(body.get("card")),
            first_time=body.get("first_time"),
            raw=dict(body),
            description=body.get("description"),
            page_url=body.get("page_url"),
            callback_url=body.get("callback_url"),
            rrn=body.get("rrn"),
            tracking_code=body.get("tracking_code"),
            created_at=_moment(body.get("created_at")),
            expires_at=_moment(body.get("expires_at")),
            confirm_before=_moment(body.get("confirm_before")),
            decided_by=_moment(body.get("decided_by")),
            authorised_at=_moment(body.get("authorised_at")),
            confirmed_at=_moment(body.get("confirmed_at")),
            reversed_at=_moment(body.get("reversed_at")),
        )


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened; the same ``id`` is the same event, however often it arrives.

    Args:
        payment: the payment as it was then; ``None`` for kinds of events that are about something else.
    """

    id: str
    type: str
    created_at: dt.datetime
    payment: Payment | None
    data: Mapping[str, Any] = field(repr=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an event.

        Raises:
            ValueError: it is not one.
        """
        data = body.get("data")
        if not isinstance(data, Mapping):
            raise ValueError("an event has data")  # noqa: TRY004 - one kind of error for what is not an event
        kind, at = _text(body, "type"), _moment(body.get("created_at"))
        if at is None:
            raise ValueError("an event has a time")
        payment = Payment.of(data) if kind.startswith("payment.") else None
        return cls(_text(body, "id"), kind, at, payment, dict(data))


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name} is missing")
    return value


def _whole(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"{name} is not a whole number")  # noqa: TRY004 - one kind of error for what is no payment
    return value


def _card(body: object) -> Card | None:
    return Card(_text(body, "masked_pan"), _text(body, "token")) if isinstance(body, Mapping) else None


def _moment(text: object) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(str(text))
