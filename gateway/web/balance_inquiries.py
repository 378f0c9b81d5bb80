"""The page ``GET|POST /balance``: says what it costs and leads to the card page, which answers with the balance."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, abort, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.services.balance_inquiries import PAGE, fee_today, open_own, own_terminal
from gateway.web.failures import slow_floods
from gateway.web.headers import guard
from gateway.web.rendering import balance_start_page, gateway_of_app, page_address

blueprint = Blueprint("balances", __name__)
blueprint.before_request(slow_floods)
blueprint.after_request(guard)

OPENED_PER_MINUTE = 20
"""Questions that one address may begin: more than anybody types."""


@blueprint.before_request
def only_where_offered() -> None:
    """Say that there is no such page where this gateway tells no balances."""
    if own_terminal(gateway_of_app()) is None:
        abort(HTTPStatus.NOT_FOUND)


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Say what is asked and what it costs; nothing is opened yet."""
    return make_response(balance_start_page(fee_today(gateway_of_app())))


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Open a question and go to its card page."""
    gateway = gateway_of_app()
    if not gateway.flood.allow(f"balance {request.remote_addr}", OPENED_PER_MINUTE, per_seconds=60):
        abort(HTTPStatus.TOO_MANY_REQUESTS)
    return redirect(page_address(open_own(gateway).page_token), HTTPStatus.SEE_OTHER)
