"""The terminals' side of ISO 8583: first PINs checked, purchases and their reversals, a link for each question.

An acquirer of its own (DE 32 = 999200) with keys of its own; codec, MAC and PIN block are those of the acquirer's side
of the contract (``contracts/iso8583/v1``, §8).
"""

from __future__ import annotations

import datetime as dt
import json
import os
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.sensitive import Sensitive
from gateway.switch.iso8583 import Malformed, Message, decode, encode, signed_part
from gateway.switch.mac import mac_matches, mac_of
from gateway.switch.pin_block import PinRefused, seal_pin
from otp.domain.financial import MessageKey
from sandbox.world import ADDRESS, TERMINALS_ACQUIRER_ID

VARIABLE = "SANDBOX_TERMINALS"
ANSWER_SECONDS = 8.0
LENGTH_BYTES = 2
FRAME_BYTES_MAX = 2048
MERCHANT = "SANDBOX".ljust(15)
CASH_MACHINE, TILL = "51120151314C", "51010151314C"
"""DE 22: the card is in the machine, and its holder typed the first PIN."""

APPROVED, NO_PIN = "000", "127"
REVERSAL_ENDS = frozenset({"400", "914"})
_OF_ANSWER = {"1100": "1110", "1200": "1210", "1420": "1430"}
_ECHOED = (11, 12, 32, 37, 41)


@dataclass(frozen=True, slots=True)
class Line:
    """The way to one bank: its port, its name (Persian, English), its address for people, and the keys' names."""

    port: int
    name: tuple[str, str]
    url: str
    mac_out: str
    mac_in: str
    pin: str


class Network:
    """The terminals of one bank's hall, and every bank of this sandbox by what its card numbers begin with."""

    def __init__(self, bin_here: str, keys: Keyring, lines: dict[str, Line]) -> None:
        self.bin_here, self.keys = bin_here, keys
        self._lines = lines

    @classmethod
    def from_environment(cls) -> tuple[Network, Path]:
        """Read the network and where the tills keep their books."""
        told: dict[str, Any] = json.loads(os.environ[VARIABLE])
        lines = {prefix: Line(**{**row, "name": tuple(row["name"])}) for prefix, row in told["lines"].items()}
        return cls(told["bin"], Keyring.from_file(told["key_file"]), lines), Path(told["sales_file"])

    def line(self, pan: Pan) -> Line | None:
        """Return the way to the bank of a card; ``None`` for a card of no bank here."""
        digits = pan.reveal()
        return next((line for prefix, line in self._lines.items() if digits.startswith(prefix)), None)

    def is_own(self, pan: Pan) -> bool:
        """Tell whether the bank in whose hall this stands issued the card."""
        return pan.reveal().startswith(self.bin_here)

    def new_key(self, terminal: str, now: dt.datetime) -> MessageKey:
        """Name a new message; ``now`` is the time that the banks go by."""
        return MessageKey(
            acquirer_id=TERMINALS_ACQUIRER_ID,
            terminal_id=terminal,
            stan=f"{secrets.randbelow(10**6):06}",
            rrn=f"{secrets.randbelow(10**12):012}",
            local_time=now.astimezone(TEHRAN).strftime("%y%m%d%H%M%S"),
        )

    def check_pin(self, key: MessageKey, pan: Pan, pin: Sensitive[str]) -> str | None:
        """Ask a bank about a first PIN; its action code, or ``None`` without an answer."""
        return self._with_pin("1100", pan, pin, {**_own(key), 3: "710000", 22: CASH_MACHINE, 24: "180"})

    def purchase(self, key: MessageKey, pan: Pan, pin: Sensitive[str], rial: int, payee: str) -> str | None:
        """Ask a bank for money; its action code, or ``None`` without an answer: then nobody knows yet."""
        money = {3: "000000", 4: f"{rial:012}", 22: TILL, 24: "200", 43: payee, 46: "0" * 12, 49: "364"}
        return self._with_pin("1200", pan, pin, {**_own(key), **money})

    def reverse(self, original: MessageKey, own: MessageKey, pan: Pan, rial: int, *, asked_for: bool) -> bool:
        """Have a purchase undone; ``True`` once the bank said that its money is back or will never be taken."""
        line = self.line(pan)
        if line is None:
            return False
        named = f"1200{original.stan}{original.local_time}{len(original.acquirer_id):02}{original.acquirer_id}"
        fields = {
            **_own(own), 2: pan.reveal(), 3: "000000", 4: f"{rial:012}", 24: "400", 25: "4000" if asked_for else "4021",
            37: original.rrn, 49: "364", 53: f"{line.mac_out};", 56: named,
        }  # fmt: skip
        return self._ask(line, Message("1420", fields)) in REVERSAL_ENDS

    def _with_pin(self, mti: str, pan: Pan, pin: Sensitive[str], fields: dict[int, str]) -> str | None:
        line = self.line(pan)
        if line is None:
            return None
        try:
            block = seal_pin(self.keys.material(line.pin), pin, pan)
        except PinRefused:
            return NO_PIN  # no question at all: fewer digits than a PIN has, or more
        card = {2: pan.reveal(), 52: block.hex().upper(), 53: f"{line.mac_out};{line.pin}"}
        return self._ask(line, Message(mti, {**fields, **card}))

    def _ask(self, line: Line, question: Message) -> str | None:
        frame = encode(question, lambda data: mac_of(self.keys.material(line.mac_out).reveal(), data))
        try:
            with socket.create_connection((ADDRESS, line.port), timeout=ANSWER_SECONDS) as link:
                link.sendall(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
                told = _exactly(link, int.from_bytes(_exactly(link, LENGTH_BYTES), "big"))
            answer = decode(told)
        except (OSError, Malformed):
            return None
        genuine = mac_matches(self.keys.material(line.mac_in).reveal(), *signed_part(told))
        echoed = all(answer.text(number) == question.text(number) for number in _ECHOED)
        mine = answer.mti == _OF_ANSWER[question.mti] and echoed
        return answer.text(39) if genuine and mine else None


def _own(key: MessageKey) -> dict[int, str]:
    return {11: key.stan, 12: key.local_time, 32: key.acquirer_id, 37: key.rrn, 41: key.terminal_id, 42: MERCHANT}


def _exactly(link: socket.socket, length: int) -> bytes:
    data = b""
    while len(data) < min(length, FRAME_BYTES_MAX):
        piece = link.recv(length - len(data))
        if not piece:
            raise ConnectionResetError
        data += piece
    return data
