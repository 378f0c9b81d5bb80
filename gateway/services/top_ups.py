"""Somebody tops up a mobile number: whose is it, what does its operator sell, and the payment for it (D5, D7)."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from foundation.rial import Rial
from gateway.domain import purposes
from gateway.domain.errors import DuplicateOrder, RequestInProgress
from gateway.domain.references import new_order_id
from gateway.domain.top_up import Operator, amounts_of, check_amount, chosen_operator, masked, number_of, payee_text
from gateway.domain.top_up import payee_name as named
from gateway.domain.top_up_errors import OperatorNotOffered
from gateway.services.bills import terminal_caller
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Idempotency, first_answer, kept_under
from gateway.services.open_number import seal_number
from gateway.services.open_payment import OpenPurchase, PaymentRecord, values_of
from gateway.store import payments
from gateway.store import top_ups as store
from gateway.store.directory import Caller
from gateway.store.idempotency import Busy, KeyTaken
from gateway.store.payments import OrderTaken

PAGE = "/topup"
"""Where people top up numbers without a merchant, below the gateway's own address."""


@dataclass(frozen=True, slots=True)
class OpenTopUp:
    """What is asked for.

    Args:
        mobile: as it was typed; the payer's own or another's.
        operator: of a number that was ported; ``None`` takes the one that the prefix was given to.
    """

    mobile: str
    amount: Rial
    order_id: str
    callback_url: str
    operator: str | None = None
    description: str | None = None
    payer_mobile: str | None = None


def open_top_up(gateway: Gateway, caller: Caller, wanted: OpenTopUp, idempotency: Idempotency | None) -> PaymentRecord:
    """Open a payment that tops up a number; the same key with the same body returns the first answer.

    Raises:
        InvalidTopUp: number, operator or amount cannot be topped up.
        OperatorNotOffered: nobody connected that operator here.
        InvalidAmount, InvalidOrderId, InvalidCallback, InvalidText: a part of the request is outside its rules.
        IdempotencyMismatch, RequestInProgress, DuplicateOrder: as for a purchase.
    """
    values = _values(gateway, caller, wanted) | kept_under(idempotency)
    try:
        with gateway.database.begin() as connection:
            if (answer := first_answer(connection, caller, idempotency)) is not None:
                return PaymentRecord.of(answer)
            merchant_id = _connected(gateway, connection).get(str(values["operator"]))
            if merchant_id is None:
                raise OperatorNotOffered(f"no numbers of {values['operator']} are topped up here")
            return store.open_top_up(connection, values | {"operator_merchant_id": merchant_id})
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except (KeyTaken, OrderTaken):
        pass
    with gateway.database.begin() as connection:
        if (answer := first_answer(connection, caller, idempotency)) is not None:
            return PaymentRecord.of(answer)
        raise DuplicateOrder(payments.of_order(connection, caller.terminal_id, wanted.order_id) or "a payment")


def open_own(gateway: Gateway, mobile: str, operator: str | None, amount: Rial) -> PaymentRecord:
    """Open a top-up for somebody on the gateway's own page; raises what :func:`open_top_up` does.

    Raises:
        LookupError: this gateway tops up no numbers of its own.
    """
    caller = own_terminal(gateway)
    if caller is None:
        raise LookupError("set GATEWAY_TOP_UP_TERMINAL_ID to a terminal that may work")
    callback = gateway.settings.public_url + PAGE
    return open_top_up(gateway, caller, OpenTopUp(mobile, amount, new_order_id("topup"), callback, operator), None)


def own_terminal(gateway: Gateway) -> Caller | None:
    """Return the gateway's own terminal for top-ups, if there is one."""
    return terminal_caller(gateway, gateway.settings.top_up_terminal_id)


def offers(gateway: Gateway) -> dict[Operator, tuple[Rial, ...]]:
    """Return what can be topped up here today: the connected operators, in their order, with what they sell."""
    today = gateway.directory.today()
    with gateway.database.single() as connection:
        connected = _connected(gateway, connection)
    return {operator: amounts_of(operator, today) for operator in Operator if operator in connected}


def _connected(gateway: Gateway, connection: Connection) -> dict[str, str]:
    """Return the operators with the merchants that are owed; none where nobody delivers."""
    return {} if gateway.settings.top_up_url is None else store.operators(connection)


def _values(gateway: Gateway, caller: Caller, wanted: OpenTopUp) -> dict[str, object]:
    number = number_of(wanted.mobile)
    operator = chosen_operator(number, wanted.operator)
    amount = check_amount(operator, wanted.amount, gateway.directory.today())
    values = values_of(
        gateway,
        caller,
        OpenPurchase(amount, wanted.order_id, wanted.callback_url, wanted.description, wanted.payer_mobile),
        amount,
    )
    return values | {
        "operator": operator,
        "mobile_masked": masked(number),
        "mobile_sealed": seal_number(gateway, str(values["payment_id"]), number),
        "payee_key": gateway.keyring.mac(purposes.PAN_HASH, payee_text(operator, number).encode()).hex(),
        "payee_name": named(operator, number),
    }
