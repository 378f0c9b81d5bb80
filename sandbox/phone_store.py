"""What is on every phone of the sandbox: messages that arrived, that are late, and that were sent; and its switches.

The store is a file of its own, outside every organisation's database: the one place where a code rests (D25).
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass, fields, replace
from datetime import UTC, datetime
from pathlib import Path

from foundation.persian import Language, clock_time
from otp.ports import SmsMessage
from sandbox.cards import CARDS

MESSAGES_SHOWN = 50
OVERTAKEN_SECONDS = 6.0
"""How long every other message lies on a phone whose messages come out of order."""

DELAYS = (0, 20, 150)
"""Seconds that messages of a phone may be late: not at all, noticeably, and beyond a code's life."""

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
_SWITCHES = """
CREATE TABLE IF NOT EXISTS switches (
  mobile TEXT PRIMARY KEY, delay_seconds INTEGER NOT NULL, lost INTEGER NOT NULL, twice INTEGER NOT NULL,
  out_of_order INTEGER NOT NULL, airplane INTEGER NOT NULL);
"""
_SENT = """
CREATE TABLE IF NOT EXISTS sent (
  id INTEGER PRIMARY KEY, mobile TEXT NOT NULL, recipient TEXT NOT NULL, text TEXT NOT NULL, at TEXT NOT NULL,
  state TEXT NOT NULL);
"""
_NEVER = 1e12
"""Due when the phone is no longer in airplane mode."""
_ADD_LATER = "INSERT INTO later (reference, sender, mobile, text, due) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_TAKE_DUE = "DELETE FROM later WHERE due <= ? RETURNING reference, sender, mobile, text"
_ADD = "INSERT INTO message (reference, sender, mobile, text, at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
_NEWEST = "SELECT id, sender, text, at FROM message WHERE mobile = ? AND id > ? ORDER BY id DESC LIMIT ?"
_ARRIVED = "SELECT mobile, id, sender, text, at FROM message WHERE id > ? ORDER BY id LIMIT ?"
_WHICH_ARRIVED = "SELECT reference FROM message WHERE reference IN (SELECT value FROM json_each(?))"
_SET = "INSERT OR REPLACE INTO switches VALUES (?, ?, ?, ?, ?, ?)"
_SWITCHES_OF = "SELECT delay_seconds, lost, twice, out_of_order, airplane FROM switches WHERE mobile = ?"
_LAND = "UPDATE later SET due = 0 WHERE mobile = ? AND due = ?"
_ADD_SENT = "INSERT INTO sent (mobile, recipient, text, at, state) VALUES (?, ?, ?, ?, ?) RETURNING id"
_SENT_OF = "SELECT id, recipient, text, at, state FROM sent WHERE mobile = ? ORDER BY id DESC LIMIT ?"
_COUNT = "SELECT (SELECT count(*) FROM message WHERE mobile = ?1) + (SELECT count(*) FROM later WHERE mobile = ?1)"
_MOBILES = "SELECT mobile, count(*), max(at) FROM message GROUP BY mobile"


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
        return clock_time(datetime.fromisoformat(self.at), chosen)

    def as_json(self) -> dict[str, str | None]:
        """Return the message as ``messages.json`` writes it."""
        return {"from": self.sender, "text": self.text, "at": self.at, "code": self.code}

    def as_news(self, chosen: Language) -> dict[str, str | None]:
        """Return the message as the open page is told of it: what it shows, in its own words."""
        return {**self.as_json(), "payee": self.payee, "amount": self.amount, "clock": self.clock(chosen)}


def _first(what: re.Pattern[str], text: str) -> str | None:
    found = what.search(text)
    return found[1] if found else None


@dataclass(frozen=True, slots=True)
class Switches:
    """How one phone gets its messages.

    Args:
        delay_seconds: how late each arrives.
        lost: none arrives.
        twice: each arrives twice, as networks sometimes deliver.
        out_of_order: every other one is overtaken by the next.
        airplane: they wait at the operator until this is switched off.
    """

    delay_seconds: int = 0
    lost: bool = False
    twice: bool = False
    out_of_order: bool = False
    airplane: bool = False

    @classmethod
    def read(cls, said: Mapping[str, object]) -> Switches:
        """Read what a form or a program said; what is not named is off.

        Raises:
            ValueError: for a name that there is not, or a delay that there is not.
        """
        names = {field.name for field in fields(cls)}
        unknown = sorted(set(said) - names)
        if unknown:
            raise ValueError(f"there is no switch {unknown[0]!r}; there are {', '.join(sorted(names))}")
        delay = int(str(said.get("delay_seconds", 0)))
        if delay not in DELAYS:
            raise ValueError(f"delay_seconds is one of {', '.join(map(str, DELAYS))}")
        on = {name: said.get(name) in (True, "on", "true", "1", 1) for name in names - {"delay_seconds"}}
        return cls(delay_seconds=delay, **on)


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that the phone's holder sent; ``state`` is ``delivered`` or ``refused``."""

    number: int
    recipient: str
    text: str
    at: str
    state: str

    def clock(self, chosen: Language) -> str:
        """Return the time it was sent as the phone shows it."""
        return clock_time(datetime.fromisoformat(self.at), chosen)


