"""The payment page ``GET|POST /pay/{page_token}``: one plain form, complete without JavaScript (D29, D40)."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, jsonify, make_response, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from gateway.domain.challenge import WORK_BITS
from gateway.domain.errors import NotPossible, PaymentNotFound
from gateway.domain.limits import DELIVERY_CHECK_SECONDS
from gateway.ports import PinAnswer, PinRefused, PinSent, PinUnanswered
from gateway.services.authorise import Refused, Told, pay
from gateway.services.cancel import cancel
from gateway.services.challenge import challenge_due, is_met, new_challenge, picture_digits
from gateway.services.extend import extend
from gateway.services.follow_pin import page_with_delivery
from gateway.services.gateway import Gateway
from gateway.services.look_alike import minutes_since_alike
from gateway.services.look_up_receipt import look_up_receipt
from gateway.services.request_pin import request_pin
from gateway.services.show_page import PageView, page_of
from gateway.web.failures import slow_floods
from gateway.web.forms import NOTHING_TYPED, CardForm
from gateway.web.headers import guard
from gateway.web.outcomes import ERRORS, Message, kind_of, last_attempt_messages, pin_message, refusal_messages
from gateway.web.own_pages import count_opening
from gateway.web.picture import picture_of
from gateway.web.qr import qr_file
from gateway.web.rendering import (
    balance_page,
    delivery_answer,
    gateway_of_app,
    language,
    outcome_page,
    page_address,
    payment_page,
    receipt_check_page,
    said,
)
from gateway.web.sound import sound_of

blueprint = Blueprint("pages", __name__)
blueprint.before_request(slow_floods)
blueprint.after_request(guard)

FOR_THE_APP = "POOYA1|"
"""How a text begins that banks' apps read from the page's QR code; what follows is the canonical text (D24)."""

CHECKS_PER_MINUTE = 30
"""Receipts one address may look up; their codes are too long to guess anyway."""

Deed = Callable[[Gateway, str, CardForm], AnyResponse]


@blueprint.get("/pay/<page_token>")
def show(page_token: str) -> AnyResponse:
    """Show the payment as it stands now; never a card number (D29)."""
    view = page_with_delivery(gateway_of_app(), page_token)
    sent = (Message("pin.already_sent", "good"),) if view.pin.code_good else ()
    return make_response(payment_page(view, mistakes=last_attempt_messages(view), notes=sent, title="declined.title"))


@blueprint.get("/pay/<page_token>/pin")
def follow(page_token: str) -> AnyResponse:
    """Tell the page's script what became of the SMS; as seldom as it may ask, its issuer is asked more seldom still."""
    view = page_with_delivery(gateway_of_app(), page_token)
    if kind_of(view) != "card":
        return jsonify(tone="good", message="", again_in_seconds=0)
    return jsonify(delivery_answer(view.pin))


@blueprint.get("/pay/<page_token>/picture/<challenge>")
def picture(page_token: str, challenge: str) -> AnyResponse:
    """Draw the digits of a challenge of this page, differently each time."""
    return Response(picture_of(_digits(page_token, challenge)), mimetype="image/png")


@blueprint.get("/pay/<page_token>/sound/<challenge>")
def sound(page_token: str, challenge: str) -> AnyResponse:
    """Say the same digits in the customer's language, differently each time."""
    return Response(sound_of(_digits(page_token, challenge), language()), mimetype="audio/wav")


def _digits(page_token: str, challenge: str) -> str:
    digits = picture_digits(gateway_of_app(), page_token, challenge)
    if digits is None:
        raise PaymentNotFound
    return digits


@blueprint.get("/pay/<page_token>/qr.svg")
def qr(page_token: str) -> AnyResponse:
    """Draw what a bank's app makes a code for this payment of: nine facts, nothing of a card."""
    view = page_of(gateway_of_app(), page_token)
    if kind_of(view) != "card":
        raise PaymentNotFound
    return Response(qr_file(FOR_THE_APP + view.order.canonical()), mimetype="image/svg+xml")


@blueprint.get("/receipt/<tracking_code>")
def check(tracking_code: str) -> AnyResponse:
    """Tell anybody with a tracking code that it is genuine, how much and when; the rest needs the QR's seal (D28)."""
    count_opening("receipt", CHECKS_PER_MINUTE)
    found = look_up_receipt(gateway_of_app(), tracking_code, request.args.get("s", ""))
    return make_response(receipt_check_page(found))


@blueprint.post("/pay/<page_token>")
def submit(page_token: str) -> AnyResponse:
    """Do what the pressed button says, and answer with the page of what came of it."""
    gateway = gateway_of_app()
    form = CardForm.of(gateway.keyring, page_token)
    if not form.genuine():
        return _shown_again(page_token, form, Message("form.stale"), keep=False)
    try:
        return _DEEDS[form.deed](gateway, page_token, form)
    except NotPossible:
        return _present_state(page_token)
    except tuple(ERRORS) as error:
        message, status = ERRORS[type(error)]
        return _shown_again(page_token, form, message, status=status)


@blueprint.errorhandler(PaymentNotFound)
def missing(_error: PaymentNotFound) -> AnyResponse:
    """Say that there is no such payment or receipt; nothing more, whoever asks."""
    kind = "check.missing" if request.endpoint == "pages.check" else "missing"
    return make_response(outcome_page(kind), HTTPStatus.NOT_FOUND)


