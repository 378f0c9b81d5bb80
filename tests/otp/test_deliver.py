"""SMS through outbox and worker: derived as it is sent, dropped when late, retried, recorded (D4, D5, D18, D25)."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from foundation.outbox import Outbox, Want
from foundation.rial import Rial
from foundation.settings import InvalidSettings
from otp import worker
from otp.domain import purposes
from otp.domain.code import mac_input
from otp.ports import SmsRefused, SmsUnanswered
from otp.services import deliver


@contextmanager
def threads() -> Iterator[ThreadPoolExecutor]:
    """Lend the worker its threads."""
    with ThreadPoolExecutor(4) as pool:
        yield pool


def tick(here: Any) -> None:
    """Let the worker do what is due."""
    with threads() as pool:
        worker.make(here.bank).tick(pool)


def code_in(text: str) -> str:
    """Read the code out of a message."""
    match = re.search(r"رمز پویا: (\d+)", text)
    assert match
    return match[1]


def test_d25_the_worker_derives_the_code_whose_mac_is_stored(here: Any) -> None:
    """The text shows what the code is for, and the code is the one the bank will recognise; no table holds it."""
    pan = here.card()
    here.ask(pan, here.binding(amount=Rial(1_250_000), fee=Rial(5_000)))

    tick(here)

    (message,) = here.phone.sent
    text = message.text.reveal()
    code = code_in(text)
    (row,) = here.challenges()
    name = here.name_of(pan)
    assert here.bank.keys.mac(purposes.CODE_MAC, mac_input(name, code)) == row["code_mac"]
    assert row["delivery"] == "accepted"
    assert row["provider_message_id"] == "box-0"
    assert (message.mobile.reveal(), message.sender) == ("09121234567", "30003303")
    assert "1,255,000 ریال" in text
    assert "5,000 ریال" in text
    assert "@" not in text
    kept = json.dumps([here.sql(f"SELECT t::text FROM {name} t") for name in ("challenge", "outbox", "harim_request")])
    assert f'"{code}"' not in kept
    assert code not in re.sub(r"[0-9a-f]{32,}|[0-9-]{8,}", "", kept)


def test_d9b_a_resend_shows_the_same_code(here: Any) -> None:
    """Sent again after the wait, the code is the same, and so is the end of its life."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)
    tick(here)
    here.age(61)
    here.ask(pan, binding, sequence=2)

    tick(here)

    first, second = (code_in(text) for text in here.phone.texts)
    assert first == second


def test_d25_the_last_line_is_for_phones_where_the_host_is_allowed(make_bank: Callable[..., Any]) -> None:
    """Only for a PSP whose page the bank knows does the text end with ``@host #code``."""
    here = make_bank(webotp_host="pay.example")
    here.ask(here.card())

    tick(here)

    (text,) = here.phone.texts
    assert text.splitlines()[-1] == f"@pay.example #{code_in(text)}"


@pytest.mark.parametrize("length", [5, 6, 7, 8])
def test_d5_codes_of_five_to_eight_digits_are_issued(make_bank: Callable[..., Any], length: int) -> None:
    """The bank's setting decides the length."""
    here = make_bank(code_length=length)
    here.ask(here.card())

    tick(here)

    assert len(code_in(here.phone.texts[0])) == length


def test_a_code_about_to_end_is_dropped(here: Any) -> None:
    """With under 20 seconds of life nothing is sent, and that is recorded."""
    here.ask(here.card())
    here.age(101)

    tick(here)

    assert here.phone.sent == []
    assert here.challenges()[0]["delivery"] == "dropped"
    assert here.sql("SELECT done_at IS NOT NULL AS done FROM outbox") == [{"done": True}]


def test_a_code_that_was_replaced_meanwhile_is_not_sent(here: Any) -> None:
    """Only the newest code of a payment reaches the phone."""
    pan, binding = here.card(), here.binding()
    here.ask(pan, binding)
    here.ask(pan, here.binding(transaction_ref=binding.transaction_ref, amount=Rial(1)), sequence=2)

    tick(here)

    assert len(here.phone.sent) == 1
    assert [row["delivery"] for row in here.challenges()] == ["dropped", "accepted"]


