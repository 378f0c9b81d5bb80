"""The page ``GET|POST /transfer/{page_token}``: what a merchant left open of a transfer is typed, the holder named.

The answer to a submission is the payment page, as on the gateway's own page for transfers. It can be sent again, for
another payee, until a card was submitted; the payment page of before is then refused, because it names somebody else.
"""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.domain.errors import AttemptInProgress, NotPossible, PaymentNotFound
from gateway.domain.transfer_errors import PayeeFixed
from gateway.services.show_page import PageView, page_of
from gateway.services.transfer_requests import Naming, name_payee
from gateway.web.challenges import answered, challenge_for
from gateway.web.failures import slow_floods
from gateway.web.forms import CardForm, Typed
from gateway.web.headers import guard
from gateway.web.outcomes import Message, kind_of
from gateway.web.own_pages import count_opening
from gateway.web.rendering import asked_fields, gateway_of_app, naming_page, outcome_page, page_address, payment_page
from gateway.web.transfer_form import REFUSED, message_of, read_form, shown_again

blueprint = Blueprint("transfer_requests", __name__)
blueprint.before_request(slow_floods)
blueprint.after_request(guard)

NAMED_PER_MINUTE = 20
"""Payees that one address may name: more than anybody types."""


@blueprint.get("/transfer/<page_token>")
def show(page_token: str) -> AnyResponse:
    """Show the form while a payee can still be named; otherwise the payment as it stands."""
    view = page_of(gateway_of_app(), page_token)
    if not _can_be_named(view):
        return redirect(page_address(page_token), HTTPStatus.SEE_OTHER)
    return make_response(naming_page(view))


@blueprint.post("/transfer/<page_token>")
def submit(page_token: str) -> AnyResponse:
    """Ask whose card the destination is and answer with the payment page, or say what to put right."""
    gateway = gateway_of_app()
    view = page_of(gateway, page_token)
    if not _can_be_named(view):
        return redirect(page_address(page_token), HTTPStatus.SEE_OTHER)
    if not CardForm.of(gateway.keyring, page_token).genuine():
        return _again(view, Message("form.stale"))
    read = read_form(asked_fields(view))
    if read.source is None or read.mistakes:
        return _again(view, *read.mistakes)
    count_opening("transfer", NAMED_PER_MINUTE)
    save = "save" in asked_fields(view) and bool(request.form.get("save"))
    typed = Naming(read.source, read.destination, read.amount, save, answered(gateway, page_token))
    try:
        name_payee(gateway, page_token, typed)
    except REFUSED as error:
        return _again(view, message_of(error))
    except (NotPossible, AttemptInProgress, PayeeFixed):
        return redirect(page_address(page_token), HTTPStatus.SEE_OTHER)
    return make_response(payment_page(page_of(gateway, page_token), typed=Typed(pan=shown_again()["pan"])))


@blueprint.errorhandler(PaymentNotFound)
def missing(_error: PaymentNotFound) -> AnyResponse:
    """Say that there is no such payment; nothing more, whoever asks."""
    return make_response(outcome_page("missing"), HTTPStatus.NOT_FOUND)


def _can_be_named(view: PageView) -> bool:
    return view.payee_open and kind_of(view) in {"payee", "card"}


def _again(view: PageView, *mistakes: Message) -> AnyResponse:
    challenge = challenge_for(gateway_of_app(), view.page_token, mistakes)
    page = naming_page(view, mistakes=mistakes, typed=shown_again(), challenge=challenge)
    return make_response(page, HTTPStatus.UNPROCESSABLE_ENTITY)
