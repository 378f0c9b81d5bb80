"""What was paid out to you: settlements and their lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote

from pooya.answers import asked, items, pages, thing
from pooya.reading import day, maybe_moment, moment, text, whole
from pooya.transport import Transport


@dataclass(frozen=True, slots=True)
class Payout:
    """What one of your IBANs got; ``returned_at`` where the bank sent it back, to be paid again later."""

    iban: str
    amount: int
    returned_at: dt.datetime | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(text(body, "iban"), whole(body, "amount"), maybe_moment(body, "returned_at"))


@dataclass(frozen=True, slots=True)
class Settlement:
    """Your part of one batch, which never changes; sums are whole rials, ``net`` is ``gross`` without ``charge``."""

    id: str
    business_day: dt.date
    value_day: dt.date
    closed_at: dt.datetime
    lines: int
    gross: int
    charge: int
    net: int
    payouts: Sequence[Payout]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(
            id=text(body, "id"),
            business_day=day(body, "business_day"),
            value_day=day(body, "value_day"),
            closed_at=moment(body, "closed_at"),
            lines=whole(body, "lines"),
            gross=whole(body, "gross"),
            charge=whole(body, "charge"),
            net=whole(body, "net"),
            payouts=items(Payout.of, {"items": body.get("payouts")}),
        )


@dataclass(frozen=True, slots=True)
class SettlementLine:
    """A payment that was paid out.

    ``kind`` is ``payment``, ``bill``: one that you sent, ``top_up``: one that you delivered, or ``returned_payout``:
    one that came back and is paid again.
    """

    kind: str
    gross: int
    charge: int
    net: int
    payment_id: str | None = None
    order_id: str | None = None
    rrn: str | None = None
    confirmed_at: dt.datetime | None = None
    bill_id: str | None = None
    pay_id: str | None = None
    operator_reference: str | None = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read one; raises :class:`ValueError` for what is none."""
        return cls(
            kind=text(body, "kind"),
            gross=whole(body, "gross"),
            charge=whole(body, "charge"),
            net=whole(body, "net"),
            payment_id=body.get("payment_id"),
            order_id=body.get("order_id"),
            rrn=body.get("rrn"),
            confirmed_at=maybe_moment(body, "confirmed_at"),
            bill_id=body.get("bill_id"),
            pay_id=body.get("pay_id"),
            operator_reference=body.get("operator_reference"),
        )


class Settlements:
    """What was paid out to you; ``Client.settlements``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, limit: int | None = None, cursor: str | None = None) -> Iterator[Settlement]:
        """Go over your settlements, newest first, page by page as they are needed."""
        return pages(lambda page: self._transport.get("/settlements", page), Settlement.of, _query(limit, cursor))

    def get(self, settlement_id: str) -> Settlement:
        """Read one settlement without its lines; raises :class:`pooya.NotFound` if you have none with this id."""
        body = self._transport.get(_path(settlement_id), {"limit": 1})
        return thing(lambda answer: Settlement.of(answer.get("settlement") or {}), body)

    def lines(
        self, settlement_id: str, *, limit: int | None = None, cursor: str | None = None
    ) -> Iterator[SettlementLine]:
        """Go over a settlement's lines, page by page; raises :class:`pooya.NotFound` if you have none with this id."""
        path = _path(settlement_id)
        return pages(lambda page: self._transport.get(path, page), SettlementLine.of, _query(limit, cursor))


def _path(settlement_id: str) -> str:
    return f"/settlements/{quote(settlement_id, safe='')}"


def _query(limit: int | None, cursor: str | None) -> dict[str, str | int]:
    wanted = {"limit": limit, "cursor": cursor}
    return {name: asked(value) for name, value in wanted.items() if value is not None}
