"""Holders with cards, slips and apps, for the tests of Ramznegar."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from foundation.pan import Pan
from otp.app import create_app
from otp.domain.activation import Channel
from otp.services.cards import card_tokens
from otp.services.issue_activation import Issued, Wanted, issue_activation
from sandbox.clock import set_offset
from tests.otp.app_twin import AppTwin, through
from tests.otp.test_deliver import tick

HOLDER, NEIGHBOUR = "0499370899", "0790419904"
FEW_ROUNDS = 10
_PART = re.compile(r"^([0-9A-HJKMNP-TV-Z]{4})-([0-9A-HJKMNP-TV-Z]{4})$", re.MULTILINE)


class Counter:
    """A bank, its cash machine and its phones."""

    def __init__(self, here: Any, bank_urls: dict[str, str]) -> None:
        self.here = here
        self.client = create_app(bank=here.bank).test_client()
        self._urls = bank_urls

    def card(self, *, customer: str | None = HOLDER, mobile: str | None = "09121234567", **columns: Any) -> int:
        """Open a card account and return its number."""
        return self.card_id(self.here.card(mobile, customer=customer, **columns))

    def card_id(self, pan: Pan) -> int:
        """Return the number of a card's account."""
        tokens = list(card_tokens(self.here.bank.keys, pan))
        return int(
            self.here.sql("SELECT card_id FROM card WHERE card_token = ANY(:tokens)", tokens=tokens)[0]["card_id"]
        )

    def slip(self, card_id: int) -> tuple[str, str]:
        """Get a slip at the cash machine and the SMS that goes with it; return the number and all that is typed."""
        issued = issue_activation(self.here.bank, Wanted(card_id, Channel.ATM))
        assert isinstance(issued, Issued), issued
        assert issued.slip is not None
        return issued.activation_id, issued.slip.reveal() + self.texted()

    def texted(self) -> str:
        """Let the worker send what waits, and read the part out of the newest message that has one."""
        tick(self.here)
        (*_, found) = (match for text in self.here.phone.texts if (match := _PART.search(text)))
        return str(found[1] + found[2])

    def told(self) -> list[str]:
        """Let the worker send what waits; return the second line of every message."""
        tick(self.here)
        return [text.splitlines()[1] for text in self.here.phone.texts]

    def app(self) -> AppTwin:
        """Return an app that knows nothing yet."""
        return AppTwin(through(self.client), FEW_ROUNDS)

    def activated(self, card_id: int | None = None) -> AppTwin:
        """Return an app that is active for a card."""
        app = self.app()
        assert app.activate(*self.slip(card_id or self.card()))[0] == 200
        status, told = app.confirm(self.now_ms())
        assert status == 200, told
        return app

    def now_ms(self) -> int:
        """Return the bank's time."""
        return int(self.client.get("/ramznegar/api/time").get_json()["now_ms"])

    def later(self, seconds: float) -> None:
        """Set the bank's clock ahead of the machine's."""
        set_offset(self._urls["owner"], seconds)

    def state(self, table: str, column: str = "state") -> list[Any]:
        """Return one column of every row, oldest first."""
        order = {"device": "added_at", "device_card": "added_at", "activation": "activation_key"}[table]
        return [row[column] for row in self.here.sql(f"SELECT {column} FROM {table} ORDER BY {order}")]


@pytest.fixture
def make_counter(make_bank: Callable[..., Any], bank_urls: dict[str, str]) -> Iterator[Callable[..., Counter]]:
    """Give a maker of banks with a cash machine; the clock is set right afterwards."""
    yield lambda **changes: Counter(make_bank(**{"app_strangers_per_minute": 100_000, **changes}), bank_urls)
    set_offset(bank_urls["owner"], 0)


@pytest.fixture
def counter(make_counter: Callable[..., Counter]) -> Counter:
    """Give a bank with a cash machine that holds no address off."""
    return make_counter()
