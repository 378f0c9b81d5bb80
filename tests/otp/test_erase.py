"""Phones are erased by what they were kept for and since when (D43)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.services import erase, rehash, rotate_keys
from otp.services.change_mobile import ask_mobile, confirm_mobile
from otp.services.receive_sms import InboundSms, receive_sms
from tests.otp.ramznegar import counter, make_counter
from tests.otp.test_cash_machine import Hall, code_in
from tests.otp.test_deliver import tick

__all__ = ["counter", "make_counter"]
NEW, WRONG = "09351112233", "09351112299"
NUMBERS = ("mobile_sealed", "mobile_token", "mobile_last_two", "former_sealed")


@pytest.fixture
def hall(counter: Any) -> Hall:
    """A cash machine and a card."""
    return Hall(counter)


@pytest.fixture
def changes(hall: Hall) -> Callable[[], dict[str, set[str]]]:
    """Say which numbers are left of the changes in each state."""

    def left() -> dict[str, set[str]]:
        rows = hall.here.sql("SELECT * FROM mobile_change ORDER BY change_id")
        return {row["state"]: {name for name in NUMBERS if row[name] is not None} for row in rows}

    return left


def change(hall: Hall) -> None:
    """Mistype a number, then change to the right one."""
    visit = hall.visit(hall.card())
    assert ask_mobile(hall.bank, visit, WRONG) is None
    assert ask_mobile(hall.bank, visit, NEW) is None
    (text,) = hall.texts(NEW)
    assert confirm_mobile(hall.bank, visit, Sensitive(code_in(text))) is None
    tick(hall.here)


def erased(hall: Hall) -> int:
    """Let the bank erase; return how many rows it did."""
    return sum(erase.erase(hall.bank).values())


def aged(hall: Hall, days: int) -> None:
    """Let the changes have been decided so long ago."""
    hall.here.sql("UPDATE mobile_change SET decided_at = house_now() - make_interval(days => :days)", days=days)


def test_d43_a_mistyped_number_goes_before_one_that_was_changed(hall: Hall, changes: Any) -> None:
    """Seven days for a stranger's number, ninety for both numbers of a change that may be disputed."""
    change(hall)
    everything = {*NUMBERS}
    assert (erased(hall), changes()) == (0, {"superseded": everything, "made": everything})

    aged(hall, 8)
    assert erased(hall) == 1
    assert changes() == {"superseded": set(), "made": everything}

    aged(hall, 91)
    assert erased(hall) == 1
    assert changes() == {"superseded": set(), "made": set()}
    assert erased(hall) == 0
    assert hall.here.sql("SELECT count(*) AS n FROM mobile_change WHERE decided_at IS NOT NULL")[0]["n"] == 2
    assert hall.here.sql("SELECT mobile_last_two FROM card")[0]["mobile_last_two"] == NEW[-2:]


def test_d43_what_waits_for_its_code_is_not_erased(hall: Hall, changes: Any) -> None:
    """However late the clock is: what is not decided has a code that is on its way."""
    assert ask_mobile(hall.bank, hall.visit(hall.card()), NEW) is None
    hall.counter.later(200 * 86_400)

    assert erased(hall) == 0
    assert changes()["issued"] == {*NUMBERS}


def test_d43_everything_goes_in_small_transactions(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than one batch is erased in one round, and no more batches than allowed."""
    monkeypatch.setattr(erase, "ERASED_AT_ONCE", 1)
    change(hall)
    aged(hall, 91)
    monkeypatch.setattr(erase, "BATCHES_MOST", 1)
    assert erased(hall) == 1
    monkeypatch.setattr(erase, "BATCHES_MOST", 10)
    assert erased(hall) == 1


def test_d43_who_texted_is_forgotten_after_three_days(hall: Hall) -> None:
    """The hash of a sender too; what was texted was never kept."""
    hall.card(sms_codes_active=True)
    said = InboundSms("sandbox", "1", Sensitive("09121234567"), Sensitive("0000"))
    receive_sms(hall.bank, said)
    assert receive_sms(hall.bank, said) == "repeated"
    assert erased(hall) == 0
    hall.here.sql("UPDATE inbound_message SET received_at = received_at - interval '73 hours'")

    assert erased(hall) == 1
    assert hall.here.sql("SELECT 1 FROM inbound_message") == []


def test_d43_the_worker_erases_by_itself(hall: Hall, changes: Any) -> None:
    """It is one of the things a worker does again and again."""
    change(hall)
    aged(hall, 91)
    tick(hall.here)

    assert changes() == {"superseded": set(), "made": set()}


def test_d41_an_erased_number_needs_no_key(hall: Hall) -> None:
    """Nothing of it is sealed or hashed, so it keeps no key alive."""
    change(hall)
    aged(hall, 91)
    erase.erase(hall.bank)
    hall.here.sql("UPDATE card SET mobile_token_key = NULL")

    assert rehash.remaining(hall.bank, purposes.MOBILE_TOKEN) == 1
    assert rotate_keys.renew(hall.bank, purposes.MOBILE_TOKEN) == 1
    assert rotate_keys.renew(hall.bank, purposes.MOBILE_SEAL) == 0
