"""What the hosted page may show of a payment."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.rial import Rial
from gateway.domain.attempt import AttemptState
from gateway.domain.errors import AttemptInProgress, GatewayError, NotPossible, PaymentNotFound
from gateway.domain.limits import ATTEMPTS_MAX, EXTENSIONS_MAX, PIN_REQUESTS_MAX, with_digits_together
from gateway.domain.payment import OUTSIDE, PaymentState
from gateway.ports import Delivery, Kind, Order
from gateway.services.gateway import Gateway
from gateway.services.open_number import ShownTopUp, shown_top_up
from gateway.services.order import order_of
from gateway.store import bills, pages, transfers
from gateway.store.bills import BillLine
from gateway.store.pages import PageRow
from gateway.store.transfers import RequestLine, TransferLine

IN_FLIGHT = frozenset({PaymentState.PAYING, PaymentState.UNKNOWN})


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a paid customer keeps; the same facts stay on the page when the money goes back."""

    rrn: str
    tracking_code: str
    pan_masked: str
    issuer_name_fa: str
    issuer_name_en: str
    authorised_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PinStatus:
    """The last PIN request of this payment; seconds are what is left now, by the database clock, never below 0.

    Args:
        tried_since: a card was submitted after it, which may have used its code up (D4).
        delivery: what its issuer last told of the SMS.
        ask_in_seconds: when there may be news of it; ``None`` when nothing more is to be heard.
    """

    sent: bool
    requests_left: int
    resend_in_seconds: int
    expires_in_seconds: int
    code_length: int | None
    mobile_last_two: str | None
    tried_since: bool
    delivery: Delivery | None
    ask_in_seconds: int | None

    @property
    def code_good(self) -> bool:
        """Tell whether a code was sent that nothing is known to have ended."""
        return self.sent and self.expires_in_seconds > 0 and not self.tried_since


@dataclass(frozen=True, slots=True)
class PageView:
    """A payment as its page may show it; holds no card data beyond the mask of a finished payment.

    Args:
        order: what a code for this payment is bound to.
        in_flight: an attempt is being authorised or looked into; the page waits and offers nothing.
        open_until: when the page expires.
        seconds_left: until then, never below 0.
        last_decline: action code of the latest attempt when it was declined, see :mod:`gateway.domain.declines`.
        last_voided: nobody answered for the latest attempt, and the bank undid it or never had it: nothing was taken.
        decided_by: while in flight, by when the result is known or the money is back.
        promise_broken: that time is over.
        bills: what a payment of bills is for.
        transfer: who gets the money of a transfer, once that was named.
        request: what a merchant fixed of a transfer that it asked for.
        top_up: whose number is topped up.
        confirm_seconds_left: until an unconfirmed payment goes back by itself; ``None`` unless authorised.
    """

    payment_id: str
    page_token: str
    kind: Kind
    state: PaymentState
    in_flight: bool
    amount: Rial
    fee: Rial
    merchant_name_fa: str
    merchant_name_en: str
    payee_name: str
    site: str
    merchant_id: str
    terminal_id: str
    order_id: str
    description: str | None
    mobile: str | None
    reference: str
    callback_url: str
    open_until: dt.datetime
    seconds_left: int
    extensions_left: int
    attempts_left: int
    last_decline: str | None
    last_voided: bool
    decided_by: dt.datetime | None
    promise_broken: bool
    confirm_seconds_left: int | None
    order: Order
    pin: PinStatus
    receipt: Receipt | None
    bills: tuple[BillLine, ...] = ()
    transfer: TransferLine | None = None
    top_up: ShownTopUp | None = None
    request: RequestLine | None = None

    @property
    def payee_open(self) -> bool:
        """Tell whether the payer may still say who gets the money: nobody does once a card was submitted."""
        return self.request is not None and self.state is PaymentState.OPEN and self.attempts_left == ATTEMPTS_MAX

    @property
    def payee_told(self) -> str:
        """Who is paid, as the bank's message tells it."""
        return with_digits_together(self.payee_name) if self.transfer or self.top_up else self.payee_name

    @property
    def total(self) -> Rial:
        """What leaves the card: principal and fee (DE 4)."""
        return self.amount + self.fee


