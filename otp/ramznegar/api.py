"""The calls of the app, at /ramznegar/api: JSON in and out, each signed by its device except the first two."""

from __future__ import annotations

import datetime as dt
from typing import Any

from flask import Blueprint, Response, g

from foundation.sensitive import Sensitive
from otp.domain.app_answers import Refused
from otp.domain.device import DeviceState
from otp.ramznegar.door import Told, activating, read_in, signed, stranger
from otp.ramznegar.schemas import (
    ActivationIn,
    CardRequestIn,
    CeilingIn,
    ConfirmIn,
    PinIn,
    ProofIn,
    to_base64url,
)
from otp.services.activate_app import Paired, activate_app, confirm_app
from otp.services.app_cards import add_card, remove_card, remove_device, request_card
from otp.services.app_ceiling import confirm_ceiling, set_ceiling
from otp.services.app_list import AppCard, AppList, list_cards
from otp.services.bank import Bank
from otp.services.change_app_pin import change_app_pin
from otp.services.issue_activation import Issued
from otp.services.know_device import Caller
from otp.services.tell_time import tell_time

ACCEPTED = 202
CONFIRMING = frozenset({DeviceState.PENDING, DeviceState.ACTIVE})
"""A device that did not hear that it has begun confirms again."""

blueprint = Blueprint("ramznegar_api", __name__, url_prefix="/ramznegar/api")


@blueprint.get("/time")
def time() -> Response:
    """Tell the bank's time."""

    def work(bank: Bank) -> Told:
        g.now_ms = tell_time(bank)
        return Told({"now_ms": g.now_ms})

    return stranger(work)


@blueprint.post("/activations")
def activations() -> Response:
    """Pair a new device, against the proof of an activation code."""

    def work(bank: Bank) -> Told | Refused:
        asked = read_in(ActivationIn)
        paired = activate_app(bank, asked.activation_id, asked.public_key, asked.proof)
        return paired if isinstance(paired, Refused) else Told(_paired(bank, paired))

    return activating(work)


@blueprint.post("/confirm")
def confirm() -> Response:
    """Let a new device begin, by its first code."""

    def work(bank: Bank, caller: Caller) -> Told | Refused:
        asked = read_in(ConfirmIn)
        code = Sensitive(asked.code.get_secret_value())
        return _shown(bank, confirm_app(bank, caller, asked.name, asked.code_root.wrapped, code))

    return signed(work, states=CONFIRMING)


@blueprint.get("/cards")
def cards() -> Response:
    """Show this device's cards, the customer's other cards, the customer's devices."""
    return signed(lambda bank, caller: _shown(bank, list_cards(bank, caller)))


@blueprint.post("/cards/requests")
def card_requests() -> Response:
    """Text a code that adds another card of the same customer."""
    return signed(lambda bank, caller: _shown(bank, request_card(bank, caller, read_in(CardRequestIn).card_no)))


@blueprint.post("/cards")
def add() -> Response:
    """Add a card by its code."""

    def work(bank: Bank, caller: Caller) -> Told | Refused:
        asked = read_in(ProofIn)
        added = add_card(bank, caller, asked.activation_id, asked.proof)
        if isinstance(added, Refused):
            return added
        shown, card_ref = added
        return Told({**_list(bank, shown), "added": card_ref})

    return signed(work)


@blueprint.delete("/cards/<uuid:card_ref>")
def remove(card_ref: object) -> Response:
    """Take a card off this device."""
    return signed(lambda bank, caller: _shown(bank, remove_card(bank, caller, str(card_ref))))


@blueprint.put("/cards/<uuid:card_ref>/ceiling")
def ceiling(card_ref: object) -> Response:
    """Lower a ceiling, or text a code that raises it."""

    def work(bank: Bank, caller: Caller) -> Told | Refused:
        return _shown(bank, set_ceiling(bank, caller, str(card_ref), read_in(CeilingIn).ceiling_rial))

    return signed(work)


@blueprint.post("/cards/<uuid:card_ref>/ceiling/confirm")
def raise_ceiling(card_ref: object) -> Response:
    """Raise a ceiling by the code that was texted."""

    def work(bank: Bank, caller: Caller) -> Told | Refused:
        asked = read_in(ProofIn)
        return _shown(bank, confirm_ceiling(bank, caller, str(card_ref), asked.activation_id, asked.proof))

    return signed(work)


@blueprint.put("/pin")
def pin() -> Response:
    """Change the app's PIN: let codes come from another root, proven by a code of the one before."""

    def work(bank: Bank, caller: Caller) -> Told | Refused:
        asked = read_in(PinIn)
        code = Sensitive(asked.code.get_secret_value())
        return change_app_pin(bank, caller, asked.card_ref, asked.code_root.wrapped, code) or Told({})

    return signed(work)


@blueprint.delete("/devices/<uuid:device_id>")
def devices(device_id: object) -> Response:
    """End a device of the customer: this one or another."""
    return signed(lambda bank, caller: _shown(bank, remove_device(bank, caller, str(device_id))))


def _shown(bank: Bank, told: AppList | Issued | Refused) -> Told | Refused:
    match told:
        case AppList():
            return Told(_list(bank, told))
        case Issued(activation_id=activation_id, mobile_last_two=last_two):
            return Told({"activation_id": activation_id, "mobile_last_two": last_two}, ACCEPTED)
        case Refused():
            return told


def _paired(bank: Bank, paired: Paired) -> dict[str, Any]:
    g.now_ms = tell_time(bank)
    return {
        "device_id": paired.device_id,
        "public_key": to_base64url(paired.public_key),
        "proof": to_base64url(paired.proof),
        "card": {"card_ref": paired.card_ref, "masked_pan": paired.masked_pan, "bank": _name(bank)},
        "now_ms": g.now_ms,
    }


def _list(bank: Bank, shown: AppList) -> dict[str, Any]:
    g.now_ms = _ms(shown.now)
    return {
        "cards": [_card(bank, card) for card in shown.cards],
        "addable": [{"card_no": card.card_no, "masked_pan": card.masked_pan} for card in shown.addable],
        "devices": [
            {
                "device_id": device.device_id,
                "name": device.name,
                "added_at_ms": _ms(device.added_at),
                "seen_at_ms": None if device.seen_at is None else _ms(device.seen_at),
                "state": device.state,
                "this": device.device_id == shown.own_device_id,
            }
            for device in shown.devices
        ],
        "now_ms": g.now_ms,
    }


def _card(bank: Bank, card: AppCard) -> dict[str, Any]:
    waiting = None if card.next_at is None else {"rial": card.next_rial, "at_ms": _ms(card.next_at)}
    return {
        "card_ref": card.card_ref,
        "masked_pan": card.masked_pan,
        "bank": _name(bank),
        "ceiling_rial": card.ceiling_rial,
        "ceiling_max_rial": card.ceiling_max_rial,
        "ceiling_next": waiting,
    }


def _name(bank: Bank) -> dict[str, str]:
    return {"fa": bank.settings.bank_name_fa, "en": bank.settings.bank_name_en}


def _ms(moment: dt.datetime) -> int:
    return int(moment.timestamp() * 1000)
