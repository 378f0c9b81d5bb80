"""Answers that nobody waits for are told apart and handed over, without the reading thread waiting for anything."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from foundation.keys import Keyring
from gateway.domain.outcome import Approved, Unknown
from gateway.ports import Unmatched, UnmatchedAnswer
from gateway.switch.client import SwitchClient
from gateway.switch.iso8583 import Message


class Box:
    """Takes what nobody waited for, as long as it is not full."""

    def __init__(self) -> None:
        self.found: list[UnmatchedAnswer] = []
        self.full = False

    def put(self, answer: UnmatchedAnswer) -> bool:
        """Take one."""
        if not self.full:
            self.found.append(answer)
        return not self.full


@pytest.fixture
def box() -> Box:
    """An empty box."""
    return Box()


@pytest.fixture
def client(keyring: Keyring, host: Any, make: Any, box: Box) -> Iterator[SwitchClient]:
    """A switch that puts into the box."""
    assert host.port
    made = SwitchClient(keyring, "581672", make.times, lost_and_found=box.put)
    yield made
    made.close()


def until(condition: Any) -> None:
    """Wait until something is so, at most five seconds."""
    ends_at = time.monotonic() + 5
    while not condition():
        assert time.monotonic() < ends_at, "it never came to be so"
        time.sleep(0.005)


def test_late_repeated_strange_and_forged_answers_are_told_apart(client: Any, host: Any, make: Any, box: Box) -> None:
    """Each with its fields that are no secret, and with the issuer whose link it came over."""
    hasty = make.issuer_at(host.port, timeout_ms=1_000)
    host.play = lambda *_: None
    assert client.authorise(hasty, make.purchase(1)) == Unknown("silent")
    host.send(host.answer(host.heard[-1], "000", de38="A00001"))
    until(lambda: len(box.found) == 1)

    def twice(host: Any, question: Message) -> Message:
        host.send(host.answer(question, "000"))
        return host.answer(question, "000")

    host.play = twice
    assert isinstance(client.authorise(make.issuer_at(host.port), make.purchase(2)), Approved)
    until(lambda: len(box.found) == 2)
    host.send(host.answer(host.heard[-1], "116", de11="777777"))
    until(lambda: len(box.found) == 3)
    host.send(host.answer(host.heard[-1], "000"), forge=True)
    until(lambda: len(box.found) == 4)

    assert [found.why for found in box.found] == [*Unmatched]
    late = box.found[0]
    assert (late.issuer_id, late.message_type, late.action_code, late.approval_code) == ("two", "1210", "000", "A00001")
    assert (late.stan, late.rrn, late.local_time) == ("000001", "000000000001", "261124120000")
    assert (late.total, late.processing_code, late.acquirer_id) == ("000001012000", "000000", "581672")
    assert late.terminal_id == "T0000001"
    assert "6219861034529007" not in repr(box.found)
    counters = client.counters()["two"]
    assert (counters.unmatched, counters.forged, counters.overflow) == (3, 1, 0)


def test_a_full_box_is_counted_and_the_link_goes_on(client: Any, host: Any, issuer: Any, make: Any, box: Box) -> None:
    """What cannot be handed over is lost to the records, not to the link."""
    box.full = True
    client.echo(issuer)
    host.send(host.answer(client_question(make), "000"))
    until(lambda: client.counters()["two"].overflow == 1)

    assert isinstance(client.authorise(issuer, make.purchase(1)), Approved)
    assert box.found == []


def client_question(make: Any) -> Message:
    """Make what a purchase would have asked, had there been one."""
    trace = make.purchase(5).trace
    fields = {3: "000000", 4: "000001012000", 11: trace.stan, 12: trace.local_time, 32: "581672", 37: trace.rrn}
    return Message("1200", {**fields, 41: trace.terminal_id})


def test_a_garbled_purchase_in_place_of_an_answer_shows_no_card(client: Any, host: Any, issuer: Any, box: Box) -> None:
    """A host that sends the purchase back, PAN and all: only its harmless fields are taken."""
    host.play = lambda _host, question: question

    client.authorise(issuer, purchase_of_test())
    until(lambda: box.found)

    assert box.found[0].why is Unmatched.MAC
    assert not {"6219861034529007", "1234567", "0812"} & set(vars_of(box.found[0]))


def purchase_of_test() -> Any:
    """Make a purchase."""
    from tests.gateway.switch.conftest import purchase  # noqa: PLC0415 - a fixture file's maker

    return purchase(1)


def vars_of(answer: UnmatchedAnswer) -> list[str]:
    """Return every value of an answer."""
    return [str(getattr(answer, name)) for name in answer.__dataclass_fields__]
