"""The operators' page ``/console``: made on the server, works without a script."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, g, redirect, request, send_from_directory
from werkzeug.exceptions import NotFound, abort
from werkzeug.wrappers import Response as BaseResponse

from foundation.sensitive import Sensitive
from otp.console import door
from otp.console.door import address, bank_here, form_of, operator_here, page
from otp.console.forms import BareForm, CardForm, LogInForm, ReasonForm
from otp.domain.spraying import ALARM_LEAST, ALARM_PERCENT
from otp.domain.unlocking import REASON_LEAST, REASON_MOST, Unlock
from otp.services import card_history, operators
from otp.services.overview import overview
from otp.services.unlock_card import approve_unlock, ask_unlock
from otp.services.wrong_codes import wrong_codes

blueprint = Blueprint(
    "console",
    __name__,
    url_prefix="/console",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)
blueprint.before_request(door.let_in)
blueprint.after_request(door.guard)

Page = str | tuple[str, int] | BaseResponse
MINUTE = 60
NUMBER = "<int(max=9223372036854775807):{}>"
APP_STATIC = Path(__file__).parent.parent / "ramznegar" / "static"
_DONE = frozenset({Unlock.ASKED, Unlock.APPROVED})


@blueprint.get("/static/vz.woff2")
def font() -> BaseResponse:
    """Give the app's font under an address of this page: its proxy may let nothing else through."""
    return send_from_directory(APP_STATIC, "vz.woff2")


@blueprint.get("/log-in")
def log_in() -> Page:
    """Ask who is there."""
    return page("log_in.html", form=form_of(LogInForm), mistake=None)


@blueprint.post("/log-in")
def try_log_in() -> Page:
    """Let somebody in by name and password, under a new token."""
    form = form_of(LogInForm)
    if not form.validate():
        return _refused_log_in("outcome.stale", HTTPStatus.BAD_REQUEST)
    password = Sensitive(form.password.data or "")
    found = operators.log_in(bank_here(), form.name.data or "", password, request.remote_addr or "")
    match found:
        case operators.LoggedIn():
            door.give_token(found.token)
            return redirect(address("console.show"), HTTPStatus.SEE_OTHER)
        case operators.Wait():
            minutes = -(-found.seconds // MINUTE)
            return _refused_log_in("log_in.wait", HTTPStatus.TOO_MANY_REQUESTS, minutes=minutes)
        case None:
            return _refused_log_in("log_in.wrong", HTTPStatus.FORBIDDEN)


@blueprint.post("/log-out")
def log_out() -> Page:
    """Let somebody go."""
    if form_of(BareForm).validate():
        operators.log_out(bank_here(), Sensitive(g.token))
        door.give_token(None)
    return redirect(address("console.log_in"), HTTPStatus.SEE_OTHER)


@blueprint.get("/")
def show() -> Page:
    """Show how the bank fares."""
    return page("overview.html", seen=overview(bank_here()))


@blueprint.get("/wrong-codes")
def wrong() -> Page:
    """Show where codes are wrong."""
    found = wrong_codes(bank_here())
    return page("wrong_codes.html", terminals=found, least=ALARM_LEAST, percent=ALARM_PERCENT)


@blueprint.get("/cards")
def cards() -> Page:
    """Show the cards that are kept out, and a form that finds any."""
    return _cards(None)


@blueprint.post("/cards")
def find() -> Page:
    """Find a card by its number; the number never stands in an address."""
    form = form_of(CardForm)
    if not form.validate():
        return _cards("outcome.stale"), HTTPStatus.BAD_REQUEST
    wanted = form.wanted()
    if wanted is None:
        return _cards("cards.shape"), HTTPStatus.BAD_REQUEST
    card_id = card_history.find_card(bank_here(), wanted)
    if card_id is None:
        return _cards("cards.unknown"), HTTPStatus.NOT_FOUND
    return redirect(address("console.card", card_id=card_id), HTTPStatus.SEE_OTHER)


@blueprint.get(f"/cards/{NUMBER.format('card_id')}")
def card(card_id: int) -> Page:
    """Show a card and what happened to it."""
    found = card_history.card_history(bank_here(), operator_here(), card_id)
    if found is None:
        abort(HTTPStatus.NOT_FOUND)
    return page("card.html", history=found, card=found.card, limits=(REASON_LEAST, REASON_MOST))


@blueprint.post(f"/cards/{NUMBER.format('card_id')}/unlock")
def ask(card_id: int) -> Page:
    """Ask for a card to be unlocked."""
    form = form_of(ReasonForm)
    if not form.validate():
        return _told("stale")
    return _told(ask_unlock(bank_here(), operator_here(), card_id, form.reason.data or ""))


@blueprint.post(f"/unlocks/{NUMBER.format('unlock_id')}/approve")
def approve(unlock_id: int) -> Page:
    """Approve a colleague's request."""
    if not form_of(BareForm).validate():
        return _told("stale")
    return _told(approve_unlock(bank_here(), operator_here(), unlock_id))


@blueprint.errorhandler(NotFound)
def missing(_: NotFound) -> Page:
    """Say that there is no such thing."""
    return page("outcome.html", sentence="missing", done=False), HTTPStatus.NOT_FOUND


def _refused_log_in(sentence: str, status: HTTPStatus, **values: object) -> Page:
    return page("log_in.html", form=form_of(LogInForm), mistake=sentence, values=values), status


def _cards(mistake: str | None) -> str:
    return page("cards.html", cards=card_history.locked_cards(bank_here()), form=form_of(CardForm), mistake=mistake)


def _told(outcome: Unlock | str) -> Page:
    done = outcome in _DONE
    return page(
        "outcome.html", sentence=f"outcome.{outcome}", done=done
    ), HTTPStatus.OK if done else HTTPStatus.CONFLICT
