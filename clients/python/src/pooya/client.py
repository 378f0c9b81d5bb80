"""The merchant API of the gateway as Python."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from pooya.errors import Unavailable
from pooya.models import Payment
from pooya.transport import Transport

TIMEOUT_SECONDS = 10.0
REPEATS = 2


class Client:
    """One merchant's terminal at the gateway; may be shared by threads.

    Every method raises :class:`pooya.Refused` (or the class of its code) when the gateway says no, and
    :class:`pooya.Unavailable` when there was no answer: then nothing may be assumed, and the same call under the same
    idempotency key is safe.

    Args:
        base_url: the gateway's address.
        secret_key: ``sk_test_…`` or ``sk_live_…``.
        timeout_seconds: for connecting, and for each answer.
        repeats: how often a call without an answer is repeated before :class:`pooya.Unavailable`.
    """

    def __init__(
        self, base_url: str, secret_key: str, *, timeout_seconds: float = TIMEOUT_SECONDS, repeats: int = REPEATS
    ) -> None:
        self._transport = Transport(base_url, secret_key, timeout_seconds=timeout_seconds, repeats=repeats)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the kept-alive connections."""
        self._transport.close()

    def open(
        self,
        *,
        amount: int,
        order_id: str,
        callback_url: str,
        description: str | None = None,
        mobile: str | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Open a payment; send the shopper's browser to its ``page_url``.

        Args:
            amount: whole rials.
            order_id: your own number, 1 to 64 letters, digits and ``._-``; it has one live payment at most.
            callback_url: on your registered site; the shopper returns there.
            description: shown on the page, at most 120 characters.
            mobile: the shopper's, ``09`` and nine digits.
            idempotency_key: the same key always returns the same payment; a new one by default.

        Raises:
            DuplicateOrder, InvalidRequest: the order has a live payment; a value is outside its rules.
        """
        body = {"amount": amount, "order_id": order_id, "callback_url": callback_url}
        body |= {name: text for name, text in (("description", description), ("mobile", mobile)) if text is not None}
        return self._post("/payments", body, idempotency_key)

    def get(self, payment_id: str) -> Payment:
        """Read a payment.

        Raises:
            NotFound: your terminal has none with this id.
        """
        return _payment(self._transport.get(_path(payment_id)))

    def confirm(self, payment_id: str, *, amount: int, idempotency_key: str | None = None) -> Payment:
        """Say that you will deliver; only then is the money yours. Deliver when ``first_time`` is true.

        Raises:
            AmountMismatch: the payment is of another amount; nothing was changed.
            NotPossible: it is not paid, or its time is over and the money goes back.
        """
        return self._post(f"{_path(payment_id)}/confirm", {"amount": amount}, idempotency_key)

    def reverse(self, payment_id: str, *, idempotency_key: str | None = None) -> Payment:
        """Give the whole money back; the gateway repeats it to the bank until it is accepted.

        Raises:
            NotPossible: nothing was taken, or it is too late.
        """
        return self._post(f"{_path(payment_id)}/reverse", None, idempotency_key)

    def list(self, **filters: str | int) -> Iterator[Payment]:
        """Go over payments, page by page as they are needed; ``state="authorised"`` chooses by state, and so on.

        Raises:
            InvalidRequest: there is no such filter or value.
        """
        query: dict[str, str | int] = dict(filters)
        while True:
            page = self._transport.get("/payments", query)
            items, cursor = page.get("items"), page.get("next_cursor")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise Unavailable("unexpected answer: no list")
            yield from map(_payment, items)
            if not isinstance(cursor, str) or cursor == query.get("cursor"):
                return
            query["cursor"] = cursor

    def _post(self, path: str, body: dict[str, Any] | None, key: str | None) -> Payment:
        key = key or str(uuid.uuid4())
        return _payment(self._transport.post(path, body, key=key), key=key)


def _path(payment_id: str) -> str:
    return f"/payments/{quote(payment_id, safe='')}"


def _payment(body: dict[str, Any], *, key: str | None = None) -> Payment:
    try:
        return Payment.of(body)
    except ValueError as error:
        raise Unavailable(f"unexpected answer: {error}", idempotency_key=key) from None
