"""The provider of top-ups in the sandbox: its book, its keys, whom it serves, and what its numbers do."""

from __future__ import annotations

import base64
import json
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from foundation.signatures import public_key_of

TOP_UP_MERCHANT_ID = "000000000000130"
TOP_UP_TERMINAL_ID = "20000004"
TOP_UP_NAMES = ("شارژ پویا (آزمایشی)", "Pooya Top-ups (sandbox)")
TOP_UP_PAYEE = "شارژ پویا"

OPERATORS = {
    "mci": ("000000000000131", "20000131", "همراه اول (آزمایشی)", "MCI (sandbox)", "همراه اول"),
    "irancell": ("000000000000132", "20000132", "ایرانسل (آزمایشی)", "Irancell (sandbox)", "ایرانسل"),
    "rightel": ("000000000000133", "20000133", "رایتل (آزمایشی)", "RighTel (sandbox)", "رایتل"),
}
"""Operator → merchant, terminal, names, payee. Shatel is connected to nobody here, so that its page can be seen."""

REFUSED, LATE, NEVER = "0001", "0002", "0003"
BEHAVIOURS = {
    REFUSED: "the operator says no: the money goes back",
    LATE: "delivered at once, told only when asked the second time",
    NEVER: "never delivered and never decided: after the deadline it is cancelled, and the money goes back",
}
"""What numbers do, by their last four digits; every other one is topped up."""

KEY_ID = "top-up-provider-1"
_KEY_BYTES = 32
_TABLE = """
CREATE TABLE IF NOT EXISTS top_up (
  reference TEXT PRIMARY KEY, body TEXT, amount_rial INTEGER NOT NULL, state TEXT NOT NULL,
  operator_reference TEXT, asked INTEGER NOT NULL DEFAULT 0);
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """One reference in the provider's book; ``body`` is what was asked for first, empty where only cancelled."""

    reference: str
    body: str
    amount_rial: int
    state: str
    operator_reference: str | None
    asked: int


class TopUpBook:
    """What the provider delivered: one row for each reference, for ever."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "book.sqlite"

    def ask(self, reference: str, body: str, amount_rial: int, state: str) -> Entry:
        """Write a reference down as ``state`` if it is new, count the question, and return its row."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO top_up (reference, body, amount_rial, state, operator_reference) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT (reference) DO NOTHING",
                (reference, body, amount_rial, state, f"OP{secrets.randbelow(10**10):010}"),
            )
            connection.execute("UPDATE top_up SET asked = asked + 1 WHERE reference = ?", (reference,))
            return self._row(connection, reference)

    def cancel(self, reference: str) -> Entry:
        """Never deliver a reference that was not delivered, whether it is known or not."""
        with self._open() as connection:
            connection.execute(
                "INSERT INTO top_up (reference, body, amount_rial, state) VALUES (?, '', 0, 'cancelled') "
                "ON CONFLICT (reference) DO UPDATE SET state = 'cancelled' WHERE state = 'pending'",
                (reference,),
            )
            return self._row(connection, reference)

    def delivered(self) -> list[Entry]:
        """Return everything that was delivered."""
        with self._open() as connection:
            rows = connection.execute("SELECT * FROM top_up WHERE state = 'delivered' ORDER BY reference")
            return [Entry(*row) for row in rows]

    @staticmethod
    def _row(connection: sqlite3.Connection, reference: str) -> Entry:
        return Entry(*connection.execute("SELECT * FROM top_up WHERE reference = ?", (reference,)).fetchone())

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self._file, timeout=10)
        try:
            connection.execute(_TABLE)
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                yield connection
        finally:
            connection.close()


def make_provider_keys(folder: Path, gateway_key_id: str, gateway_public_key: bytes) -> None:
    """Draw the provider's signing key and hand both sides the other's public half."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    private = secrets.token_bytes(_KEY_BYTES)
    own = {"key_id": KEY_ID, "public_key": base64.b64encode(public_key_of(private)).decode()}
    theirs = {"key_id": gateway_key_id, "public_key": base64.b64encode(gateway_public_key).decode()}
    for name, value in (
        ("keys.json", {"private_key": base64.b64encode(private).decode(), "gateway": theirs}),
        ("public.json", own),
    ):
        with os.fdopen(os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(value, file)


def public_settings(folder: Path, url: str) -> dict[str, str]:
    """Return how the gateway reaches and knows the provider; nothing before the keys are drawn."""
    file = folder / "public.json"
    if not file.exists():
        return {}
    own = json.loads(file.read_text())
    return {
        "GATEWAY_TOP_UP_URL": url,
        "GATEWAY_TOP_UP_KEY_ID": own["key_id"],
        "GATEWAY_TOP_UP_PUBLIC_KEY": own["public_key"],
    }
