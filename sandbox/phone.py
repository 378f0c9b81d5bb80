"""The sandbox's phones: an SMS provider that delivers to them, and the pages that show them."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from http import HTTPStatus
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from foundation.database import guard_no_transaction
from foundation.persian import Language
from otp.domain.card import normalise_mobile
from otp.domain.errors import InvalidMobile
from otp.ports import Receipt, SmsAccepted, SmsMessage
from sandbox.cards import CARDS
from sandbox.crashes import passing
from sandbox.faults import FaultsFile, Sms
from sandbox.phone_store import DELAYS, PhoneStore, Switches
from sandbox.rendering import LATE_SECONDS, address, faults_now, guard, language, page
from sandbox.short_number import SHORT_NUMBER, hand_over

FILE_VARIABLE = "SANDBOX_PHONE_FILE"
FEED_SECONDS = 300
TEXT_MAX = 1_000
PAIR = 2
NUMBER_DIGITS_MOST = 15
"""Of a message's number, far more than one store will ever have."""

FEED_POLL_SECONDS = 0.4

_MESSAGE_ID = "phone-"
"""Before a message's reference, in the name that the provider gives it."""

_SMS_BEHAVIOURS: dict[str, Sms] = {"sms_lost": "drop", "sms_late": "delay"}
_WORLD: dict[Sms, Switches] = {
    "deliver": Switches(),
    "delay": Switches(delay_seconds=int(LATE_SECONDS)),
    "drop": Switches(lost=True),
}
_BY_MOBILE = {card.mobile: _SMS_BEHAVIOURS[card.behaviour] for card in CARDS if card.behaviour in _SMS_BEHAVIOURS}

blueprint = Blueprint("phone", __name__, url_prefix="/sandbox/phone", template_folder="templates")


class PhoneProvider:
    """Implements :class:`otp.ports.SmsProvider` and :class:`otp.ports.ProviderReceipts` for this sandbox's phones.

    Args:
        account: the bank's with this provider; two banks may use one reference.
    """

    def __init__(self, store: PhoneStore, faults: FaultsFile, account: str = "") -> None:
        self._store = store
        self._faults = faults
        self._account = account

    def send(self, message: SmsMessage) -> SmsAccepted:
        """Accept the message, and let it arrive at once, late or never, as card and control page want (F17)."""
        guard_no_transaction()
        message = replace(message, reference=f"{self._account}{message.reference}")
        self._store.deliver(message, switches_of(self._store, self._faults, message.mobile.reveal()))
        passing("worker.after_sms_before_mark")
        return SmsAccepted(f"{_MESSAGE_ID}{message.reference}")

    def receipts(self, message_ids: Sequence[str], timeout_seconds: float) -> Mapping[str, Receipt]:  # noqa: ARG002 - a file answers at once
        """Tell which messages are on a phone; of one that is late or lost nothing is known, as in real networks."""
        guard_no_transaction()
        references = self._store.which_arrived([name.removeprefix(_MESSAGE_ID) for name in message_ids])
        return {f"{_MESSAGE_ID}{reference}": Receipt.DELIVERED for reference in references}


def switches_of(store: PhoneStore, faults: FaultsFile, mobile: str) -> Switches:
    """Return how a phone gets its messages: by its own switches, else as its card or the control page want it (F17)."""
    return store.switches(mobile) or _WORLD[_BY_MOBILE.get(mobile, faults.read().sms)]


def provider() -> PhoneProvider:
    """Make the provider that a sandbox's file of providers names."""
    account = f"{os.environ['OTP_PUBLIC_URL']}/"
    return PhoneProvider(PhoneStore(Path(os.environ[FILE_VARIABLE])), FaultsFile.from_environment(), account)


def _store() -> PhoneStore:
    store: PhoneStore = current_app.extensions["phone"]
    return store


blueprint.after_request(guard)


