"""The till (`/sandbox/pos/`): an amount, a card and its first PIN make a purchase; a receipt says what became of it."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, request
from werkzeug.wrappers import Response

from foundation.digits import only_digits
from foundation.pan import Pan
from foundation.persian import grouped
from foundation.sensitive import Sensitive
from sandbox.rendering import address, guard, language, page, redirected
from sandbox.terminals.cards import card_typed, cards_here
from sandbox.terminals.hall import Hall, hall_here
from sandbox.terminals.network import APPROVED, NO_PIN

TERMINAL = "POS00001"
PAYEE = "کارت‌خوان آزمایشی"
SALE_MAX_RIAL = 10**11
DECLINES = frozenset({"101", "104", "106", "110", "115", "116", "117", "121", "124", "126", "181", NO_PIN})
"""Answers that say no; whatever else comes, or nothing, says nothing, and the sale is undone until told (D2, D3)."""
SETTLED_AT_ONCE = 3
_SEAL = "pan-seal"

blueprint = Blueprint("till", __name__, url_prefix="/sandbox/pos", template_folder="../templates")
blueprint.after_request(guard)


@blueprint.get("/", strict_slashes=False)
def show() -> str:
    """Show the till, its last sales, and go on undoing what has no answer."""
    hall = hall_here()
    settle(hall)
    return _page()


@blueprint.post("/", strict_slashes=False)
def act() -> Response | tuple[str, HTTPStatus]:
    """Sell, or take a sale back."""
    hall = hall_here()
    if "back" in request.form:
        take_back(hall, request.form["back"])
        return redirected("till.show")
    pan = card_typed(request.form)
    digits = only_digits(request.form.get("amount", ""))
    amount = int(digits) if digits and int(digits) <= SALE_MAX_RIAL else 0
    mistake = pan if isinstance(pan, str) else ("" if amount else "amount")
    if isinstance(pan, str) or mistake:
        return _page(mistake=mistake), HTTPStatus.UNPROCESSABLE_ENTITY
    rrn = sell(hall, pan, Sensitive(only_digits(request.form.get("pin", ""))), amount)
    return redirected("till.show", sale=rrn)


def sell(hall: Hall, pan: Pan, pin: Sensitive[str], rial: int) -> str:
    """Ask the card's bank for money; without an answer that says something the sale is undone. Returns its RRN."""
    key = hall.network.new_key(TERMINAL, hall.now())
    sealed = hall.network.keys.seal(_SEAL, pan.reveal().encode(), bound_to=f"sale|{key.rrn}")
    hall.sales.begin(key, pan.masked, sealed, rial)
    code = hall.network.purchase(key, pan, pin, rial, PAYEE)
    if code == APPROVED:
        hall.sales.move(key.rrn, "approved", code)
    elif code in DECLINES:
        hall.sales.move(key.rrn, "declined", code)
    else:
        hall.sales.move(key.rrn, "reversing", code)
        settle(hall)
    return key.rrn


def take_back(hall: Hall, rrn: str) -> None:
    """Give the money of an approved sale back."""
    if hall.sales.move(rrn, "reversing", of=("approved",)):
        settle(hall, asked_for=rrn)


def settle(hall: Hall, *, asked_for: str | None = None) -> None:
    """Undo what has no answer: a few sales at a time, the rest the next time anybody looks."""
    for sale in hall.sales.to_be_undone(TERMINAL, first=asked_for, most=SETTLED_AT_ONCE):
        pan = Pan.parse(hall.network.keys.open(sale.pan_sealed, bound_to=f"sale|{sale.key.rrn}").decode())
        own = hall.network.new_key(TERMINAL, hall.now())
        wanted = sale.key.rrn == asked_for
        if hall.network.reverse(sale.key, own, pan, sale.rial, asked_for=wanted):
            hall.sales.move(sale.key.rrn, "reversed")


def _page(mistake: str = "") -> str:
    sales = hall_here().sales.newest(TERMINAL)
    shown = next((sale for sale in sales if sale.key.rrn == request.args.get("sale")), None)
    return page(
        "till.html",
        cards=cards_here(every_bank=True),
        mistake=mistake,
        sales=sales,
        receipt=shown,
        money=lambda rial: grouped(rial, language()),
        action=address("till.act"),
    )
