"""The sandbox's first page: which card does what, to be copied from here, and where its messages arrive."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from markupsafe import Markup

from sandbox.banks import SERIES
from sandbox.cards import APPROVE, GIFT
from sandbox.rendering import Guide, guard, page

blueprint = Blueprint("guide", __name__, url_prefix="/sandbox", template_folder="templates")
blueprint.after_request(guard)

GOOD = frozenset({APPROVE, GIFT, *(series.dialect for series in SERIES)})
REFUSED = frozenset({"insufficient_funds", "blocked", "no_mobile", "expired"})
"""Behaviours that are the bank's own answers; every other one but approval is a fault of the way to it."""


@blueprint.get("/", strict_slashes=False)
def show() -> str:
    """Show every card of the sandbox's table by what it is for."""
    scenes: dict[str, list[dict[str, Any]]] = {"good": [], "refused": [], "faulty": []}
    for card in Guide.read().cards:
        scenes[_scene(card["behaviour"])].append(card)
    return page("guide.html", scenes=scenes, grouped=grouped)


def grouped(pan: str) -> Markup:
    """Return a card number by four; the spaces are drawn, so what is copied has none of them."""
    parts = (Markup("<span>{}</span>").format(pan[at : at + 4]) for at in range(0, len(pan), 4))
    return Markup("").join(parts)


def _scene(behaviour: str) -> str:
    if behaviour in GOOD:
        return "good"
    return "refused" if behaviour in REFUSED else "faulty"
