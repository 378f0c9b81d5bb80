"""An issuer's host that does what a test tells it, on a real socket, with the gateway's own codec."""

from __future__ import annotations

import contextlib
import secrets
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.issuers import Issuer
from gateway.ports import AuthorisationRequest, InquiryRequest, Kind, Order, ReversalRequest, Trace
from gateway.switch import iso8583
from gateway.switch.client import SwitchClient
from gateway.switch.iso8583 import Message
from gateway.switch.mac import mac_of
from gateway.switch.outcomes import ECHOED
from gateway.switch.wire import LinkTimes

TIMES = LinkTimes(1.0, 0.5, echo_after_seconds=30.0, echo_answer_seconds=0.3, frame_seconds=0.3)
Play = Callable[["FakeHost", Message], Message | None]


@dataclass
class FakeHost:
    """Answers network messages, and the rest as its ``play`` says; remembers what it heard."""

    keys: Keyring
    play: Play = lambda host, question: host.answer(question, "000")
    answers_network: bool = True
    mac_key_id: str = "bank-mac-1"
    heard: list[Message] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.held = threading.Semaphore(0)
        threading.Thread(target=self._accept, daemon=True).start()

    def answer(self, question: Message, code: str, **changes: str) -> Message:
        """Make an answer that echoes its question; ``de4="…"`` changes or adds a field, an empty text takes it out."""
        types = {"1200": "1210", "1201": "1210", "1420": "1430", "1604": "1614", "1804": "1814"}
        echoed = ECHOED.get(question.mti, (11, 12, 24, 32))
        fields = {number: question.text(number) for number in echoed} | {39: code, 53: f"{self.mac_key_id};"}
        fields |= {int(name[2:]): text for name, text in changes.items() if name != "mti"}
        return Message(changes.get("mti", types[question.mti]), {n: text for n, text in fields.items() if text})

    def send(self, message: Message, *, forge: bool = False) -> None:
        """Send a message on the newest connection."""
        key = secrets.token_bytes(16) if forge else self.keys.material(self.mac_key_id).reveal()
        self.send_bytes(iso8583.encode(message, lambda data: mac_of(key, data)))

    def send_bytes(self, frame: bytes) -> None:
        """Send any bytes as a frame."""
        self.connections[-1].sendall(len(frame).to_bytes(2, "big") + frame)

    def close(self) -> None:
        """Stop listening and drop every connection."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.drop()

    def drop(self) -> None:
        """Drop every connection."""
        for connection in tuple(self.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
            connection.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.connections.append(connection)
                threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection.makefile("rb") as stream:
            while header := stream.read(2):
                message = iso8583.decode(stream.read(int.from_bytes(header, "big")))
                self.heard.append(message)
                reply = self.answer(message, "000") if message.mti == "1804" else self.play(self, message)
                if reply is not None and (message.mti != "1804" or self.answers_network):
                    self.send(reply)


@pytest.fixture
def keyring() -> Keyring:
    """Give the gateway's keys for the issuer, the ids as the bank knows them."""
    rows = (("gw-pin-1", "iso-pin:two", 24), ("gw-mac-1", "iso-mac-out:two", 16), ("bank-mac-1", "iso-mac-in:two", 16))
    extra = ("bank-mac-2", "iso-mac-in:two", 16)
    return Keyring([Key(name, purpose, Sensitive(secrets.token_bytes(size))) for name, purpose, size in (*rows, extra)])


@pytest.fixture
def host(keyring: Keyring) -> Iterator[FakeHost]:
    """Give a host that approves everything until told otherwise."""
    running = FakeHost(keyring)
    yield running
    running.close()


@pytest.fixture
def client(keyring: Keyring, host: FakeHost) -> Iterator[SwitchClient]:
    """Give the switch with short waits; it ends before the host does."""
    assert host.port
    made = SwitchClient(keyring, "581672", TIMES)
    yield made
    made.close()


@pytest.fixture
def issuer(host: FakeHost) -> Issuer:
    """Give the issuer's row."""
    return issuer_at(host.port)


def issuer_at(port: int, *, keeps_tombstones: bool = True, timeout_ms: int = 800) -> Issuer:
    """Make an issuer's row for a host at this port."""
    return Issuer(
        issuer_id="two", name_fa="بانک دو", name_en="Bank Two", harim_dialect="harim-v1-rest", harim_url="http://x",
        harim_key_id="k", harim_public_key=b"", harim_timeout_ms=1000, switch_host="127.0.0.1", switch_port=port,
        switch_timeout_ms=timeout_ms, code_life_seconds=120, resend_wait_seconds=60, keeps_tombstones=keeps_tombstones,
    )  # fmt: skip


ORDER = Order(
    Kind.PURCHASE, Rial(1_000_000), Rial(12_000), "581672", "123", "T0000001", "فروشگاه", "", "ABCDEFGH234567AB"
)
PAN = Pan.parse("6219861034529007")


def purchase(number: int = 1) -> AuthorisationRequest:
    """Make a purchase with a trace of its own."""
    trace = Trace("581672", "T0000001", f"{number:06}", f"{number:012}", "261124120000")
    return AuthorisationRequest(ORDER, trace, PAN, Sensitive("0812"), Sensitive("123"), Sensitive("1234567"))


def reversal(number: int = 1) -> ReversalRequest:
    """Make the reversal of that purchase."""
    return ReversalRequest(ORDER, purchase(number).trace, f"{number + 500_000:06}", "261124120100", PAN)


def inquiry(number: int = 1) -> InquiryRequest:
    """Make the inquiry about that purchase."""
    return InquiryRequest(ORDER, purchase(number).trace, f"{number + 700_000:06}", "261124120200", PAN)


@pytest.fixture
def make() -> SimpleNamespace:
    """Give the makers of requests and issuers."""
    return SimpleNamespace(purchase=purchase, reversal=reversal, inquiry=inquiry, issuer_at=issuer_at, times=TIMES)