@blueprint.get("/")
def phones() -> str:
    """Show every phone, or the two that are to stand side by side."""
    pair = [normal for text in request.args.getlist("beside") if (normal := _mobile(text))]
    if len(pair) == PAIR:
        return page("pair.html", phones=[_shown(mobile) for mobile in pair])
    return page("phones.html", phones=_store().mobiles(), short_number=SHORT_NUMBER)


@blueprint.get("/<mobile>/")
def phone(mobile: str) -> str:
    """Show one phone: what arrived, what was sent, its switches; news come by themselves with JavaScript."""
    return page("phone.html", phone=_shown(mobile), short_number=SHORT_NUMBER, delays=DELAYS)


def _shown(mobile: str) -> dict[str, object]:
    texts = _store().newest(mobile)
    return {
        "mobile": mobile,
        "texts": texts,
        "sent": _store().sent(mobile),
        "last": texts[0].number if texts else 0,
        "switches": switches_of(_store(), faults_now(), mobile),
    }


@blueprint.route("/<mobile>/switches", methods=["GET", "POST"])
def switches(mobile: str) -> AnyResponse | tuple[Response, HTTPStatus]:
    """Tell or change how this phone gets its messages; people come back to the phone, programs get JSON."""
    if request.method == "POST":
        said = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        try:
            _store().set_switches(mobile, Switches.read(said if isinstance(said, dict) else {"": ""}))
        except ValueError as error:
            return jsonify(error=str(error)), HTTPStatus.UNPROCESSABLE_ENTITY
        if not request.is_json:
            return redirect(address("phone.phone", mobile=mobile), HTTPStatus.SEE_OTHER)
    return jsonify(asdict(switches_of(_store(), faults_now(), mobile)))


@blueprint.post("/<mobile>/send")
def send(mobile: str) -> AnyResponse | tuple[Response, HTTPStatus]:
    """Send a message from this phone (``to``, ``text``); it is handed to whoever has that short number."""
    said = request.get_json(silent=True) if request.is_json else request.form.to_dict()
    to, text = (str(said.get(name, "")) if isinstance(said, dict) else "" for name in ("to", "text"))
    if not to or not text or len(text) > TEXT_MAX:
        return jsonify(error=f"send to and text, at most {TEXT_MAX} characters"), HTTPStatus.UNPROCESSABLE_ENTITY
    kept = _store().add_sent(mobile, to, text, hand_over(mobile, to, text))
    if request.is_json:
        return jsonify(to=kept.recipient, text=kept.text, at=kept.at, state=kept.state)
    return redirect(address("phone.phone", mobile=mobile), HTTPStatus.SEE_OTHER)


def _mobile(text: str) -> str | None:
    try:
        return normalise_mobile(text)
    except InvalidMobile:
        return None


@blueprint.get("/<mobile>/messages.json")
def messages(mobile: str) -> Response:
    """Return one phone's messages, newest first, for programs."""
    return jsonify([text.as_json() for text in _store().newest(mobile)])


@blueprint.get("/<mobile>/feed/<int:after>")
def feed(mobile: str, after: int) -> Response:
    """Send what arrives as server-sent events; the browser comes back by itself and says what it heard last."""
    heard = request.headers.get("Last-Event-ID", "")
    if heard.isascii() and heard.isdecimal() and len(heard) <= NUMBER_DIGITS_MOST:
        after = max(after, int(heard))
    events = _events(_store(), mobile, after, language())
    return Response(events, mimetype="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _events(store: PhoneStore, mobile: str, after: int, chosen: Language) -> Iterator[str]:
    deadline = time.monotonic() + FEED_SECONDS
    yield "retry: 1000\n\n"
    while time.monotonic() < deadline:
        for text in reversed(store.newest(mobile, after=after)):
            after = text.number
            yield f"id: {after}\ndata: {json.dumps(text.as_news(chosen))}\n\n"
        time.sleep(FEED_POLL_SECONDS)
        yield ": still here\n\n"
