"""Connecting, signing on and waiting for the answer share one deadline: the issuer's own time-out."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from foundation.keys import Keyring
from gateway.domain.outcome import Approved, Declined, ReversalUnknown, Unknown
from gateway.switch.client import SwitchClient
from gateway.switch.wire import LinkTimes

SLACK_SECONDS = 0.4
"""What a loaded machine may add to a wait; every wait that would be wrong is longer by far."""


@pytest.fixture
def patient(keyring: Keyring) -> Iterator[SwitchClient]:
    """A switch whose link may take three seconds to connect and three to sign on, as in production."""
    made = SwitchClient(keyring, "581672", LinkTimes())
    yield made
    made.close()


@pytest.fixture
def deaf() -> Iterator[socket.socket]:
    """A host that takes every connection and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture
def crowded() -> Iterator[socket.socket]:
    """A host whose backlog is full: the kernel leaves further connections without an answer."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(8):
            caller = stack.enter_context(socket.socket())
            caller.settimeout(0)
            caller.connect_ex(listener.getsockname())
        yield listener


def seconds_of(action: Any) -> tuple[object, float]:
    """Do something and say how long it took."""
    began = time.monotonic()
    return action(), time.monotonic() - began


@pytest.mark.parametrize("listener", ["deaf", "crowded"])
def test_a_link_that_cannot_be_opened_costs_no_more_than_the_time_out(
    patient: SwitchClient, make: Any, listener: str, request: pytest.FixtureRequest
) -> None:
    """Neither a silent host nor a full backlog holds a shopper longer than her bank's time-out; nothing was sent."""
    port = request.getfixturevalue(listener).getsockname()[1]
    issuer = make.issuer_at(port, timeout_ms=500)

    answer, seconds = seconds_of(lambda: patient.authorise(issuer, make.purchase(1)))
    assert answer == Declined("912")
    assert 0.4 < seconds < 0.5 + SLACK_SECONDS
    answer, seconds = seconds_of(lambda: patient.reverse(issuer, make.reversal(1)))
    assert answer == ReversalUnknown("unreachable")
    assert seconds < 0.5 + SLACK_SECONDS


def test_many_questions_wait_for_one_opening(patient: SwitchClient, make: Any, deaf: socket.socket) -> None:
    """Ten purchases at once meet a deaf host: each leaves at its own deadline, over one connection."""
    issuer = make.issuer_at(deaf.getsockname()[1], timeout_ms=500)
    answers: list[tuple[object, float]] = []

    def ask(number: int) -> None:
        answers.append(seconds_of(lambda: patient.authorise(issuer, make.purchase(number))))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [answer for answer, _ in answers] == [Declined("912")] * 10
    assert max(seconds for _, seconds in answers) < 0.5 + SLACK_SECONDS
    deaf.settimeout(0.2)
    first, _ = deaf.accept()
    with pytest.raises(TimeoutError):
        deaf.accept()
    first.close()


def test_what_opening_takes_is_missing_from_the_wait(patient: SwitchClient, host: Any, make: Any) -> None:
    """The host signs on after 0.4 s and never answers the purchase: unknown after 0.8 s, not after 1.2 s."""
    slow = host.answer

    def answer(question: Any, code: str, **changes: str) -> Any:
        if question.mti == "1804":
            threading.Event().wait(0.4)
        return slow(question, code, **changes)

    host.answer = answer
    host.play = lambda *_: None

    answer_heard, seconds = seconds_of(
        lambda: patient.authorise(make.issuer_at(host.port, timeout_ms=800), make.purchase(1))
    )

    assert answer_heard == Unknown("silent")
    assert 0.7 < seconds < 0.8 + SLACK_SECONDS


def test_a_link_that_opens_too_late_for_one_serves_the_next(patient: SwitchClient, host: Any, make: Any) -> None:
    """The first question leaves before the sign-on is answered, unsent; the link is there for the second."""
    slow = host.answer

    def answer(question: Any, code: str, **changes: str) -> Any:
        if question.mti == "1804":
            threading.Event().wait(0.5)
        return slow(question, code, **changes)

    host.answer = answer
    assert patient.authorise(make.issuer_at(host.port, timeout_ms=200), make.purchase(1)) == Declined("912")

    assert isinstance(patient.authorise(make.issuer_at(host.port, timeout_ms=2_000), make.purchase(2)), Approved)
    assert [message.text(11) for message in host.heard if message.mti == "1200"] == ["000002"]
    assert len(host.connections) == 1


def test_a_host_that_reads_nothing_ends_in_a_decline_or_in_unknown(keyring: Keyring, host: Any, make: Any) -> None:
    """The host stops reading until its buffers are full: what was not written is declined, nothing waits for ever."""
    client = SwitchClient(keyring, "581672", replace(make.times, echo_after_seconds=60.0))
    issuer = make.issuer_at(host.port, timeout_ms=300)
    assert client.echo(issuer)
    wire = client._links["two"]._wire  # noqa: SLF001 - the only way to fill its buffers
    assert wire is not None
    released = threading.Event()

    def play(*_: object) -> None:
        released.wait(10)
        raise OSError

    host.play = play
    assert client.authorise(issuer, make.purchase(1)) == Unknown("silent")
    wire._socket.settimeout(0.5)  # noqa: SLF001 - the same; never 0, with which its reader would end the link
    with contextlib.suppress(TimeoutError):
        while True:
            wire._socket.send(bytes(65_536))  # noqa: SLF001 - the same

    answers: list[tuple[object, float]] = []

    def ask(number: int) -> None:
        answers.append(seconds_of(lambda: client.authorise(issuer, make.purchase(number))))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(2, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    kinds = sorted(str(answer) for answer, _ in answers)
    assert kinds == [str(Declined("912"))] * 2 + [str(Unknown("broken"))]
    assert max(seconds for _, seconds in answers) < 0.5 + SLACK_SECONDS, (
        "a blocked write breaks the link within its tick"
    )
    client.close()
    released.set()
