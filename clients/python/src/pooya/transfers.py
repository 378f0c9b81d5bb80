"""Money from card to card: transfers whose page asks for the cards, and destinations that senders let you keep."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from pooya.answers import asked, pages, thing
from pooya.models import Card, card_of
from pooya.reading import maybe_moment, maybe_whole, moment, text
from pooya.transport import Transport

PATH, DESTINATIONS = "/transfers", "/transfer_destinations"


@dataclass(frozen=True, slots=True)
class Destination:
    """A saved destination, never its number; it is deleted at ``kept_until`` unless it was used before."""

    token: str
    masked_pan: str
    holder_name: str
    bank_fa: str
    bank_en: str
    saved_at: dt.datetime
    kept_until: dt.datetime

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(
            token=text(body, "token"),
            masked_pan=text(body, "masked_pan"),
            holder_name=text(body, "holder_name"),
            bank_fa=text(body, "bank_fa"),
            bank_en=text(body, "bank_en"),
            saved_at=moment(body, "saved_at"),
            kept_until=moment(body, "kept_until"),
        )


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer as it stands; amounts are whole rials.

    Args:
        state: open, unknown, authorised (under way to the other card), confirmed (complete), reversing, reversed,
            cancelled or expired; a later version may have others, which mean neither complete nor failed.
        amount: ``None`` until the sender has typed it.
        decided_by: while unknown, by then the result is known or the money is back; do not begin another.
        destination: the saved one that it is to, or that its sender let you keep.
        raw: everything the gateway said.
    """

    id: str
    state: str
    order_id: str
    page_url: str
    created_at: dt.datetime
    amount: int | None = None
    fee: int | None = None
    description: str | None = None
    callback_url: str | None = None
    expires_at: dt.datetime | None = None
    decided_by: dt.datetime | None = None
    authorised_at: dt.datetime | None = None
    confirmed_at: dt.datetime | None = None
    reversed_at: dt.datetime | None = None
    rrn: str | None = None
    tracking_code: str | None = None
    card: Card | None = None
    destination: Destination | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        destination = body.get("destination")
        return cls(
            id=text(body, "id"),
            state=text(body, "state"),
            order_id=text(body, "order_id"),
            page_url=text(body, "page_url"),
            created_at=moment(body, "created_at"),
            amount=maybe_whole(body, "amount"),
            fee=maybe_whole(body, "fee"),
            description=body.get("description"),
            callback_url=body.get("callback_url"),
            expires_at=maybe_moment(body, "expires_at"),
            decided_by=maybe_moment(body, "decided_by"),
            authorised_at=maybe_moment(body, "authorised_at"),
            confirmed_at=maybe_moment(body, "confirmed_at"),
            reversed_at=maybe_moment(body, "reversed_at"),
            rrn=body.get("rrn"),
            tracking_code=body.get("tracking_code"),
            card=card_of(body.get("card")),
            destination=None if destination is None else Destination.of(destination),
            raw=dict(body),
        )


class Transfers:
    """Money from card to card; ``Client.transfers``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def open(  # noqa: PLR0913 - the members of the operation
        self,
        *,
        order_id: str,
        callback_url: str,
        amount: int | None = None,
        destination_token: str | None = None,
        description: str | None = None,
        mobile: str | None = None,
        idempotency_key: str | None = None,
    ) -> Transfer:
        """Open a transfer; send the sender's browser to its ``page_url``, where the cards are typed.

        Args:
            order_id: as for :meth:`pooya.Client.open`, and so are the others that are not named here.
            callback_url: as there.
            amount: whole rials without the fee; left out, the sender types it.
            destination_token: of a saved destination of yours; left out, the sender types the card.
            description: as there.
            mobile: as there.
            idempotency_key: as there.

        Raises:
            DuplicateOrder, InvalidRequest: the order has a live payment; a value is outside its rules.
            NotFound: you have no such saved destination.
        """
        wanted = {"amount": amount, "destination_token": destination_token}
        wanted |= {"description": description, "mobile": mobile}
        body = {"order_id": order_id, "callback_url": callback_url}
        body |= {name: value for name, value in wanted.items() if value is not None}  # type: ignore[misc]  # as JSON
        key = idempotency_key or str(uuid.uuid4())
        return thing(Transfer.of, self._transport.post(PATH, body, key=key), key=key)

    def get(self, transfer_id: str) -> Transfer:
        """Read one; raises :class:`pooya.NotFound` if your terminal has none with this id."""
        return thing(Transfer.of, self._transport.get(f"{PATH}/{quote(transfer_id, safe='')}"))

    def list(
        self,
        *,
        state: str | None = None,
        order_id: str | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Iterator[Transfer]:
        """Go over your transfers, newest first, page by page as they are needed."""
        query = _query(state=state, order_id=order_id, limit=limit, cursor=cursor)
        return pages(lambda page: self._transport.get(PATH, page), Transfer.of, query)

    def destinations(self, *, limit: int | None = None, cursor: str | None = None) -> Iterator[Destination]:
        """Go over the destinations that senders let you keep, newest first."""
        query = _query(limit=limit, cursor=cursor)
        return pages(lambda page: self._transport.get(DESTINATIONS, page), Destination.of, query)

    def delete_destination(self, token: str) -> None:
        """Delete a saved destination."""
        self._transport.delete(f"{DESTINATIONS}/{quote(token, safe='')}")


def _query(**wanted: object) -> dict[str, str | int]:
    return {name: asked(value) for name, value in wanted.items() if value is not None}