def test_an_unanswered_message_is_tried_again_under_the_same_reference(here: Any) -> None:
    """No clear answer: the back-off table says when, and the provider sees the same reference."""
    here.phone.answers = [SmsUnanswered("silent")]
    here.ask(here.card())

    tick(here)

    (row,) = here.sql("SELECT tries, last_error, due_at > house_now() AS later, done_at FROM outbox")
    assert (row["tries"], row["last_error"], row["later"], row["done_at"]) == (1, "silent", True, None)
    here.sql("UPDATE outbox SET due_at = house_now()")
    tick(here)
    assert [message.reference for message in here.phone.sent] == ["sms-1"]


def test_a_refused_message_is_recorded_for_a_person(here: Any) -> None:
    """The provider's no is final."""
    here.phone.answers = [SmsRefused("blacklisted")]
    here.ask(here.card())

    tick(here)

    assert here.challenges()[0]["delivery"] == "refused"
    assert here.sql("SELECT last_error FROM outbox WHERE dead_at IS NOT NULL") == [{"last_error": "blacklisted"}]


def test_d18_the_last_try_warning_goes_to_the_holder_only(here: Any) -> None:
    """The warning names the card's last four digits and goes to the number on file; a card without one is not told."""
    pan = here.card()
    here.card(mobile=None)
    queue = (
        "INSERT INTO outbox (topic, payload) SELECT 'sms.last_try', jsonb_build_object('card_id', card_id) FROM card"
    )
    here.sql(queue)

    tick(here)

    (text,) = here.phone.texts
    assert f"*{pan.reveal()[-4:]}" in text
    assert here.sql("SELECT count(*) AS n FROM outbox WHERE done_at IS NOT NULL") == [{"n": 2}]


@pytest.mark.parametrize(("answer", "column"), [(SmsRefused("no"), "dead_at"), (SmsUnanswered("silent"), "due_at")])
def test_d18_a_warning_that_does_not_go_out_is_tried_or_shown(here: Any, answer: Any, column: str) -> None:
    """A refused warning is dead, an unanswered one waits."""
    here.card()
    here.phone.answers = [answer]
    here.sql(
        "INSERT INTO outbox (topic, payload) SELECT 'sms.last_try', jsonb_build_object('card_id', card_id) FROM card"
    )

    tick(here)

    (row,) = here.sql("SELECT dead_at, due_at, last_error FROM outbox")
    assert row["last_error"] in {"no", "silent"}
    assert row[column] is not None
    assert here.phone.sent == []


def test_d33_the_sweeper_ends_what_is_past_its_life(here: Any) -> None:
    """By the database's clock, and nothing else."""
    here.ask(here.card())
    here.ask(here.card())
    here.sql("UPDATE challenge SET issued_at = issued_at - interval '1 hour', expires_at = house_now() "
             "WHERE challenge_id = 1")  # fmt: skip

    deliver.expire_challenges(here.bank)

    assert [row["state"] for row in here.challenges()] == ["expired", "issued"]


def test_d20_limits_of_windows_long_over_are_forgotten(here: Any) -> None:
    """Rows of the day before yesterday go, today's stay."""
    here.ask(here.card())
    before = here.sql("SELECT count(*) AS n FROM quota")
    here.sql("INSERT INTO quota VALUES ('card|old', house_now() - interval '3 days', 1)")

    deliver.forget_quotas(here.bank)

    assert here.sql("SELECT count(*) AS n FROM quota") == before


def test_a_worker_without_a_provider_does_not_start(make_bank: Callable[..., Any]) -> None:
    """A sentence says which setting is missing, and a job never disappears without a provider."""
    here = make_bank()
    mute = type(here.bank)(**{**{name: getattr(here.bank, name) for name in here.bank.__slots__}, "sms": None})
    here.ask(here.card())
    (job,) = Outbox(here.bank.database).claim([Want("sms.code", 1, 1)])

    with pytest.raises(InvalidSettings, match="OTP_SMS_FILE"):
        worker.run(mute)
    assert type(deliver.send_code(mute, job)).__name__ == "Retry"


def test_the_worker_sends_until_it_is_stopped(here: Any) -> None:
    """A running worker sends a code that is asked for meanwhile."""
    running = worker.make(here.bank)
    thread = threading.Thread(target=running.run)
    thread.start()
    arrived = threading.Event()
    deliver_one = here.phone.send

    def send(message: Any) -> Any:
        arrived.set()
        return deliver_one(message)

    here.phone.send = send
    here.ask(here.card())

    assert arrived.wait(10)
    running.stop()
    thread.join(10)
    assert not thread.is_alive()
