"""From what the gateway asks to the fields of a message (contracts/iso8583/v1, §2)."""

from __future__ import annotations

from gateway.ports import (
    AuthorisationRequest,
    CreditRequest,
    HolderInquiry,
    InquiryRequest,
    Order,
    RefundRequest,
    ReversalRequest,
    Route,
    Trace,
)
from gateway.switch.iso8583 import Message, write_tlv
from gateway.switch.keys import LinkKeys

POINT_OF_SERVICE = "61005061500C"
"""Keyed by the cardholder at a distance, PIN of up to twelve digits."""
RIAL = "364"
HOLDER_CODE = "330000"
"""DE 3 of a question for a name."""
REFUND = "200000"
"""DE 3 of money that goes back to the card that paid."""
TAIL_DIGITS = 8
"""So much of a transfer's destination its holder may type into an app (D24)."""
REASON = "4021"
"""DE 25: no satisfactory end in time."""


def total_of(order: Order) -> str:
    """Return DE 4: principal and fee in twelve digits (D5)."""
    return f"{(order.amount + order.fee).amount:012}"


def purchase_message(request: AuthorisationRequest, keys: LinkKeys) -> Message:
    """Write a 1200; the only place where PIN, CVV2 and expiry leave the gateway."""
    order = request.order
    private = {
        "01": request.cvv2.reveal(),
        "02": str(order.kind),
        "03": order.payee_key,
        "04": order.transaction_ref,
        **_destination(request),
    }
    fields = {
        2: request.pan.reveal(),
        14: request.expiry.reveal(),
        22: POINT_OF_SERVICE,
        24: "200",
        37: request.trace.rrn,
        42: _merchant(order),
        43: order.payee_name,
        46: f"{order.fee.amount:012}",
        48: write_tlv(private),
        49: RIAL,
        52: keys.seal_pin(request.pin, request.pan),
        53: keys.ids(with_pin=True),
    }
    return Message("1200", {**fields, **_money(order), **_own(request.trace.stan, request.trace.local_time, order)})


def credit_message(request: CreditRequest, keys: LinkKeys) -> Message:
    """Write a 1200, or the 1201 that repeats it, which gives money: without code and card data (D7)."""
    return _giving(request, request.order.processing_code, keys, again=request.repeat)


def holder_message(request: HolderInquiry, keys: LinkKeys) -> Message:
    """Write a 1100 that asks for a holder's name (D28)."""
    trace = request.trace
    fields = {
        2: request.pan.reveal(),
        3: HOLDER_CODE,
        11: trace.stan,
        12: trace.local_time,
        22: POINT_OF_SERVICE,
        24: "182",
        32: trace.acquirer_id,
        37: trace.rrn,
        41: trace.terminal_id.ljust(8),
        42: request.merchant_id.ljust(15),
        48: write_tlv({"07": request.asker}),
        53: keys.ids(),
    }
    return Message("1100", fields)


def reversal_message(request: ReversalRequest, keys: LinkKeys) -> Message:
    """Write a 1420; it needs the PAN and nothing else of the card (D1)."""
    fields = {
        2: request.pan.reveal(),
        24: "400",
        25: REASON,
        37: request.original.rrn,
        42: _merchant(request.order),
        49: RIAL,
        53: keys.ids(),
        56: _original(request.original),
    }
    return Message("1420", {**fields, **_money(request.order), **_own(request.stan, request.local_time, request.order)})


def inquiry_message(request: InquiryRequest, keys: LinkKeys) -> Message:
    """Write a 1604; it names the original and no card (D9c)."""
    fields = {24: "680", 37: request.original.rrn, 53: keys.ids(), 56: _original(request.original)}
    return Message("1604", {**fields, **_own(request.stan, request.local_time, request.order)})


def refund_message(request: RefundRequest, keys: LinkKeys) -> Message:
    """Write a 1200 that gives, or the same again as 1201; it needs the PAN and nothing else of the card (D1)."""
    return _giving(request, REFUND, keys, again=request.again)


def _destination(request: AuthorisationRequest) -> dict[str, str]:
    """Tell the bank of the source where a transfer goes: of another bank's card no more than its holder may type."""
    if request.destination is None:
        return {}
    digits = request.destination.reveal()
    return {"06": digits} if request.order.route is Route.INSIDE else {"08": digits[-TAIL_DIGITS:]}


def _giving(request: CreditRequest | RefundRequest, processing_code: str, keys: LinkKeys, *, again: bool) -> Message:
    order = request.order
    fields = {
        2: request.pan.reveal(),
        3: processing_code,
        4: total_of(order),
        22: POINT_OF_SERVICE,
        24: "200",
        37: request.trace.rrn,
        42: _merchant(order),
        43: order.payee_name,
        46: f"{order.fee.amount:012}",
        48: write_tlv({"02": str(order.kind), "04": order.transaction_ref}),
        49: RIAL,
        53: keys.ids(),
    }
    own = _own(request.trace.stan, request.trace.local_time, order)
    return Message("1201" if again else "1200", {**fields, **own})


def _money(order: Order) -> dict[int, str]:
    return {3: order.processing_code, 4: total_of(order)}


def _own(stan: str, local_time: str, order: Order) -> dict[int, str]:
    return {11: stan, 12: local_time, 32: order.acquirer_id, 41: order.terminal_id.ljust(8)}


def _merchant(order: Order) -> str:
    return order.merchant_id.ljust(15)


def _original(trace: Trace) -> str:
    return f"1200{trace.stan}{trace.local_time}{len(trace.acquirer_id):02}{trace.acquirer_id}"
