"""The till's book: what is written before the bank is asked, and what the audit makes of it (D36)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from foundation.keys import Keyring
from foundation.pan import Pan
from otp.domain.financial import MessageKey
from sandbox.audit import compare
from sandbox.books import Authorisation, Books, sale_as_attempt
from sandbox.cards import CARDS, NEGAR, crowd
from sandbox.terminals import sales, till
from sandbox.terminals.network import Network
from sandbox.terminals.sales import PROMISE_SECONDS, Sale, SalesBook
from sandbox.world import TERMINALS_ACQUIRER_ID
from tests.otp.conftest import write_key_file

KEY = MessageKey(TERMINALS_ACQUIRER_ID, "POS00001", "000007", "000000000007", "261128120000")
PAN = "9990020000000019"


@dataclass
class Banks(Network):
    """Banks that undo every sale but those of ``stubborn``, and remember what was asked for by a person."""

    keys: Keyring
    stubborn: set[str] = field(default_factory=set)
    asked: list[str] = field(default_factory=list)

    def reverse(self, original: MessageKey, own: MessageKey, pan: Pan, rial: int, *, asked_for: bool) -> bool:
        """Undo a sale."""
        assert (own.terminal_id, pan.reveal(), rial) == ("POS00001", PAN, 250_000)
        if asked_for:
            self.asked.append(original.rrn)
        return original.rrn not in self.stubborn


def hall(tmp_path: Path, banks: Banks) -> Any:
    """Make a hall whose till has twelve sales without an answer, and twenty newer ones that were approved."""
    book = SalesBook(tmp_path / "sales.sqlite")
    for number in range(32):
        key = replace(KEY, rrn=f"{number:012}")
        sealed = banks.keys.seal("pan-seal", PAN.encode(), bound_to=f"sale|{key.rrn}")
        book.begin(key, "999002******0017", sealed, 250_000)
        if number >= 12:
            book.move(key.rrn, "approved", "000")
    return SimpleNamespace(sales=book, network=banks, now=lambda: dt.datetime.now(dt.UTC))


def sale(state: str, age: float = 1.0) -> Sale:
    """Make a sale of 250,000 rials."""
    return Sale(KEY, "999002******0017", b"sealed", 250_000, state, None, age)


def books(state: str, at_bank: int, age: float = 1.0) -> Books:
    """Make the till's book and the bank's, which says what it took."""
    row = Authorisation(1, "approved" if at_bank else "reversed", [*_key()], 250_000, at_bank)
    return Books([sale_as_attempt(sale(state, age))], [], [row], [])


def _key() -> tuple[str, ...]:
    return KEY.acquirer_id, KEY.terminal_id, KEY.stan, KEY.rrn, KEY.local_time


def test_a_sale_moves_only_from_where_it_may(tmp_path: Path) -> None:
    """Begun, approved, taken back once; a second wish to take it back finds it gone."""
    book = SalesBook(tmp_path / "sales.sqlite")
    book.begin(KEY, "999002******0017", b"sealed", 250_000)
    assert [found.state for found in book.all()] == ["sent"]

    assert book.move(KEY.rrn, "approved", "000")
    assert not book.move(KEY.rrn, "declined", "117")
    assert [book.move(KEY.rrn, "reversing", of=("approved",)) for _ in range(2)] == [True, False]
    (found,) = book.newest("POS00001")
    assert (found.key, found.state, found.action_code) == (KEY, "reversing", "000")


def test_d2_sales_without_an_answer_are_undone_however_many_came_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """D2: whoever looks at the till goes on undoing them; two that no bank undoes stand in no other's way."""
    monkeypatch.setattr(sales, "SENT_SECONDS", -1.0)
    banks = Banks(Keyring.from_file(write_key_file(tmp_path / "keys.json")), {f"{number:012}" for number in (0, 7)})
    here = hall(tmp_path, banks)

    for _ in range(40):
        till.settle(here)

    assert [found.state for found in here.sales.all()] == [
        *("sent" if number in (0, 7) else "reversed" for number in range(12)),
        *["approved"] * 20,
    ]
    assert banks.asked == []


def test_a_sale_that_is_taken_back_comes_before_all_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its holder stands at the till; the bank hears that a person wanted it."""
    monkeypatch.setattr(sales, "SENT_SECONDS", -1.0)
    banks = Banks(Keyring.from_file(write_key_file(tmp_path / "keys.json")))
    here = hall(tmp_path, banks)

    till.take_back(here, f"{31:012}")

    assert here.sales.all()[31].state == "reversed"
    assert banks.asked == [f"{31:012}"]


@pytest.mark.parametrize(
    ("state", "at_bank", "rial"),
    [
        ("approved", 250_000, 0),
        ("reversed", 0, 0),
        ("declined", 0, 0),
        ("approved", 0, 250_000),
        ("declined", 250_000, 250_000),
        ("reversed", 250_000, 250_000),
    ],
)
def test_d36_a_sale_is_explained_by_both_books_or_not(state: str, at_bank: int, rial: int) -> None:
    """What the till keeps the bank took, and nothing else."""
    report = compare(books(state, at_bank))

    assert report.unexplained_rial == rial
    assert report.clean == (rial == 0)


@pytest.mark.parametrize("state", ["sent", "reversing"])
def test_d36_a_sale_without_its_end_is_explained_for_five_minutes(state: str) -> None:
    """Young it is in flight; old it counts in full."""
    assert compare(books(state, 250_000)).unexplained_rial == 0
    assert compare(books(state, 250_000, PROMISE_SECONDS + 1)).unexplained_rial == 250_000


def test_customers_have_several_cards_at_each_bank() -> None:
    """So that an app can have one more added; a gift card is nobody's."""
    assert len([card for card in CARDS if card.customer == NEGAR]) >= 4
    assert [card.kind for card in CARDS if card.customer is None and card.pin2] == ["gift"]
    assert len({card.customer for card in crowd(20)}) == 20
