"""A hanging or refusing issuer on real sockets: what the bulkhead holds back, and what it never touches."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gateway.bulkhead import Gate, NotAdmitted
from gateway.domain.breaker import REST_SECONDS, SILENCES_MAX, Heard
from gateway.domain.outcome import Approved, Declined, Reversed, Unknown
from gateway.switch.client import ISSUER_UNREACHABLE, PURCHASES_AT_ONCE


def test_f18_a_full_gate_answers_at_once() -> None:
    """The second question does not wait for the first one's place, and finds it when that is free."""
    gate = Gate("test", room=1)
    with gate.admitted(), pytest.raises(NotAdmitted, match="full"), gate.admitted():
        pass

    with gate.admitted():
        pass


def test_f18_of_many_threads_one_is_the_probe() -> None:
    """After the rest exactly one of twelve threads passes while the others are turned away."""
    now = [0.0]
    gate = Gate("test", room=20, now=lambda: now[0])
    for _ in range(SILENCES_MAX):
        with gate.admitted() as visit:
            visit.heard = Heard.SILENCE
    now[0] = REST_SECONDS
    together, leave, passed = threading.Barrier(12), threading.Event(), list[str]()

    def ask() -> None:
        together.wait()
        try:
            with gate.admitted() as visit:
                passed.append("through")
                leave.wait(5)
                visit.heard = Heard.ANSWER
        except NotAdmitted as error:
            passed.append(error.why)
        if len(passed) == 12:
            leave.set()

    threads = [threading.Thread(target=ask) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(passed) == ["open"] * 11 + ["through"]
    with gate.admitted():
        pass


def test_f18_d2_purchases_held_back_do_not_hold_back_recovery(client: Any, host: Any, make: Any) -> None:
    """Silence opens the purchases' breaker: nothing is sent, a decline is certain; inquiry and reversal go on."""
    issuer = make.issuer_at(host.port, timeout_ms=100)
    host.play = lambda host, question: None if question.mti == "1200" else host.answer(question, _CODES[question.mti])
    for number in range(SILENCES_MAX):
        assert client.authorise(issuer, make.purchase(number)) == Unknown("silent")
    before = len(host.heard)

    assert client.authorise(issuer, make.purchase(99)) == Declined(ISSUER_UNREACHABLE)
    assert len(host.heard) == before
    assert isinstance(client.inquire(issuer, make.inquiry()), Declined)
    assert client.reverse(issuer, make.reversal()) == Reversed()


_CODES = {"1604": "116", "1420": "400"}


def test_d3_declines_never_open_the_breaker(client: Any, host: Any, issuer: Any, make: Any) -> None:
    """Even the issuer's own 912, said by its host, is an answer."""
    host.play = lambda host, question: host.answer(question, "912")
    for number in range(SILENCES_MAX * 2):
        assert client.authorise(issuer, make.purchase(number)) == Declined("912")
    host.play = lambda host, question: host.answer(question, "000")

    assert isinstance(client.authorise(issuer, make.purchase(50)), Approved)


def test_f18_a_purchase_on_the_wire_is_not_touched_by_the_breaker(client: Any, host: Any, make: Any) -> None:
    """The breaker opens while a purchase waits for its answer; its approval still arrives as one."""
    patient, hasty = make.issuer_at(host.port, timeout_ms=5_000), make.issuer_at(host.port, timeout_ms=50)
    host.play = lambda _host, _question: None
    answers: list[object] = []
    waiting = threading.Thread(target=lambda: answers.append(client.authorise(patient, make.purchase(1))))
    waiting.start()
    for number in range(2, 2 + SILENCES_MAX):
        client.authorise(hasty, make.purchase(number))
    assert client.authorise(hasty, make.purchase(90)) == Declined(ISSUER_UNREACHABLE)

    question = next(heard for heard in host.heard if heard.mti == "1200" and heard.text(11) == "000001")
    host.send(host.answer(question, "000"))
    waiting.join()

    assert isinstance(answers[0], Approved)


def test_f18_a_hanging_issuer_holds_its_places_and_no_more(client: Any, host: Any, make: Any) -> None:
    """One purchase beyond the limit is declined without a byte sent."""
    issuer = make.issuer_at(host.port, timeout_ms=3_000)
    host.play = lambda _host, _question: None
    waiting = [
        threading.Thread(target=client.authorise, args=(issuer, make.purchase(number)))
        for number in range(PURCHASES_AT_ONCE)
    ]
    for thread in waiting:
        thread.start()
    while sum(message.mti == "1200" for message in tuple(host.heard)) < PURCHASES_AT_ONCE:
        threading.Event().wait(0.01)

    assert client.authorise(issuer, make.purchase(500)) == Declined(ISSUER_UNREACHABLE)
    assert all(message.text(11) != "000500" for message in host.heard)
    host.drop()
    for thread in waiting:
        thread.join()
