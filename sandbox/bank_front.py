"""What stands in front of the bank's authorisation host in a sandbox: fault cards, a slow or silent bank (D10).

The gateway's issuer row points here. Frames are carried as they are, signed by whoever signed them; only the card of a
purchase is read, to see whether it is a fault card, and the key of an answer, to know whose it is. A second port
accepts and never answers: the host of the bank that hangs.

``python -m sandbox.bank_front PORT HOST_PORT [PORT HOST_PORT …] HANGING_PORT``
"""

from __future__ import annotations

import contextlib
import signal
import socket
import sys
import threading
from collections import OrderedDict
from dataclasses import dataclass

import structlog

from foundation.logs import configure_logging
from otp.host.iso8583 import Malformed, Message, decode
from sandbox.cards import CARDS
from sandbox.faults import Faults, FaultsFile

log = structlog.get_logger(__name__)

ADDRESS = "127.0.0.1"
LENGTH_BYTES = 2
CONNECT_SECONDS = 5.0
REMEMBERED = 10_000
SLOW_SECONDS = 4.0
LATE_SECONDS = 14.0
"""Beyond the ten seconds that the gateway waits for an answer."""

PURCHASE, PURCHASE_ANSWER = "1200", "1210"


@dataclass(frozen=True, slots=True)
class Treatment:
    """What is done with one purchase: whether the bank hears of it, and when and how often its answer arrives."""

    forwarded: bool = True
    answers: int = 1
    delay_seconds: float = 0.0


FAITHFUL = Treatment()
TREATMENTS = {
    "bank_slow": Treatment(delay_seconds=SLOW_SECONDS),
    "bank_hangs": Treatment(forwarded=False),
    "answer_lost": Treatment(answers=0),
    "duplicate_answer": Treatment(answers=2),
    "late_answer": Treatment(delay_seconds=LATE_SECONDS),
}
"""By the behaviour of a fault card."""

_BEHAVIOURS = {card.pan.reveal(): card.behaviour for card in CARDS}
Key = tuple[str, ...]


class _Listener:
    """Listens on a port of this machine and takes every caller."""

    def __init__(self, port: int) -> None:
        self._listener = socket.create_server((ADDRESS, port), backlog=128)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._listener.getsockname()[1])

    def start(self) -> None:
        """Begin to accept."""
        threading.Thread(target=self._accept, name="front", daemon=True).start()

    def stop(self) -> None:
        """Accept no more."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def take(self, caller: socket.socket) -> None:
        """Serve one caller, without waiting for its end."""
        raise NotImplementedError

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listener.accept()
            except OSError:
                return
            self.take(caller)


class Front(_Listener):
    """Listens for the gateway and carries its link to the bank's host."""

    def __init__(self, host: tuple[str, int], faults: FaultsFile, port: int = 0) -> None:
        super().__init__(port)
        self._host = host
        self._faults = faults

    def take(self, caller: socket.socket) -> None:
        """Carry one link of the gateway; without a host behind it, it is closed at once."""
        try:
            host = socket.create_connection(self._host, timeout=CONNECT_SECONDS)
        except OSError:
            caller.close()
            return
        host.settimeout(None)
        _Link(caller, host, self._faults).start()


class _Link:
    """One link of the gateway: questions one way, answers the other, each frame by itself."""

    def __init__(self, gateway: socket.socket, host: socket.socket, faults: FaultsFile) -> None:
        self._gateway = gateway
        self._host = host
        self._faults = faults
        self._treated: OrderedDict[Key, Treatment] = OrderedDict()
        self._writing = threading.Lock()

    def start(self) -> None:
        for run in (self._questions, self._answers):
            threading.Thread(target=self._until_it_ends, args=(run,), name="front-link", daemon=True).start()

    def _until_it_ends(self, run: object) -> None:
        try:
            run()  # type: ignore[operator]  # one of our own two methods
        except OSError as error:
            log.info("link_ended", why=type(error).__name__)
        finally:
            for end in (self._gateway, self._host):
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _questions(self) -> None:
        while (frame := _read(self._gateway)) is not None:
            message = _decoded(frame)
            if self._faults.read().bank == "down":
                continue
            treatment = _treatment(message)
            if message is not None and treatment != FAITHFUL:
                log.info("purchase_treated", stan=message.text(11), rrn=message.text(37), forwarded=treatment.forwarded)
                self._remember(_key(message), treatment)
            if treatment.forwarded:
                self._host.sendall(_framed(frame))

    def _answers(self) -> None:
        while (frame := _read(self._host)) is not None:
            message, faults = _decoded(frame), self._faults.read()
            if faults.bank == "down":
                continue
            treatment = FAITHFUL
            if message is not None and message.mti == PURCHASE_ANSWER:
                treatment = self._treated.pop(_key(message), FAITHFUL)
            delay = treatment.delay_seconds + _slowness(faults)
            if delay:
                timer = threading.Timer(delay, self._answer, (frame, treatment.answers))
                timer.daemon = True
                timer.start()
            else:
                self._answer(frame, treatment.answers)

    def _answer(self, frame: bytes, times: int) -> None:
        with contextlib.suppress(OSError), self._writing:
            for _ in range(times):
                self._gateway.sendall(_framed(frame))

    def _remember(self, key: Key, treatment: Treatment) -> None:
        self._treated[key] = treatment
        if len(self._treated) > REMEMBERED:
            self._treated.popitem(last=False)


class HangingHost(_Listener):
    """Accepts every connection, reads, and never answers."""

    def take(self, caller: socket.socket) -> None:
        """Swallow what one caller says."""
        threading.Thread(target=_swallow, args=(caller,), name="hanging-link", daemon=True).start()


def main(words: list[str]) -> int:
    """Run every front and the hanging host until SIGTERM or SIGINT."""
    *ports, hanging_port = map(int, words)
    configure_logging("bank-front")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    faults = FaultsFile.from_environment()
    pairs = zip(ports[::2], ports[1::2], strict=True)
    listeners: list[_Listener] = [Front((ADDRESS, host_port), faults, port) for port, host_port in pairs]
    listeners.append(HangingHost(hanging_port))
    for listener in listeners:
        listener.start()
    stop.wait()
    for listener in listeners:
        listener.stop()
    return 0


def _treatment(message: Message | None) -> Treatment:
    if message is None or message.mti != PURCHASE:
        return FAITHFUL
    return TREATMENTS.get(_BEHAVIOURS.get(message.secret(2).reveal(), ""), FAITHFUL)


def _slowness(faults: Faults) -> float:
    return SLOW_SECONDS if faults.bank == "slow" else 0.0


def _key(message: Message) -> Key:
    return tuple(message.text(number) for number in (11, 12, 32, 37, 41))


def _decoded(frame: bytes) -> Message | None:
    try:
        return decode(frame)
    except Malformed:
        return None


def _framed(frame: bytes) -> bytes:
    return len(frame).to_bytes(LENGTH_BYTES, "big") + frame


def _read(link: socket.socket) -> bytes | None:
    header = _exactly(link, LENGTH_BYTES)
    return None if header is None else _exactly(link, int.from_bytes(header, "big"))


def _exactly(link: socket.socket, length: int) -> bytes | None:
    data = b""
    while len(data) < length:
        piece = link.recv(length - len(data))
        if not piece:
            return None
        data += piece
    return data


def _swallow(caller: socket.socket) -> None:
    with caller, contextlib.suppress(OSError):
        while caller.recv(LENGTH_BYTES * 1024):
            pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
