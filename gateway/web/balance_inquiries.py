"""The page ``GET|POST /balance``: says what it costs and leads to the card page, which answers with the balance."""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response, redirect
from werkzeug.wrappers import Response as AnyResponse

from gateway.services.balance_inquiries import PAGE, fee_today, open_own, own_terminal
from gateway.web.first_pages import balance_start_page
from gateway.web.own_pages import count_opening, own_pages
from gateway.web.rendering import gateway_of_app, page_address

blueprint = own_pages("balances", lambda gateway: own_terminal(gateway) is not None)

OPENED_PER_MINUTE = 20
"""Questions that one address may begin: more than anybody types."""


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Say what is asked and what it costs; nothing is opened yet."""
    return make_response(balance_start_page(fee_today(gateway_of_app())))


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Open a question and go to its card page."""
    gateway = gateway_of_app()
    count_opening("balance", OPENED_PER_MINUTE)
    return redirect(page_address(open_own(gateway).page_token), HTTPStatus.SEE_OTHER)