def page_of(gateway: Gateway, page_token: str) -> PageView:
    """Return what the page of this token may show now.

    Raises:
        PaymentNotFound: no payment has this token.
    """
    row = _read(gateway, page_token)
    shown = shown_top_up(gateway, row.kind, row.payment_id)
    return _view(row, _bills(gateway, row), _transfer(gateway, row), shown)


def why_not(gateway: Gateway, page_token: str, limit: type[GatewayError]) -> GatewayError:
    """Say why the payment's page could not do what was asked; ``limit`` is the reason when its state allows it.

    Raises:
        PaymentNotFound: no payment has this token.
    """
    row = _read(gateway, page_token)
    state = PaymentState(row.state)
    if state in IN_FLIGHT:
        return AttemptInProgress(OUTSIDE[state])
    if state is not PaymentState.OPEN:
        return NotPossible(OUTSIDE[state])
    return limit() if row.seconds_left > 0 else NotPossible(OUTSIDE[PaymentState.EXPIRED])


def _bills(gateway: Gateway, row: PageRow) -> tuple[BillLine, ...]:
    if row.kind != Kind.BILL_PAYMENT:
        return ()
    with gateway.database.single() as connection:
        return bills.of_payment(connection, row.payment_id)


def _read(gateway: Gateway, page_token: str) -> PageRow:
    with gateway.database.single() as connection:
        row = pages.page(connection, page_token)
    if row is None:
        raise PaymentNotFound
    return row


def _transfer(gateway: Gateway, row: PageRow) -> tuple[TransferLine | None, RequestLine | None]:
    if row.kind != Kind.CARD_TRANSFER:
        return None, None
    with gateway.database.single() as connection:
        return transfers.of_payment(connection, row.payment_id)


def _view(
    row: PageRow,
    lines: tuple[BillLine, ...],
    transfer: tuple[TransferLine | None, RequestLine | None],
    top_up: ShownTopUp | None,
) -> PageView:
    state = PaymentState(row.state)
    return PageView(
        payment_id=row.payment_id,
        page_token=row.page_token,
        kind=Kind(row.kind),
        state=state,
        in_flight=state in IN_FLIGHT,
        amount=Rial(row.amount_rial),
        fee=Rial(row.fee_rial),
        merchant_name_fa=row.merchant_name_fa,
        merchant_name_en=row.merchant_name_en,
        payee_name=row.payee_name,
        site=row.site,
        merchant_id=row.merchant_id,
        terminal_id=row.terminal_id,
        order_id=row.order_id,
        description=row.description,
        mobile=row.mobile,
        reference=row.reference,
        callback_url=row.callback_url,
        open_until=row.page_expires_at,
        seconds_left=row.seconds_left,
        extensions_left=EXTENSIONS_MAX - row.extensions,
        attempts_left=ATTEMPTS_MAX - row.attempts,
        last_decline=row.action_code if row.attempt_state == AttemptState.DECLINED else None,
        last_voided=row.attempt_state == AttemptState.VOIDED,
        decided_by=row.decided_by if state in IN_FLIGHT else None,
        promise_broken=row.promise_broken and state in IN_FLIGHT,
        confirm_seconds_left=row.confirm_seconds_left if state is PaymentState.AUTHORISED else None,
        order=order_of(row),
        pin=_pin(row),
        receipt=_receipt(row),
        bills=lines,
        transfer=transfer[0],
        request=transfer[1],
        top_up=top_up,
    )


def _pin(row: PageRow) -> PinStatus:
    return PinStatus(
        sent=row.pin_state == "sent",
        requests_left=PIN_REQUESTS_MAX - row.pin_requests,
        resend_in_seconds=row.resend_in_seconds,
        expires_in_seconds=row.expires_in_seconds,
        code_length=row.code_length,
        mobile_last_two=row.mobile_last_two,
        tried_since=row.tried_since,
        delivery=None if row.delivery is None else Delivery(row.delivery),
        ask_in_seconds=row.ask_in_seconds,
    )


def _receipt(row: PageRow) -> Receipt | None:
    if row.rrn is None or row.tracking_code is None or row.pan_masked is None or row.authorised_at is None:
        return None
    return Receipt(
        rrn=row.rrn,
        tracking_code=row.tracking_code,
        pan_masked=row.pan_masked,
        issuer_name_fa=row.issuer_name_fa or "",
        issuer_name_en=row.issuer_name_en or "",
        authorised_at=row.authorised_at,
    )
