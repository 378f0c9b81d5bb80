"""Codes through providers over real HTTP, from the outbox on, and what is told of them afterwards (D19, D25)."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs

import pytest
from structlog.testing import capture_logs

from foundation.sensitive import Sensitive
from otp import worker
from otp.ports import Receipt
from otp.services import deliver
from otp.services.ask_receipts import ask_receipts
from otp.services.hear_centres import Hearing
from otp.services.tell_delivery import tell_delivery
from otp.sms.failover import Failover, Member
from otp.sms.health import Health
from tests.fakes.http import Reply, Request, Site, serving
from tests.otp.sms.accounts import provider
from tests.otp.sms.test_sender import silent


@dataclass
class Kavenegar:
    """Their service, as far as the bank can tell; ``states`` are by message id."""

    states: dict[str, int] = field(default_factory=dict)
    asked: threading.Event = field(default_factory=threading.Event)
    numbers: Iterator[int] = field(default_factory=lambda: iter(range(8_792_343, 9_000_000)))

    def __call__(self, request: Request) -> Reply:
        """Accept everything, and tell of what is known."""
        fields = parse_qs(request.body.decode())
        if request.path.endswith("/status.json"):
            named = fields["messageid"][0].split(",")
            rows = [{"messageid": int(name), "status": self.states[name]} for name in named if name in self.states]
            self.asked.set()
        else:
            rows = [{"messageid": next(self.numbers), "status": 5}]
        return Reply(200, body=json.dumps({"return": {"status": 200, "message": ""}, "entries": rows}).encode())


@dataclass
class Wired:
    """A bank with providers, the second of which works."""

    here: Any
    site: Site
    theirs: Kavenegar
    health: Health

    def tick(self) -> None:
        """Let the worker do what is due."""
        with ThreadPoolExecutor(4) as pool:
            worker.make(self.here.bank).tick(pool)

    def count(self, name: str, **labels: str) -> float:
        """Read one of the bank's counters."""
        registry = self.here.bank.meters.metrics.registry
        return registry.get_sample_value(f"bank_{name}_total", labels) or 0


@contextmanager
def wired(here: Any, *, first: str | None = None) -> Iterator[Wired]:
    """Give the bank Kavenegar, after a first provider that is reached there."""
    theirs, health = Kavenegar(), Health(100)
    with serving(theirs) as site:
        here_one = provider("kavenegar", site.url)
        members = [Member("kave", here_one, 3.0, health, here_one)]
        if first is not None:
            members.insert(0, Member("first", provider("smsir", first), 0.5, Health(200)))
        several = Failover(members, here.bank.meters.sms_provider_answered)
        here.bank = replace(here.bank, sms=several, sms_lines=several)
        yield Wired(here, site, theirs, health)


def until(holds: Callable[[], bool]) -> None:
    """Wait for a condition, ten seconds at most."""
    ends = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < ends
        threading.Event().wait(0.02)


def test_d25_a_dead_first_provider_costs_half_a_second_and_the_code_is_the_same(here: Any) -> None:
    """The second gets the code that the bank will recognise, within its life; whose message it is, is recorded."""
    with silent() as dead, wired(here, first=dead) as there:
        here.ask(here.card())
        there.tick()
        (row,) = here.challenges()
        sent = parse_qs(there.site.requests[0].body.decode())

        assert (row["delivery"], row["provider_message_id"]) == ("accepted", "kave:8792343")
        assert re.fullmatch(r"\d{7}", sent["token"][0])
        assert here.sql("SELECT done_at IS NOT NULL AS done, tries FROM outbox") == [{"done": True, "tries": 1}]
        assert here.sql("SELECT expires_at - house_now() > interval '100 seconds' AS alive FROM challenge")[0]["alive"]
        assert there.count("sms_calls", provider="first", outcome="unanswered") == 1
        assert there.count("sms_calls", provider="kave", outcome="accepted") == 1
        assert there.count("sms", kind="code", outcome="accepted") == 1


def test_a_code_about_to_end_goes_to_no_provider(here: Any) -> None:
    """Not even to the one that works."""
    with wired(here) as there:
        here.ask(here.card())
        here.age(101)
        there.tick()

        assert there.site.requests == []


