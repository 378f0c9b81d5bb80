"""F4: the bank's own host answers after the gateway stopped waiting; every rial of it is explained."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from foundation.pan import Pan
from gateway.domain.outcome import Unknown
from gateway.services import recover
from gateway.services.authorise import Checking, pay
from gateway.services.enrol import add_issuer
from gateway.services.open_payment import PaymentRecord
from gateway.services.sweep import recover_lost
from gateway.store import attempts
from tests.fakes.pair import Pair

UNMATCHED = "SELECT why, message_type, action_code, total_rial FROM unmatched_answer"


def until(condition: Callable[[], Any]) -> Any:
    """Wait until something is so, at most ten seconds."""
    ends_at = time.monotonic() + 10
    while not (value := condition()):
        assert time.monotonic() < ends_at, "it never came to be so"
        threading.Event().wait(0.02)
    return value


@pytest.fixture
def hasty(pair: Pair) -> Pair:
    """A gateway that waits for this bank six tenths of a second, on a link that is open."""
    assert pair.gateway.switch.echo(pair.issuer)
    add_issuer(pair.gateway, replace(pair.issuer, switch_timeout_ms=600), ("999002",))
    pair.gateway.directory.forget()
    return pair


@contextmanager
def card_locked(pair: Pair, pan: Pan) -> Iterator[None]:
    """Keep the host from deciding about this card; it goes on, and debits, when this ends."""
    assert pan
    with pair.bank_database.engine.begin() as connection:  # somebody else's transaction, not this thread's
        connection.execute(text("SELECT 1 FROM card FOR UPDATE"))
        yield


def state(pair: Pair, payment: PaymentRecord) -> tuple[str, str]:
    """Return where payment and attempt stand."""
    query = "SELECT p.state, a.state AS attempt FROM payment p JOIN attempt a USING (payment_id) WHERE payment_id = :id"
    (row,) = pair.books(query, id=payment.payment_id)
    return row["state"], row["attempt"]


def balance(pair: Pair) -> int:
    """Return what is missing on the only card."""
    return int(pair.bank("SELECT opened_rial - balance_rial AS taken FROM card")[0]["taken"])


def test_f4_a_late_approval_of_an_open_page_is_a_payment(hasty: Pair) -> None:
    """Time-out, unknown, then the host debits and says so: authorised at once, and the answer is kept as evidence."""
    payment, entry = hasty.order()

    with card_locked(hasty, entry.pan):
        assert pay(hasty.gateway, payment.page_token, entry) == Checking()
        assert state(hasty, payment) == ("unknown", "unknown")

    until(lambda: state(hasty, payment) == ("authorised", "approved"))
    (row,) = hasty.books(UNMATCHED)
    assert (row["why"], row["message_type"], row["action_code"]) == ("late", "1210", "000")
    assert row["total_rial"] == payment.amount_rial == balance(hasty)
    assert recover.inquire(hasty.gateway, only_attempt(hasty), tries=1) is None, "the queued inquiry finds it done"
    assert state(hasty, payment) == ("authorised", "approved")


def only_attempt(pair: Pair) -> str:
    """Return the id of the only attempt."""
    return str(pair.books("SELECT attempt_id FROM attempt")[0]["attempt_id"])


def test_f4_a_late_approval_after_the_pages_time_goes_back(hasty: Pair) -> None:
    """The page is over when the host says yes: the money is given back by the same path as an inquiry's (D8)."""
    payment, entry = hasty.order()

    with card_locked(hasty, entry.pan):
        assert pay(hasty.gateway, payment.page_token, entry) == Checking()
        with hasty.gateway.database.begin() as connection:
            connection.execute(text("UPDATE payment SET page_expires_at = house_now()"))

    until(lambda: state(hasty, payment) == ("reversing", "voiding"))
    assert until(lambda: recover.reverse(hasty.gateway, only_attempt(hasty)) is None)
    assert state(hasty, payment) == ("reversed", "voided")
    assert balance(hasty) == 0


def test_f4_a_late_approval_after_the_decision_to_reverse_changes_nothing(hasty: Pair) -> None:
    """The decision to reverse is never flipped (D2): the approval is noted, and the money comes back."""
    payment, entry = hasty.order()

    with card_locked(hasty, entry.pan):
        assert pay(hasty.gateway, payment.page_token, entry) == Checking()
        attempt_id = only_attempt(hasty)
        with hasty.gateway.database.single() as connection:
            assert attempts.decide_reversal(connection, attempt_id)

    until(lambda: hasty.books("SELECT 1 FROM payment_event WHERE event = 'late_approval'"))
    assert state(hasty, payment) == ("unknown", "voiding")
    assert until(lambda: recover.reverse(hasty.gateway, only_attempt(hasty)) is None)
    assert state(hasty, payment) == ("open", "voided")
    assert balance(hasty) == 0


def test_f4_a_late_approval_before_the_silence_is_recorded(hasty: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    """The process that waited dies before it notes the silence: the late yes finds the attempt still submitted."""
    payment, entry = hasty.order()

    with card_locked(hasty, entry.pan), monkeypatch.context() as cut:
        cut.setattr("gateway.services.authorise._record", lambda *_, answer, **__: answer)
        assert isinstance(pay(hasty.gateway, payment.page_token, entry), Unknown)
        assert state(hasty, payment) == ("paying", "submitted")

    until(lambda: state(hasty, payment) == ("authorised", "approved"))
    assert recover_lost(hasty.gateway) == 0


def test_f4_a_late_decline_is_only_kept(hasty: Pair) -> None:
    """No money moved; the inquiry will say so, and the answer is there to be read."""
    payment, entry = hasty.order()
    hasty.bank("UPDATE card SET balance_rial = 0, opened_rial = 0")

    with card_locked(hasty, entry.pan):
        assert pay(hasty.gateway, payment.page_token, entry) == Checking()

    (row,) = until(lambda: hasty.books(UNMATCHED))
    assert (row["why"], row["action_code"]) == ("late", "116")
    assert state(hasty, payment) == ("unknown", "unknown")
    assert until(lambda: recover.inquire(hasty.gateway, only_attempt(hasty), tries=1) is None)
    assert state(hasty, payment) == ("open", "declined")