def _pay(gateway: Gateway, page_token: str, form: CardForm) -> AnyResponse:
    if not form.validate():
        return _shown_again(page_token, form, *_mistakes(form))
    result = pay(gateway, page_token, form.card_entry(), form.consent())
    if isinstance(result, Refused):
        messages = refusal_messages(result.decline, result.attempts_left)
        return _shown_again(page_token, form, *messages, title="declined.title")
    if isinstance(result, Told):
        return make_response(balance_page(page_of(gateway, page_token), result.balance))
    return _present_state(page_token)


def _request_pin(gateway: Gateway, page_token: str, form: CardForm) -> AnyResponse:
    if not form.validate():
        return _shown_again(page_token, form, *_mistakes(form))
    if challenge_due(gateway, request.remote_addr or "") and not is_met(gateway, page_token, **form.challenge_answer()):
        return _challenged(gateway, page_token, form)
    answer = request_pin(gateway, page_token, form.card_entry())
    message, view = pin_message(answer), page_of(gateway, page_token)
    alike = _alike(gateway, view, form, answer)
    if _wants_json():
        return jsonify(
            tone=message.tone,
            message=said(message, view.kind),
            alike=said(alike, view.kind) if alike else "",
            seconds_left=view.seconds_left,
            resend_in_seconds=_seconds_until_resend(answer),
            follow_in_seconds=DELIVERY_CHECK_SECONDS if isinstance(answer, PinSent) and answer.followed_as else 0,
        )
    notes = (message, alike) if alike else (message,)
    return make_response(payment_page(view, notes=notes, typed=form.shown_again()))


def _challenged(gateway: Gateway, page_token: str, form: CardForm) -> AnyResponse:
    """Answer with a challenge: to the script, which works it off unseen; otherwise as digits in a picture."""
    challenge = new_challenge(gateway, page_token)
    if _wants_json():
        return make_response(jsonify(challenge=challenge, bits=WORK_BITS), HTTPStatus.FORBIDDEN)
    key = "picture.wrong" if form.challenge_answer()["digits"] else "picture.needed"
    mistake = Message(key, place="picture_code")
    page = payment_page(
        page_of(gateway, page_token),
        mistakes=(mistake,),
        typed=form.shown_again(),
        title="pin_errors.title",
        challenge=challenge,
    )
    return make_response(page, HTTPStatus.FORBIDDEN)


def _alike(gateway: Gateway, view: PageView, form: CardForm, answer: PinAnswer) -> Message | None:
    """Ask whether the payment is meant twice, where the issuer told something of the card (D19)."""
    if not isinstance(answer, PinSent) or answer.expires_in_seconds is None:
        return None
    minutes = minutes_since_alike(gateway, view, form.card_entry().pan)
    return None if minutes is None else Message("pay.alike", "warn", {"minutes": minutes})


def _cancel(gateway: Gateway, page_token: str, _form: CardForm) -> AnyResponse:
    cancel(gateway, page_token)
    return _present_state(page_token)


def _extend(gateway: Gateway, page_token: str, form: CardForm) -> AnyResponse:
    extend(gateway, page_token)
    view = page_of(gateway, page_token)
    more = Message("extended", "good", {"minutes": gateway.settings.extension_minutes})
    return make_response(payment_page(view, notes=(more,), typed=form.shown_again()))


_DEEDS: dict[str, Deed] = {"pay": _pay, "request_pin": _request_pin, "cancel": _cancel, "extend": _extend}
_RESEND_SECONDS = 60
"""How long the button waits where the issuer does not say (an unproven request, D19)."""


_TITLES = {
    "pay": "errors.title",
    "request_pin": "pin_errors.title",
    "cancel": "errors.title",
    "extend": "errors.title",
}


def _seconds_until_resend(answer: PinAnswer) -> int:
    match answer:
        case PinSent(resend_in_seconds=seconds):
            return seconds or _RESEND_SECONDS
        case PinRefused(retry_after_seconds=seconds):
            return seconds or 0
        case PinUnanswered():
            return 0


def _mistakes(form: CardForm) -> tuple[Message, ...]:
    return tuple(Message(key, place=place) for place, key in form.mistakes())


def _shown_again(
    page_token: str,
    form: CardForm,
    *messages: Message,
    status: HTTPStatus = HTTPStatus.UNPROCESSABLE_ENTITY,
    keep: bool = True,
    title: str | None = None,
) -> AnyResponse:
    """Answer with the card page and what went wrong; the card number stands in this answer only (D29)."""
    first, view = messages[0], page_of(gateway_of_app(), page_token)
    if _wants_json():
        answer = jsonify(
            tone=first.tone,
            message=said(first, view.kind),
            field=first.place,
            reload=not keep,
            seconds_left=view.seconds_left,
        )
        return make_response(answer, status)
    typed = form.shown_again() if keep else NOTHING_TYPED
    page = payment_page(view, mistakes=messages, typed=typed, title=title or _TITLES[form.deed])
    return make_response(page, status if kind_of(view) == "card" else HTTPStatus.OK)


def _present_state(page_token: str) -> AnyResponse:
    """Send the browser to the payment's own page, which holds no card number."""
    if _wants_json():
        return jsonify(reload=True)
    return redirect(page_address(page_token), HTTPStatus.SEE_OTHER)


def _wants_json() -> bool:
    """Tell whether the page's script asks, which puts the answer in place instead of loading a page."""
    return request.accept_mimetypes.best == "application/json"
