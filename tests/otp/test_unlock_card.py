"""Four eyes over an unlock: one asks, another approves, and the database itself refuses everything else (D35)."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy.exc import IntegrityError

from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain.operators import Operator, Role
from otp.domain.unlocking import Unlock
from otp.services.cards import card_tokens
from otp.services.open_card import block_card
from otp.services.operators import add_operator
from otp.services.unlock_card import approve_unlock, ask_unlock
from tests.otp.conftest import BankWorld

PASSWORD = Sensitive("a long password")
WHY = "دارندهٔ کارت در شعبه شناسایی شد"


@pytest.fixture
def sara(here: BankWorld) -> Operator:
    """Give an operator."""
    return add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)


@pytest.fixture
def reza(here: BankWorld) -> Operator:
    """Give another operator."""
    return add_operator(here.bank, "reza", PASSWORD, Role.OPERATOR)


def _id(here: BankWorld, pan: Pan) -> int:
    rows = here.sql("SELECT card_id FROM card WHERE card_token = :token", token=card_tokens(here.bank.keys, pan)[0])
    return int(rows[0]["card_id"])


def _blocked(here: BankWorld) -> int:
    """Open a card that fifteen wrong codes blocked."""
    return _id(here, here.card(status="blocked", pin_failures=15, pin_lock_level=3))


def _card(here: BankWorld, card_id: int) -> tuple[str, int, object]:
    row = here.sql("SELECT status, pin_failures, pin_locked_until FROM card WHERE card_id = :card_id", card_id=card_id)
    return row[0]["status"], row[0]["pin_failures"], row[0]["pin_locked_until"]


def _request(here: BankWorld) -> int:
    return int(here.sql("SELECT max(unlock_id) AS id FROM unlock_request")[0]["id"])


def test_d35_two_people_unlock_a_card(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """The second person's approval opens the card; the trail names both, the request keeps before and after."""
    card_id = _blocked(here)

    assert ask_unlock(here.bank, sara, card_id, WHY) is Unlock.ASKED
    assert _card(here, card_id) == ("blocked", 15, None)
    assert approve_unlock(here.bank, reza, _request(here)) is Unlock.APPROVED

    assert _card(here, card_id) == ("active", 0, None)
    kept = here.sql("SELECT before, after, maker, checker FROM unlock_request")[0]
    assert (kept["maker"], kept["checker"]) == ("sara", "reza")
    assert (kept["before"]["pin_failures"], kept["after"]["pin_failures"]) == (15, 0)
    acts = here.sql(
        "SELECT actor, action, reason FROM audit_entry WHERE subject = :of ORDER BY 1, 2", of=f"card:{card_id}"
    )
    assert [(act["actor"], act["action"], act["reason"]) for act in acts] == [
        ("operator:reza", "card.unlock_approved", ""),
        ("operator:sara", "card.unlock_asked", WHY),
        ("operator:sara", "card.unlocked", WHY),
    ]


def test_d35_nobody_approves_an_own_request(here: BankWorld, sara: Operator) -> None:
    """Whoever asked is refused by the service, and by the table should the service ever be wrong."""
    card_id = _blocked(here)
    ask_unlock(here.bank, sara, card_id, WHY)

    assert approve_unlock(here.bank, sara, _request(here)) is Unlock.OWN_REQUEST
    with pytest.raises(IntegrityError, match="unlock_four_eyes"):
        here.sql(
            "UPDATE unlock_request SET state = 'approved', checker = maker, approved_at = house_now(), after = '{}'"
        )
    assert _card(here, card_id)[0] == "blocked"


