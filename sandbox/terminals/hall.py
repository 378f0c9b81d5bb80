"""A bank's hall: its network of terminals, the tills' book, the visits at the cash machine, and the bank itself."""

from __future__ import annotations

import datetime as dt
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, current_app

from foundation.pan import Pan
from otp.domain.financial import MessageKey
from otp.services.bank import Bank
from otp.services.tell_time import tell_time
from sandbox.terminals.network import Network
from sandbox.terminals.sales import SalesBook

VISITS_MAX = 500
VISIT_SECONDS = 600.0
"""How long a card that nobody takes stays in the machine."""


@dataclass
class Visit:
    """A card in the cash machine. It stays on the machine's side; the browser holds a number that nobody can guess.

    Args:
        check: the PIN check that was right; the bank opens its services by it.
        screen: which screen is shown.
        said: key of what is said on it, and whether it is a mistake.
        slip: what the slip says, while it is shown.
    """

    pan: Pan
    check: MessageKey | None = None
    screen: str = "pin"
    said: str = ""
    mistaken: bool = False
    slip: dict[str, Any] | None = None
    mobile: str = ""
    until: float = field(default_factory=lambda: time.monotonic() + VISIT_SECONDS)


class Visits:
    """The cards that are in this machine now; the oldest one is given back when there are too many."""

    def __init__(self) -> None:
        self._visits: OrderedDict[str, Visit] = OrderedDict()

    def begin(self, pan: Pan) -> str:
        """Take a card in; return the visit's number."""
        number = secrets.token_urlsafe(24)
        self._visits[number] = Visit(pan)
        if len(self._visits) > VISITS_MAX:
            self._visits.popitem(last=False)
        return number

    def find(self, number: str) -> Visit | None:
        """Return a visit that is not over."""
        visit = self._visits.get(number)
        if visit is not None and visit.until < time.monotonic():
            self.end(number)
            return None
        return visit

    def end(self, number: str) -> None:
        """Give the card back."""
        self._visits.pop(number, None)


@dataclass(frozen=True)
class Hall:
    """Everything that stands in one bank's hall."""

    network: Network
    sales: SalesBook
    bank: Bank
    visits: Visits = field(default_factory=Visits)

    def now(self) -> dt.datetime:
        """Return the bank's time, which the terminals go by."""
        return dt.datetime.fromtimestamp(tell_time(self.bank) / 1000, dt.UTC)


def open_hall(app: Flask) -> None:
    """Put the terminals that the environment names into a bank's hall."""
    network, sales_file = Network.from_environment()
    app.extensions["hall"] = Hall(network, SalesBook(sales_file), app.extensions["bank"])


def hall_here() -> Hall:
    """Return the hall of the bank that is asked."""
    hall: Hall = current_app.extensions["hall"]
    return hall