def test_no_provider_gets_a_code_in_its_last_twenty_seconds(make_bank: Callable[..., Any]) -> None:
    """All of them together get the time until then, however long a message may take otherwise; its life goes along."""
    here = make_bank(sms_timeout_seconds=600.0)
    here.ask(here.card())
    here.age(95)
    with ThreadPoolExecutor(4) as pool:
        worker.make(here.bank).tick(pool)

    (message,) = here.phone.sent
    assert 0 < message.timeout_seconds <= 5
    assert message.life_seconds == pytest.approx(message.timeout_seconds + 20)
    assert message.template.name == "code"
    assert message.template.values["amount"].reveal() == "250,000"


def test_an_account_in_trouble_is_an_error_in_the_log_and_the_code_goes_on_trying(here: Any) -> None:
    """One provider, no credit: the operator sees who and why; the code waits for its next try."""
    unpaid = json.dumps({"return": {"status": 418, "message": "…"}, "entries": None}).encode()
    with serving(lambda _: Reply(418, body=unpaid)) as site, capture_logs() as lines:
        several = Failover([Member("kave", provider("kavenegar", site.url), 3.0, Health(100))], lambda *_: None)
        here.bank = replace(here.bank, sms=several)
        here.ask(here.card())
        with ThreadPoolExecutor(4) as pool:
            worker.make(here.bank).tick(pool)

    assert [(line["event"], line["why"]) for line in lines if line["log_level"] == "error"] == [
        ("sms_trouble", "code 418")
    ]
    assert here.sql("SELECT tries, last_error, dead_at FROM outbox") == [
        {"tries": 1, "last_error": "code 418", "dead_at": None}
    ]


@pytest.mark.parametrize(("state", "delivery"), [(10, "delivered"), (11, "undelivered"), (4, "accepted")])
def test_what_became_of_a_message_is_asked_and_kept(here: Any, state: int, delivery: str) -> None:
    """By the provider's table; what is final is not asked again, and what is not, is asked again after a pause."""
    with wired(here) as there:
        here.ask(here.card())
        there.tick()
        there.theirs.states["8792343"] = state
        ask_receipts(here.bank)
        assert len(there.site.requests) == 1, "it was accepted just now"
        here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '10 seconds'")
        ask_receipts(here.bank)
        ask_receipts(here.bank)

        assert [request.path.rpartition("/")[2] for request in there.site.requests] == ["lookup.json", "status.json"]
        assert here.challenges()[0]["delivery"] == delivery
        counted = there.count("sms_receipts", provider="kave", receipt=delivery) if delivery != "accepted" else 0
        assert counted == (delivery != "accepted")


@pytest.mark.parametrize("kept", ["delivered", "undelivered"])
def test_d19_harim_has_no_word_for_the_phone(here: Any, kept: str) -> None:
    """Version 1 knows that the operator took a message over: that is told, and no new word."""
    correlation_id = here.ask(here.card()).body["correlation_id"]
    here.sql("UPDATE challenge SET delivery = :kept", kept=kept)

    assert tell_delivery(here.bank, here.psp, correlation_id) == "accepted"


def test_questions_become_rarer_with_age_and_go_on_after_a_codes_end(here: Any) -> None:
    """Some providers look for receipts after five minutes: what then comes is kept."""
    with wired(here) as there:
        here.ask(here.card())
        there.tick()
        here.age(130)
        deliver.expire_challenges(here.bank)
        here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '400 seconds'")
        here.sql("UPDATE challenge SET receipt_asked_at = house_now() - interval '90 seconds'")
        ask_receipts(here.bank)
        assert len(there.site.requests) == 1, "a quarter of its age is 100 seconds"

        here.sql("UPDATE challenge SET receipt_asked_at = house_now() - interval '110 seconds'")
        there.theirs.states["8792343"] = 10
        ask_receipts(here.bank)

        assert here.challenges()[0]["delivery"] == "delivered"


def test_a_message_without_a_word_lowers_its_providers_weight(here: Any) -> None:
    """Once, and when its code ended unused; a code that was used had arrived."""
    with wired(here) as there:
        for _ in range(2):
            here.ask(here.card())
        there.tick()
        here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '10 seconds'")
        ask_receipts(here.bank)
        here.sql("UPDATE challenge SET state = 'consumed', decided_at = house_now() WHERE challenge_id = 1")
        assert there.count("sms_receipts", provider="kave", receipt="missing") == 0

        here.age(130)
        deliver.expire_challenges(here.bank)
        ask_receipts(here.bank)
        assert there.count("sms_receipts", provider="kave", receipt="missing") == 0, "it may still come"
        here.age(600)
        ask_receipts(here.bank)
        ask_receipts(here.bank)

        assert there.count("sms_receipts", provider="kave", receipt="missing") == 1
        assert there.health.weight(0.0) < 100


