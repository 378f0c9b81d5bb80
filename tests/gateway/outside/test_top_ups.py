"""The exit to the provider of top-ups by real HTTP: signed both ways, and only an explicit word concludes (D7, D21)."""

from __future__ import annotations

import base64
import json
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.signatures import Signer, public_key_of
from gateway.domain.outcome import Approved, Declined, NotReversed, ReversalUnknown, Reversed, Unknown
from gateway.domain.top_up import Operator, TopUpRequest
from gateway.top_ups.client import NoTopUps, TopUpClient
from sandbox.top_up_provider import Provider
from sandbox.top_ups import KEY_ID, make_provider_keys, public_settings

KEY = secrets.token_bytes(32)
EXAMPLES = Path(__file__).parents[3] / "contracts" / "topup" / "v1" / "examples"


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[Provider]:
    """The sandbox's provider, on a port of its own."""
    make_provider_keys(tmp_path, "gateway-1", public_key_of(KEY))
    made = Provider(0, tmp_path)
    thread = threading.Thread(target=made.serve_forever, daemon=True)
    thread.start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture
def client(provider: Provider, tmp_path: Path) -> TopUpClient:
    """The gateway's exit to it."""
    return client_at(f"http://127.0.0.1:{provider.server_address[1]}", tmp_path)


def client_at(url: str, folder: Path, *, signer: Signer | None = None, seconds: float = 2.0) -> TopUpClient:
    """Make an exit to whoever listens there."""
    settings = public_settings(folder, url)
    keys = {settings["GATEWAY_TOP_UP_KEY_ID"]: base64.b64decode(settings["GATEWAY_TOP_UP_PUBLIC_KEY"])}
    return TopUpClient(signer or Signer("gateway-1", KEY), url, keys, seconds=seconds)


def asked(mobile: str = "09121234567", reference: str = "pay_1") -> TopUpRequest:
    """Make a delivery."""
    return TopUpRequest(reference, Operator.MCI, Sensitive(mobile), Rial(200_000))


def test_d7_one_reference_is_delivered_once_whatever_is_asked(client: TopUpClient, provider: Provider) -> None:
    """The repeat gets the first answer; what was delivered cannot be cancelled."""
    first, again = client.deliver(asked()), client.deliver(asked())

    assert isinstance(first, Approved)
    assert first.approval_code
    assert again == first
    assert client.cancel(asked()) == NotReversed()
    assert [entry.amount_rial for entry in provider.book.delivered()] == [200_000]


def test_d7_a_no_is_a_no_and_as_good_as_cancelled(client: TopUpClient) -> None:
    """The reason is a word."""
    assert client.deliver(asked("09120000001")) == Declined("number_unknown")
    assert client.cancel(asked("09120000001")) == Reversed()


def test_d7_a_lost_answer_is_unknown_and_the_repeat_finds_the_delivery(client: TopUpClient, provider: Provider) -> None:
    """The connection breaks after it was delivered: the second try of the same question, or the next, is told."""
    answers = [client.deliver(asked("09120000002")) for _ in range(2)]

    assert isinstance(answers[-1], Approved)
    assert len(provider.book.delivered()) == 1


def test_d7_pending_concludes_nothing_and_can_be_cancelled_for_ever(client: TopUpClient) -> None:
    """After that even a late repeat is refused."""
    assert client.deliver(asked("09120000003")) == Unknown("pending")
    assert client.cancel(asked("09120000003")) == Reversed()
    assert client.deliver(asked("09120000003")) == Declined("cancelled")


def test_d2_a_cancellation_of_what_never_came_refuses_it_ever_after(client: TopUpClient, provider: Provider) -> None:
    """A tombstone, as at a bank."""
    assert client.cancel(asked()) == Reversed()
    assert client.deliver(asked()) == Declined("cancelled")
    assert provider.book.delivered() == []


def test_d7_another_body_under_a_reference_is_no_answer(client: TopUpClient) -> None:
    """Nothing is done, and nothing concluded."""
    client.deliver(asked())

    assert client.deliver(replace(asked(), amount=Rial(10_000))) == Unknown("incoherent: body")


def test_d21_strangers_are_not_served_and_not_believed(provider: Provider, tmp_path: Path) -> None:
    """A request signed by another key is not carried out; an answer signed by another is none."""
    url = f"http://127.0.0.1:{provider.server_address[1]}"
    stranger = client_at(url, tmp_path, signer=Signer("gateway-1", secrets.token_bytes(32)))
    trusting = TopUpClient(Signer("gateway-1", KEY), url, {KEY_ID: public_key_of(secrets.token_bytes(32))}, seconds=2.0)

    assert stranger.deliver(asked()) == Unknown("incoherent: signature")
    assert provider.book.delivered() == []
    assert trusting.deliver(asked()) == Unknown("incoherent: signature")
    assert trusting.cancel(asked()) == ReversalUnknown("incoherent: signature")


@pytest.fixture
def silent() -> Iterator[Callable[[], str]]:
    """A port that takes connections and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield lambda: f"http://127.0.0.1:{listener.getsockname()[1]}"


def test_f18_silence_ends_in_time_and_concludes_nothing(
    provider: Provider, silent: Callable[[], str], tmp_path: Path
) -> None:
    """Nobody there, or nobody who speaks."""
    assert provider
    for url in (silent(), "http://127.0.0.1:1"):
        patient = client_at(url, tmp_path, seconds=0.3)
        assert isinstance(patient.deliver(asked()), Unknown)
        assert isinstance(patient.cancel(asked()), ReversalUnknown)


def test_f18_no_more_than_four_questions_hang_at_once(
    provider: Provider, silent: Callable[[], str], tmp_path: Path
) -> None:
    """The fifth is told that there is no place, at once."""
    assert provider
    client = client_at(silent(), tmp_path, seconds=3.0)
    hanging = [threading.Thread(target=client.deliver, args=(asked(),)) for _ in range(4)]
    for thread in hanging:
        thread.start()
    answers = set()
    while len(answers) < 1:
        answer = client.cancel(asked())
        assert isinstance(answer, ReversalUnknown)
        answers |= {answer.why} & {"full"}
    for thread in hanging:
        thread.join()

    assert answers == {"full"}


def test_without_a_provider_nothing_is_concluded() -> None:
    """Nor asked."""
    assert isinstance(NoTopUps().deliver(asked()), Unknown)
    assert isinstance(NoTopUps().cancel(asked()), ReversalUnknown)


def test_the_contracts_examples_are_what_both_sides_say(client: TopUpClient, provider: Provider) -> None:
    """Body and answers have the members of the examples."""
    reference = json.loads((EXAMPLES / "answer-delivered.json").read_text())["reference"]
    client.deliver(asked(reference=reference))
    (entry,) = provider.book.delivered()

    assert json.loads(entry.body) == json.loads((EXAMPLES / "request.json").read_text())