class PhoneStore:
    """What arrived on every phone of this sandbox."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ready = False

    def add(self, message: SmsMessage) -> None:
        """Let a message arrive; the same reference arrives once."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        values = (message.reference, message.sender, message.mobile.reveal(), message.text.reveal(), at)
        with self._open() as connection:
            connection.execute(_ADD, values)

    def add_later(self, message: SmsMessage, seconds: float) -> None:
        """Let a message arrive so many seconds from now."""
        self._add_due(message, datetime.now(UTC).timestamp() + seconds)

    def deliver(self, message: SmsMessage, switches: Switches) -> None:
        """Let a message arrive the way this phone gets its messages."""
        if switches.lost:
            return
        copies = (message, replace(message, reference=f"{message.reference}#2")) if switches.twice else (message,)
        for copy in copies:
            if switches.airplane:
                self._add_due(copy, _NEVER)
            elif seconds := self._lateness(message, switches):
                self.add_later(copy, seconds)
            else:
                self.add(copy)

    def switches(self, mobile: str) -> Switches | None:
        """Return how a phone gets its messages; ``None`` where nobody set its switches."""
        with self._open() as connection:
            row = connection.execute(_SWITCHES_OF, (mobile,)).fetchone()
        return None if row is None else Switches(row[0], *map(bool, row[1:]))

    def set_switches(self, mobile: str, switches: Switches) -> None:
        """Change how a phone gets its messages; what waited for the end of airplane mode arrives at it."""
        with self._open() as connection:
            connection.execute(_SET, (mobile, *astuple(switches)))
            if not switches.airplane:
                connection.execute(_LAND, (mobile, _NEVER))

    def add_sent(self, mobile: str, recipient: str, text: str, state: str) -> Sent:
        """Keep a message that a phone sent, and what became of it."""
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        with self._open() as connection:
            (number,) = connection.execute(_ADD_SENT, (mobile, recipient, text, at, state)).fetchone()
        return Sent(number, recipient, text, at, state)

    def sent(self, mobile: str) -> list[Sent]:
        """Return what a phone sent, newest first."""
        with self._open() as connection:
            return [Sent(*row) for row in connection.execute(_SENT_OF, (mobile, MESSAGES_SHOWN))]

    def newest(self, mobile: str, *, after: int = 0) -> list[Text]:
        """Return a phone's messages, newest first."""
        with self._open() as connection:
            return [Text(*row) for row in connection.execute(_NEWEST, (mobile, after, MESSAGES_SHOWN))]

    def arrived(self, *, after: int, most: int) -> list[tuple[str, Text]]:
        """Return what arrived on any phone after the message of this number, oldest first, each with its phone."""
        with self._open() as connection:
            return [(row[0], Text(*row[1:])) for row in connection.execute(_ARRIVED, (after, most))]

    def which_arrived(self, references: Sequence[str]) -> list[str]:
        """Return those of these references whose message is on a phone."""
        with self._open() as connection:
            return [row[0] for row in connection.execute(_WHICH_ARRIVED, (json.dumps(references),))]

    def mobiles(self) -> dict[str, int]:
        """Return every phone that a card of this sandbox knows or that got a message, with its count of messages."""
        with self._open() as connection:
            counted = {row[0]: row[1] for row in connection.execute(_MOBILES)}
        return {**{card.mobile: 0 for card in CARDS if card.mobile}, **counted}

    def _add_due(self, message: SmsMessage, due: float) -> None:
        values = (message.reference, message.sender, message.mobile.reveal(), message.text.reveal(), due)
        with self._open() as connection:
            connection.execute(_ADD_LATER, values)

    def _lateness(self, message: SmsMessage, switches: Switches) -> float:
        if not switches.out_of_order:
            return switches.delay_seconds
        with self._open() as connection:
            (count,) = connection.execute(_COUNT, (message.mobile.reveal(),)).fetchone()
        return switches.delay_seconds + (OVERTAKEN_SECONDS if count % 2 == 0 else 0)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=10, isolation_level=None)
        try:
            if not self._ready:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_TABLE + _LATER + _SWITCHES + _SENT)
                self._ready = True
            self._deliver_due(connection)
            yield connection
        finally:
            connection.close()

    def _deliver_due(self, connection: sqlite3.Connection) -> None:
        now = datetime.now(UTC)
        for row in connection.execute(_TAKE_DUE, (now.timestamp(),)).fetchall():
            connection.execute(_ADD, (*row, now.isoformat(timespec="milliseconds")))