def test_providers_that_tell_nothing_are_not_asked(here: Any) -> None:
    """As the sandbox's phone: nothing is written, and nothing is missing."""
    told: list[str] = []
    box = Failover([Member("box", here.phone, 3.0, Health(100))], lambda name, *_: told.append(name))
    here.bank = replace(here.bank, sms=box, sms_lines=box)
    here.ask(here.card())
    with ThreadPoolExecutor(4) as pool:
        worker.make(here.bank).tick(pool)
    here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '10 seconds'")

    ask_receipts(here.bank)

    (row,) = here.challenges()
    assert told == ["box"]
    assert (row["provider_message_id"], row["delivery"], row["receipt_asked_at"]) == ("box:box-0", "accepted", None)
    assert box.missing("box:box-0") is False


def test_a_receipt_that_comes_by_itself_is_kept_once(here: Any) -> None:
    """As a message centre tells it; what is not final, or about a message that nobody waits for, changes nothing."""
    with wired(here) as there:
        here.ask(here.card())
        there.tick()
        hearing = Hearing(here.bank)
        hearing.reported("kave:8792343", Receipt.WAITING)
        hearing.reported("kave:1", Receipt.DELIVERED)
        before = here.challenges()[0]["delivery"]
        hearing.reported("kave:8792343", Receipt.UNDELIVERED)
        hearing.reported("kave:8792343", Receipt.DELIVERED)

        assert (before, here.challenges()[0]["delivery"]) == ("accepted", "undelivered")
        assert there.count("sms_receipts", provider="kave", receipt="undelivered") == 1
        assert there.count("sms_receipts", provider="kave", receipt="delivered") == 0


def test_d26_a_holders_text_to_a_centre_brings_a_code(here: Any) -> None:
    """The number as centres write it, the digits as people do; the answer goes to the number on file."""
    pan = here.card(sms_codes_active=True)
    tail = pan.reveal()[-4:].translate(str.maketrans("0123456789", "۰۱۲۳۴۵۶۷۸۹"))

    Hearing(here.bank).received("smsc", Sensitive("989121234567"), Sensitive(f"رمز {tail}"))
    Hearing(here.bank).received("smsc", Sensitive("989121234567"), Sensitive(tail))

    assert [row["channel"] for row in here.challenges()] == ["sms"]


def test_d26_a_holders_text_in_parts_is_answered_once_with_what_to_send(here: Any) -> None:
    """A centre tells of it without its words: a sentence to the number on file, and no code."""
    here.card(sms_codes_active=True)

    Hearing(here.bank).received("smsc", Sensitive("989121234567"), Sensitive(""))

    assert here.challenges() == []
    assert here.sql("SELECT outcome FROM inbound_message") == [{"outcome": "garbage"}]
    assert here.queued() == 1


def test_the_receipt_of_an_earlier_message_says_nothing_of_a_later_one(here: Any) -> None:
    """Sent again meanwhile, the code's message is the new one."""
    with wired(here) as there:
        here.ask(here.card())
        there.tick()
        here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '10 seconds'")
        failover = here.bank.sms_lines

        class Meanwhile:
            """Sends the code again while its provider is asked."""

            def receipts(self, message_ids: Any, _: float) -> dict[str, Receipt]:
                here.sql("UPDATE challenge SET provider_message_id = 'kave:9'")
                return dict.fromkeys(message_ids, Receipt.DELIVERED)

            tells = True
            missing = failover.missing

        here.bank = replace(here.bank, sms_lines=Meanwhile())
        ask_receipts(here.bank)

        assert here.challenges()[0]["delivery"] == "accepted"


def test_the_worker_asks_by_itself(here: Any) -> None:
    """While it runs, and beside its other work; a bank whose providers tell nothing asks nothing."""
    ask_receipts(here.bank)
    with wired(here) as there:
        here.ask(here.card())
        there.tick()
        here.sql("UPDATE challenge SET delivery_at = delivery_at - interval '10 seconds'")
        there.theirs.states["8792343"] = 10
        running = worker.make(here.bank)
        thread = threading.Thread(target=running.run)
        thread.start()
        try:
            assert there.theirs.asked.wait(10)
            until(lambda: here.challenges()[0]["delivery"] == "delivered")
        finally:
            running.stop()
            thread.join(10)
        assert not thread.is_alive()
