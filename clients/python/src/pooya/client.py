"""The merchant API of the gateway as Python."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Any, Self, Unpack
from urllib.parse import quote

from pooya.answers import asked, items, pages, thing
from pooya.endpoints import Endpoints, Events
from pooya.models import Filters, Happening, Payment, Problem, Refund, RefusedBill
from pooya.settlements import Settlements
from pooya.transfers import Transfers
from pooya.transport import Transport
from pooya.webhooks import sign_refusal

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

    Attributes:
        endpoints: where your server is told of events.
        events: everything that happened, to be read instead of being told.
        settlements: what was paid out to you.
        transfers: money from card to card.
    """

    def __init__(
        self, base_url: str, secret_key: str, *, timeout_seconds: float = TIMEOUT_SECONDS, repeats: int = REPEATS
    ) -> None:
        self._transport = Transport(base_url, secret_key, timeout_seconds=timeout_seconds, repeats=repeats)
        self.endpoints = Endpoints(self._transport)
        self.events = Events(self._transport)
        self.settlements = Settlements(self._transport)
        self.transfers = Transfers(self._transport)

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

    def open_bills(
        self,
        bills: Sequence[tuple[str, str]],
        *,
        order_id: str,
        callback_url: str,
        description: str | None = None,
        mobile: str | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Open one payment of several bills; it is complete once it is paid, without a confirmation.

        Args:
            bills: bill id and payment id of each, as they stand on it; at most ten.
            order_id: as for :meth:`open`.
            callback_url: as there.
            description: as there.
            mobile: as there.
            idempotency_key: as there.

        Raises:
            DuplicateOrder, InvalidRequest: the order has a live payment; a value is outside its rules.
            BillAlreadyPaid: somebody paid one of the bills before, or is paying it now.
        """
        listed = [{"bill_id": bill_id, "pay_id": pay_id} for bill_id, pay_id in bills]
        body: dict[str, Any] = {"bills": listed, "order_id": order_id, "callback_url": callback_url}
        body |= {name: text for name, text in (("description", description), ("mobile", mobile)) if text is not None}
        return self._post("/bills", body, idempotency_key)

    def open_top_up(  # noqa: PLR0913 - the members of the operation
        self,
        topped_mobile: str,
        amount: int,
        *,
        order_id: str,
        callback_url: str,
        operator: str | None = None,
        description: str | None = None,
        mobile: str | None = None,
        idempotency_key: str | None = None,
    ) -> Payment:
        """Open a payment that tops up a mobile number; it is complete once the operator delivered, unconfirmed.

        Args:
            topped_mobile: the number.
            amount: rials; one of the amounts that its operator sells.
            order_id: as for :meth:`open`.
            callback_url: as there.
            operator: of a number that was ported: ``mci``, ``irancell``, ``rightel`` or ``shatel``.
            description: as there.
            mobile: as there: the shopper's.
            idempotency_key: as there.

        Raises:
            DuplicateOrder, InvalidRequest: the order has a live payment; a value is outside its rules.
        """
        body: dict[str, Any] = {"topped_mobile": topped_mobile, "amount": amount}
        body |= {"order_id": order_id, "callback_url": callback_url}
        given = (("operator", operator), ("description", description), ("mobile", mobile))
        return self._post("/topups", body | {name: text for name, text in given if text is not None}, idempotency_key)

    def refuse_bill(
        self,
        bill_id: str,
        pay_id: str,
        *,
        tracking_code: str,
        secret: str,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> RefusedBill:
        """Say no to a bill that you sent and that was paid: its money goes back to the card, out of what you are owed.

        The same no again is the same refund as it stands: repeating is safe, and says how it ends.

        Args:
            bill_id: as ``bill.paid`` told it.
            pay_id: the other number on the bill, as told there.
            tracking_code: as told there.
            secret: ``whsec_…`` of one of your webhook endpoints, made or rotated 48 hours ago or earlier; the no is
                signed with it, and it is not sent.
            reason: why, at most 120 characters.
            idempotency_key: as for :meth:`open`.

        Raises:
            NotFound, NotAllowed: no such bill of yours was paid; the secret is not yours, or too new.
            NotPossible, RefundRefused: it is too late; you are not owed so much at this moment.
        """
        signature = sign_refusal(secret, tracking_code, bill_id, pay_id)
        body = {"bill_id": bill_id, "pay_id": pay_id, "tracking_code": tracking_code, "signature": signature}
        body |= {} if reason is None else {"reason": reason}
        key = idempotency_key or str(uuid.uuid4())
        return thing(RefusedBill.of, self._transport.post("/bills/refusals", body, key=key), key=key)

    def get(self, payment_id: str) -> Payment:
        """Read a payment; raises :class:`pooya.NotFound` if your terminal has none with this id."""
        return thing(Payment.of, self._transport.get(_path(payment_id)))

    def get_by_order(self, order_id: str) -> Payment:
        """Read the payment of an order: the live one, otherwise the latest; raises :class:`pooya.NotFound`."""
        return thing(Payment.of, self._transport.get(f"/orders/{quote(order_id, safe='')}"))

    def history(self, payment_id: str) -> Sequence[Happening]:
        """Return what happened to a payment, oldest first; raises :class:`pooya.NotFound`."""
        return items(Happening.of, self._transport.get(f"{_path(payment_id)}/events"))

    def confirm(self, payment_id: str, *, amount: int, idempotency_key: str | None = None) -> Payment:
        """Say that you will deliver; only then is the money yours. Deliver when ``first_time`` is true.

        Raises:
            AmountMismatch: the payment is of another amount; nothing was changed.
            NotPossible: it is not paid, or its time is over and the money goes back.
        """
        return self._post(f"{_path(payment_id)}/confirm", {"amount": amount}, idempotency_key)

    def reverse(self, payment_id: str, *, amount: int | None = None, idempotency_key: str | None = None) -> Payment:
        """Give the whole money back; the gateway repeats it to the bank until it is accepted.

        Raises:
            AmountMismatch: ``amount`` is given and not the payment's; nothing was changed.
            NotPossible: nothing was taken, or it is too late.
        """
        return self._post(
            f"{_path(payment_id)}/reverse", None if amount is None else {"amount": amount}, idempotency_key
        )

    def refund(
        self,
        payment_id: str,
        *,
        refund_id: str,
        amount: int,
        reason: str | None = None,
        idempotency_key: str | None = None,
    ) -> Refund:
        """Give money of a confirmed payment back to the card; the bank's answer comes as a webhook, or by asking again.

        The same ``refund_id`` with the same amount is the same refund as it stands, so repeating is safe at any time.

        Args:
            payment_id: the payment.
            refund_id: your own name of this refund, once for ever; 1 to 64 letters, digits and ``._-``.
            amount: whole rials, at most what is left of the payment.
            reason: for your own books, at most 120 characters.
            idempotency_key: as for :meth:`open`.

        Raises:
            NotPossible: the payment is not yours to keep, or it is too late.
            RefundRefused: more than is left, more than you are owed, or the id stands for another refund.
        """
        body: dict[str, Any] = {"refund_id": refund_id, "amount": amount}
        body |= {} if reason is None else {"reason": reason}
        key = idempotency_key or str(uuid.uuid4())
        return thing(Refund.of, self._transport.post(f"{_path(payment_id)}/refund", body, key=key), key=key)

    def refunds(self, payment_id: str) -> Sequence[Refund]:
        """Return every refund of a payment, oldest first; raises :class:`pooya.NotFound`."""
        return items(Refund.of, self._transport.get(f"{_path(payment_id)}/refunds"))

    def unconfirmed(self, *, limit: int | None = None, cursor: str | None = None) -> Iterator[Payment]:
        """Go over what is paid and must still be confirmed, the most urgent first: after an outage of your own, say."""
        return self._pages("/payments/unconfirmed", {"limit": limit, "cursor": cursor})

    def list(self, **filters: Unpack[Filters]) -> Iterator[Payment]:
        """Go over payments, newest first, page by page as they are needed; filters are joined by *and*.

        Raises:
            InvalidRequest: a value is outside its rules.
        """
        return self._pages("/payments", filters)

    def problems(self) -> Sequence[Problem]:
        """Return the catalogue of everything that the gateway may refuse, with what to do."""
        return items(Problem.of, self._transport.get("/problems"))

    def _pages(self, path: str, filters: Filters) -> Iterator[Payment]:
        query = {name: asked(value) for name, value in filters.items() if value is not None}
        return pages(lambda page: self._transport.get(path, page), Payment.of, query)

    def _post(self, path: str, body: dict[str, Any] | None, key: str | None) -> Payment:
        key = key or str(uuid.uuid4())
        return thing(Payment.of, self._transport.post(path, body, key=key), key=key)


def _path(payment_id: str) -> str:
    return f"/payments/{quote(payment_id, safe='')}"
