"""The page ``GET|POST /topup``: a number, its operator and an amount, then the payment page; without JavaScript."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from foundation.rial import Rial
from gateway.domain.errors import InvalidAmount
from gateway.domain.top_up_errors import InvalidTopUp, OperatorNotOffered
from gateway.services.top_ups import PAGE, offers, open_own, own_terminal
from gateway.web.first_pages import top_up_page
from gateway.web.outcomes import Message
from gateway.web.own_pages import count_opening, own_pages
from gateway.web.rendering import gateway_of_app, page_address

blueprint = own_pages("top_ups", lambda gateway: own_terminal(gateway) is not None and bool(offers(gateway)))

OPENED_PER_MINUTE = 20
"""Top-ups that one address may begin: more than anybody types."""

FIELDS = ("mobile", "operator", "amount")
TYPED_MOST = 30


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Show an empty form."""
    return make_response(top_up_page(offers(gateway_of_app())))


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Go on to the payment page, or say what to put right."""
    gateway, typed = gateway_of_app(), _typed()
    count_opening("topup", OPENED_PER_MINUTE)
    amount = Rial(int(typed["amount"]) if typed["amount"].isascii() and typed["amount"].isdigit() else 0)
    try:
        opened = open_own(gateway, typed["mobile"], typed["operator"] or None, amount)
    except (InvalidTopUp, OperatorNotOffered, InvalidAmount) as error:
        page = top_up_page(offers(gateway), mistakes=(_message(error),), typed=typed)
        return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
    return redirect(page_address(opened.page_token), HTTPStatus.SEE_OTHER)


def _typed() -> dict[str, str]:
    return {name: request.form.get(name, "").strip()[:TYPED_MOST] for name in FIELDS}


def _message(error: Exception) -> Message:
    match error:
        case InvalidTopUp(field=str(field), reason=str(reason)):
            return Message(f"top_up.{field}.{reason}", place=field)
        case OperatorNotOffered():
            return Message("top_up.operator.not_offered", place="operator")
        case _:
            return Message("top_up.amount.not_sold", place="amount")
