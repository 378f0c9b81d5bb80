"""The page ``GET|POST /transfer``: two cards and an amount, then whose card it is and the payment page.

The answer to a submission is the payment page itself, with the source card's number in its field: it stands in this
answer only (D29).
"""

from __future__ import annotations

from http import HTTPStatus

from flask import make_response
from werkzeug.wrappers import Response as AnyResponse

from gateway.services.payee import Sending
from gateway.services.show_page import page_of
from gateway.services.transfers import PAGE, open_own, own_terminal
from gateway.web.challenges import OWN_TRANSFER, answered, challenge_for
from gateway.web.first_pages import transfer_page
from gateway.web.forms import Typed
from gateway.web.outcomes import Message
from gateway.web.own_pages import count_opening, own_pages
from gateway.web.rendering import gateway_of_app, payment_page
from gateway.web.transfer_form import REFUSED, message_of, read_form, shown_again

blueprint = own_pages("transfers", lambda gateway: own_terminal(gateway) is not None)

OPENED_PER_MINUTE = 20
"""Transfers that one address may begin: more than anybody types."""


@blueprint.get(PAGE)
def show() -> AnyResponse:
    """Show an empty form."""
    return make_response(transfer_page())


@blueprint.post(PAGE)
def submit() -> AnyResponse:
    """Ask whose card the destination is and answer with the payment page, or say what to put right."""
    gateway, read = gateway_of_app(), read_form()
    if read.source is None or read.destination is None or read.amount is None:
        return _again(*read.mistakes)
    count_opening("transfer", OPENED_PER_MINUTE)
    sending = Sending(read.source, read.destination, read.amount, answered(gateway, OWN_TRANSFER))
    try:
        opened = open_own(gateway, sending)
    except REFUSED as error:
        return _again(message_of(error))
    typed = Typed(pan=shown_again()["pan"])
    return make_response(payment_page(page_of(gateway, opened.page_token), typed=typed))


def _again(*mistakes: Message) -> AnyResponse:
    challenge = challenge_for(gateway_of_app(), OWN_TRANSFER, mistakes)
    page = transfer_page(mistakes=mistakes, typed=shown_again(), challenge=challenge)
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
