"""Challenges on pages: what a submission answers, and what a page shows of a new one.

A browser with JavaScript is given the work to do; once it sent an answer that did not hold, its reader gets the digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import request, url_for

from foundation.digits import only_digits, to_ascii_digits
from foundation.persian import Language
from gateway.domain.challenge import PICTURE_DIGITS, WORK_BITS
from gateway.services.challenge import is_met, new_challenge
from gateway.services.gateway import Gateway
from gateway.web.outcomes import Message

OWN_TRANSFER = "transfer"
"""The place of challenges on the gateway's own page for transfers; elsewhere it is the page's token."""

_PLACE = "picture_code"


def answered(gateway: Gateway, place: str) -> bool:
    """Tell whether this submission answers a challenge of this place."""
    challenge, work, digits = _answer()
    return bool(challenge) and is_met(gateway, place, challenge, work=work, digits=digits)


def challenge_message(needed: str) -> Message:
    """Say that digits are ``needed``, or that those of this submission were wrong."""
    return Message("picture.wrong" if _answer()[2] else needed, place=_PLACE)


def challenge_for(gateway: Gateway, place: str, mistakes: Sequence[Message]) -> str:
    """Return a new challenge where one of these mistakes asks for its digits, otherwise none."""
    return new_challenge(gateway, place) if any(mistake.place == _PLACE for mistake in mistakes) else ""


def challenge_shown(place: str, challenge: str, chosen: Language) -> dict[str, Any]:
    """Return what a page shows of a challenge; without one, nothing."""
    _, work, digits = _answer()
    return {
        "challenge": challenge,
        "work_bits": 0 if work or digits else WORK_BITS,
        "picture_url": challenge and url_for("pages.picture", page_token=place, challenge=challenge),
        "sound_url": challenge and url_for("pages.sound", page_token=place, challenge=challenge, lang=chosen),
        "picture_digits": PICTURE_DIGITS,
    }


def _answer() -> tuple[str, str, str]:
    """Return which challenge this submission answers, the work done for it, and the digits read."""
    challenge, work, digits = (
        to_ascii_digits(request.form.get(name, "")).strip() for name in ("challenge", "work", "picture_code")
    )
    return challenge, work, only_digits(digits)