def test_a_request_lapses_after_a_day(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """Nobody approves it any more, neither through the service nor past it; a new one can be asked for."""
    card_id = _blocked(here)
    ask_unlock(here.bank, sara, card_id, WHY)
    hours = "asked_at - interval '25 hours'"
    here.sql(f"UPDATE unlock_request SET asked_at = {hours}, expires_at = {hours} + interval '24 hours'")

    assert approve_unlock(here.bank, reza, _request(here)) is Unlock.TOO_LATE
    with pytest.raises(IntegrityError, match="unlock_in_time"):
        here.sql(
            "UPDATE unlock_request SET state = 'approved', checker = 'reza', approved_at = house_now(), after = '{}'"
        )
    assert ask_unlock(here.bank, reza, card_id, WHY) is Unlock.ASKED
    assert [row["state"] for row in here.sql("SELECT state FROM unlock_request ORDER BY unlock_id")] == [
        "lapsed",
        "asked",
    ]


def test_a_second_approval_does_nothing(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """Of ten approvals side by side one opens the card; what happens to the card later is left alone."""
    card_id = _blocked(here)
    ask_unlock(here.bank, sara, card_id, WHY)
    unlock_id, outcomes = _request(here), list[Unlock]()
    threads = [
        threading.Thread(target=lambda: outcomes.append(approve_unlock(here.bank, reza, unlock_id))) for _ in range(10)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(outcomes) == [Unlock.APPROVED] + [Unlock.DONE_ALREADY] * 9
    here.sql("UPDATE card SET pin_failures = 3")
    assert approve_unlock(here.bank, reza, unlock_id) is Unlock.DONE_ALREADY
    assert _card(here, card_id) == ("active", 3, None)


def test_a_card_that_changed_after_the_request_is_not_opened(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """What is approved is what the maker saw: more wrong tries since then need a request of their own."""
    card_id = _id(here, here.card(pin_failures=5))
    here.sql("UPDATE card SET pin_locked_until = house_now() + interval '10 minutes'")
    assert ask_unlock(here.bank, sara, card_id, WHY) is Unlock.ASKED

    here.sql("UPDATE card SET pin_failures = 10")

    assert approve_unlock(here.bank, reza, _request(here)) is Unlock.CARD_CHANGED
    assert _card(here, card_id)[1] == 10


def test_a_card_the_bank_itself_blocked_is_not_opened(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """Wrong codes are forgiven; the bank's own word, said before the request or after it, is not."""
    pan = here.card(status="blocked", pin_failures=15)
    ask_unlock(here.bank, sara, _id(here, pan), WHY)
    block_card(here.bank, pan)

    assert approve_unlock(here.bank, reza, _request(here)) is Unlock.HELD_BY_BANK
    assert ask_unlock(here.bank, reza, _id(here, pan), WHY) is Unlock.HELD_BY_BANK


def test_what_cannot_be_asked_for(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """A card that is not locked, one that is asked for already, no card, no reason, a viewer."""
    open_card, locked = _id(here, here.card()), _blocked(here)
    viewer = add_operator(here.bank, "omid", PASSWORD, Role.VIEWER)

    assert ask_unlock(here.bank, sara, open_card, WHY) is Unlock.NOT_LOCKED
    assert ask_unlock(here.bank, sara, 0, WHY) is Unlock.NO_SUCH
    assert ask_unlock(here.bank, sara, locked, " . ") is Unlock.REASON_SHAPE
    assert ask_unlock(here.bank, viewer, locked, WHY) is Unlock.NOT_ALLOWED
    assert ask_unlock(here.bank, sara, locked, WHY) is Unlock.ASKED
    assert ask_unlock(here.bank, reza, locked, WHY) is Unlock.ASKED_ALREADY
    assert approve_unlock(here.bank, viewer, _request(here)) is Unlock.NOT_ALLOWED
    assert approve_unlock(here.bank, reza, 0) is Unlock.NO_SUCH


def test_d35_the_database_takes_nobody_but_active_operators(here: BankWorld, sara: Operator, reza: Operator) -> None:
    """Somebody who was disabled or is only a viewer by now can neither ask nor approve, whatever a door believes."""
    first, second = _blocked(here), _blocked(here)
    ask_unlock(here.bank, sara, first, WHY)
    here.sql("UPDATE operator SET state = 'disabled' WHERE name = 'reza'")
    here.sql("UPDATE operator SET role = 'viewer' WHERE name = 'sara'")

    with pytest.raises(IntegrityError):
        approve_unlock(here.bank, reza, _request(here))
    with pytest.raises(IntegrityError):
        ask_unlock(here.bank, sara, second, WHY)
    assert _card(here, first)[0] == "blocked"
