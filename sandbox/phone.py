"""The sandbox's phones: an SMS provider that delivers here, the store of what arrived, and the pages that show it.

The store is a file of its own, outside every organisation's database: the one place where a code rests (D25).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from flask import Blueprint, Response, current_app, jsonify

from foundation.database import guard_no_transaction
from foundation.persian import Language, clock_time
from otp.ports import SmsAccepted, SmsMessage
from sandbox.cards import CARDS
from sandbox.crashes import passing
from sandbox.faults import CHOICES, FaultsFile, Sms
from sandbox.rendering import LATE_SECONDS, choice, faults_now, guard, language, page

FILE_VARIABLE = "SANDBOX_PHONE_FILE"
MESSAGES_SHOWN = 50
FEED_SECONDS = 300
FEED_POLL_SECONDS = 0.4

_CODE = re.compile(r"رمز[^\d\n]*([0-9]{5,12})(?![0-9])")
_PAYEE = re.compile(r"^پذیرنده: (.+)$", re.MULTILINE)
_AMOUNT = re.compile(r"^مبلغ: (.+)$", re.MULTILINE)
_TABLE = """
CREATE TABLE IF NOT EXISTS message (
  id INTEGER PRIMARY KEY, reference TEXT NOT NULL UNIQUE, sender TEXT NOT NULL, mobile TEXT NOT NULL,
  text TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS message_of ON message (mobile, id);
"""
_LATER = """
CREATE TABLE IF NOT EXISTS later (
  reference TEXT PRIMARY KEY, sender TEXT NOT NULL, mobile TEXT NOT NULL, text TEXT NOT NULL, due REAL NOT NULL);
"""
_ADD_LATER = "INSERT INTO later (reference, sender, mobile, text, due) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_TAKE_DUE = "DELETE FROM later WHERE due <= ? RETURNING reference, sender, mobile, text"
_ADD = "INSERT INTO message (reference, sender, mobile, text, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_NEWEST = "SELECT id, sender, text, at FROM message WHERE mobile = ? AND id > ? ORDER BY id DESC LIMIT ?"
_ARRIVED = "SELECT mobile, id, sender, text, at FROM message WHERE id > ? ORDER BY id LIMIT ?"
_MOBILES = "SELECT mobile, count(*), max(at) FROM message GROUP BY mobile"

_SMS_BEHAVIOURS: dict[str, Sms] = {"sms_lost": "drop", "sms_late": "delay"}
_BY_MOBILE = {card.mobile: _SMS_BEHAVIOURS[card.behaviour] for card in CARDS if card.behaviour in _SMS_BEHAVIOURS}

blueprint = Blueprint("phone", __name__, url_prefix="/sandbox/phone", template_folder="templates")


@dataclass(frozen=True, slots=True)
class Text:
    """A message as the phone shows it; ``code`` where it carries one."""

    number: int
    sender: str
    text: str
    at: str

    @property
    def code(self) -> str | None:
        """The dynamic PIN in the text, if there is one."""
        return _first(_CODE, self.text)

    @property
    def payee(self) -> str | None:
        """Who is to be paid, if the text says so."""
        return _first(_PAYEE, self.text)

    @property
    def amount(self) -> str | None:
        """How much, with its unit, if the text says so."""
        return _first(_AMOUNT, self.text)

    def clock(self, chosen: Language) -> str:
        """Return the time of arrival as the phone shows it."""
        return clock_time(dt.datetime.fromisoformat(self.at), chosen)

    def as_json(self) -> dict[str, str | None]:
        """Return the message as ``messages.json`` writes it."""
        return {"from": self.sender, "text": self.text, "at": self.at, "code": self.code}

    def as_news(self, chosen: Language) -> dict[str, str | None]:
        """Return the message as the open page is told of it: what it shows, in its own words."""
        return {**self.as_json(), "payee": self.payee, "amount": self.amount, "clock": self.clock(chosen)}


def _first(what: re.Pattern[str], text: str) -> str | None:
    found = what.search(text)
    return found[1] if found else None


class PhoneStore:
    """What arrived on every phone of this sandbox."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def add(self, message: SmsMessage) -> None:
        """Let a message arrive; the same reference arrives once."""
        at = dt.datetime.now(dt.UTC).isoformat(timespec="milliseconds")
        values = (message.reference, message.sender, message.mobile.reveal(), message.text.reveal(), at)
        with self._open() as connection:
            connection.execute(_ADD, values)

    def add_later(self, message: SmsMessage, seconds: float) -> None:
        """Let a message arrive so many seconds from now."""
        due = dt.datetime.now(dt.UTC).timestamp() + seconds
        values = (message.reference, message.sender, message.mobile.reveal(), message.text.reveal(), due)
        with self._open() as connection:
            connection.execute(_ADD_LATER, values)

    def newest(self, mobile: str, *, after: int = 0) -> list[Text]:
        """Return a phone's messages, newest first."""
        with self._open() as connection:
            return [Text(*row) for row in connection.execute(_NEWEST, (mobile, after, MESSAGES_SHOWN))]

    def arrived(self, *, after: int, most: int) -> list[tuple[str, Text]]:
        """Return what arrived on any phone after the message of this number, oldest first, each with its phone."""
        with self._open() as connection:
            return [(row[0], Text(*row[1:])) for row in connection.execute(_ARRIVED, (after, most))]

    def mobiles(self) -> dict[str, int]:
        """Return every phone that a card of this sandbox knows or that got a message, with its count of messages."""
        with self._open() as connection:
            counted = {row[0]: row[1] for row in connection.execute(_MOBILES)}
        return {**{card.mobile: 0 for card in CARDS if card.mobile}, **counted}

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.executescript(_TABLE + _LATER)
            self._deliver_due(connection)
            yield connection
        finally:
            connection.close()

    def _deliver_due(self, connection: sqlite3.Connection) -> None:
        now = dt.datetime.now(dt.UTC)
        for row in connection.execute(_TAKE_DUE, (now.timestamp(),)).fetchall():
            connection.execute(_ADD, (*row, now.isoformat(timespec="milliseconds")))


class PhoneProvider:
    """Implements :class:`otp.ports.SmsProvider`: delivers to the phones of this sandbox.

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
        sms = _BY_MOBILE.get(message.mobile.reveal(), self._faults.read().sms)
        if sms == "delay":
            self._store.add_later(message, LATE_SECONDS)
        elif sms == "deliver":
            self._store.add(message)
        passing("worker.after_sms_before_mark")
        return SmsAccepted(f"phone-{message.reference}")


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
    """Show every phone."""
    return page("phones.html", phones=_store().mobiles())


@blueprint.get("/<mobile>/")
def phone(mobile: str) -> str:
    """Show one phone's messages; they come in by themselves, or on reload without JavaScript."""
    texts, chosen = _store().newest(mobile), language()
    return page(
        "phone.html",
        mobile=mobile,
        texts=texts,
        last=texts[0].number if texts else 0,
        sms=faults_now().read().sms,
        choices=[(value, choice("sms", value, chosen)) for value in CHOICES["sms"]],
    )


@blueprint.get("/<mobile>/messages.json")
def messages(mobile: str) -> Response:
    """Return one phone's messages, newest first, for programs."""
    return jsonify([text.as_json() for text in _store().newest(mobile)])


@blueprint.get("/<mobile>/feed/<int:after>")
def feed(mobile: str, after: int) -> Response:
    """Send what arrives as server-sent events; the browser comes back by itself."""
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
