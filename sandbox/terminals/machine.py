"""The cash machine (`/sandbox/atm/`): a card, its first PIN, and the menu of dynamic PINs.

Every key is a button of a form and every screen a page, so it works without JavaScript. What the visit is about stays
on this side (:mod:`sandbox.terminals.hall`); the browser holds the visit's number alone, in a cookie that no script
reads.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import segno
from flask import Blueprint, request
from werkzeug.wrappers import Response

from foundation.persian import grouped, jalali_moment
from otp.domain.cash_machine import Standing
from otp.services.visit import standing
from sandbox.rendering import address, guard, language, page, redirected
from sandbox.short_number import SHORT_NUMBER
from sandbox.terminals.cards import card_typed, cards_here
from sandbox.terminals.deeds import DEEDS, go_plainly, refuse_gift
from sandbox.terminals.hall import Visit, hall_here
from sandbox.terminals.screens import PLAIN, SCREENS

QR_PREFIX = "RAMZNEGAR1"
IDLE_SECONDS, MORE_SECONDS = 30, 30
"""How long nobody does anything before the machine asks, and how long it waits for the answer (WCAG 2.2.1)."""

blueprint = Blueprint("machine", __name__, url_prefix="/sandbox/atm", template_folder="../templates")
blueprint.after_request(guard)


@blueprint.get("/", strict_slashes=False)
def show() -> str:
    """Show the screen of the card that is in the machine, or ask for one."""
    visit = _visit()
    if visit is None:
        return _insert(said=request.args.get("said", ""))
    return _screen(visit)


@blueprint.post("/", strict_slashes=False)
def press() -> Response | tuple[str, HTTPStatus]:
    """Take a card in, or do what a key does."""
    visit = _visit()
    if visit is None:
        return _take_in() if "insert" in request.form else redirected("machine.show")
    key = request.form.get("key", "")
    deed, screen = DEEDS.get((visit.screen, key)), PLAIN.get((visit.screen, key))
    if key == "take":
        return _give_back("taken")
    if deed is not None and (visit.check is not None or visit.screen == "pin"):
        deed(hall_here(), visit, request.form)
    elif screen is not None:
        go_plainly(visit, screen)
        told = _standing(visit) if screen == "services" else None
        if told is not None and told.gift:
            refuse_gift(visit)
    return redirected("machine.show") if visit.screen else _give_back(visit.said)


def _take_in() -> Response | tuple[str, HTTPStatus]:
    hall, pan = hall_here(), card_typed(request.form)
    if isinstance(pan, str):
        return _insert(mistake=pan), HTTPStatus.UNPROCESSABLE_ENTITY
    if not hall.network.is_own(pan):
        return _insert(mistake="foreign", line=hall.network.line(pan)), HTTPStatus.UNPROCESSABLE_ENTITY
    answer = redirected("machine.show")
    answer.set_cookie(_cookie(), hall.visits.begin(pan), httponly=True, samesite="Strict", path=blueprint.url_prefix)
    return answer


def _give_back(said: str) -> Response:
    hall_here().visits.end(request.cookies.get(_cookie(), ""))
    answer = redirected("machine.show", said=said)
    answer.delete_cookie(_cookie(), path=str(blueprint.url_prefix))
    return answer


def _visit() -> Visit | None:
    return hall_here().visits.find(request.cookies.get(_cookie(), ""))


def _cookie() -> str:
    """Name the cookie by this bank: cookies of one machine's servers are shared whatever their port."""
    return f"atm-{hall_here().network.bin_here}"


def _standing(visit: Visit) -> Standing | None:
    told = standing(hall_here().bank, visit.check) if visit.check is not None else None
    return told if isinstance(told, Standing) else None


def _insert(mistake: str = "", said: str = "", line: Any = None) -> str:
    told = said if f"atm.{said}" in SAID_AFTERWARDS else ""
    return page("atm_insert.html", cards=cards_here(), mistake=mistake, said=told, line=line, action=_action())


def _screen(visit: Visit) -> str:
    return page(
        "atm.html",
        visit=visit,
        name=visit.screen,
        screen=SCREENS[visit.screen],
        masked=visit.pan.masked,
        standing=_standing(visit),
        slip=_shown_slip(visit),
        idle=IDLE_SECONDS,
        more=MORE_SECONDS,
        short_number=SHORT_NUMBER,
        static_most=grouped(hall_here().bank.settings.static_pin_day_max_rial, language()),
        action=_action(),
    )


def _action() -> str:
    return address("machine.press")


def _shown_slip(visit: Visit) -> dict[str, Any] | None:
    if visit.slip is None:
        return None
    text = f"{QR_PREFIX}|{visit.slip['id']}|{visit.slip['part']}"
    drawing = segno.make_qr(text, error="m").svg_data_uri(scale=5, border=4, light="#fff")
    return {**visit.slip, "qr": drawing, "until": jalali_moment(visit.slip["until"], language())}


SAID_AFTERWARDS = frozenset(f"atm.{said}" for said in ("taken", "no_answer", *(
    f"no_answer.{code}" for code in ("101", "104", "106", "115")
)))  # fmt: skip
"""What can be said when the card has come back; the address names which, and nothing else is repeated from it."""
