"""The fault proxy on real sockets: faithful by itself, and each way of misbehaving as it is told."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sandbox.fault_proxy import FAITHFUL, ControlPort, FaultProxy


@contextmanager
def echo_server() -> Iterator[tuple[str, int]]:
    """Run a server that says everything back and closes when its caller did."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(caller: socket.socket) -> None:
        with caller:
            try:
                while piece := caller.recv(65_536):
                    caller.sendall(piece)
            except OSError:
                return

    def accept() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(caller,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Give a running proxy in front of an echo server."""
    with echo_server() as target:
        running = FaultProxy(target).start()
        yield running
        running.stop()


@contextmanager
def connected(proxy: FaultProxy) -> Iterator[socket.socket]:
    """Open a connection through the proxy."""
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=5) as client:
        yield client


def exactly(client: socket.socket, length: int) -> bytes:
    """Read so many bytes, or fewer when the other side ends."""
    data = b""
    while len(data) < length and (piece := client.recv(length - len(data))):
        data += piece
    return data


def test_a_faithful_proxy_changes_nothing(proxy: FaultProxy) -> None:
    """A megabyte comes back as it was, and the end of the caller reaches the server."""
    sent = bytes(range(256)) * 4096
    with connected(proxy) as client:
        threading.Thread(target=lambda: (client.sendall(sent), client.shutdown(socket.SHUT_WR))).start()
        assert exactly(client, len(sent)) == sent
        assert client.recv(1) == b""


def test_latency_delays_both_directions(proxy: FaultProxy) -> None:
    """A question of 0.1 s each way takes at least 0.2 s."""
    proxy.misbehave(latency_seconds=0.1)
    with connected(proxy) as client:
        began = time.monotonic()
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert time.monotonic() - began >= 0.2


def test_a_stall_passes_nothing_and_loses_nothing(proxy: FaultProxy) -> None:
    """While stalled nothing arrives and nothing is closed; afterwards everything is there."""
    with connected(proxy) as client:
        proxy.misbehave(stalled=True)
        client.sendall(b"question")
        client.settimeout(0.3)
        with pytest.raises(TimeoutError):
            client.recv(1)
        proxy.misbehave()
        client.settimeout(5)
        assert exactly(client, 8) == b"question"


def test_a_reset_is_a_reset(proxy: FaultProxy) -> None:
    """The caller sees a connection reset by its peer, not an orderly end."""
    with connected(proxy) as client:
        proxy.misbehave(reset=True)
        client.sendall(b"x")
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_refused_connections_are_reset(proxy: FaultProxy) -> None:
    """While refusing, a connection is good for nothing; afterwards new ones are."""
    proxy.misbehave(refused=True)
    with pytest.raises(ConnectionResetError), connected(proxy) as client:
        client.recv(1)
    proxy.misbehave()
    with connected(proxy) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"


def test_half_closed_takes_questions_and_gives_no_answers(proxy: FaultProxy) -> None:
    """The answer's direction ends in order, the question's stays open."""
    with connected(proxy) as client:
        proxy.misbehave(half_closed=True)
        client.sendall(b"x")
        assert client.recv(1) == b""
        client.sendall(b"still taken")


def test_slices_arrive_whole(proxy: FaultProxy) -> None:
    """A message in slices of one byte is the same message."""
    proxy.misbehave(slice_bytes=1)
    with connected(proxy) as client:
        client.sendall(b"0123456789" * 10)
        assert exactly(client, 100) == b"0123456789" * 10


def test_a_cut_ends_the_answer_after_so_many_bytes(proxy: FaultProxy) -> None:
    """Of an answer of ten bytes four arrive, then the connection ends."""
    proxy.misbehave(cut_after_bytes=4)
    with connected(proxy) as client:
        client.sendall(b"0123456789")
        assert exactly(client, 10) == b"0123"


def test_connections_can_be_dropped_at_once(proxy: FaultProxy) -> None:
    """Every open connection is reset, idle ones too."""
    with connected(proxy) as client:
        client.sendall(b"x")
        assert client.recv(1) == b"x"
        assert proxy.drop_connections() == 1
        with pytest.raises(ConnectionResetError):
            client.recv(1)


def test_a_server_that_is_away_is_a_reset() -> None:
    """Nobody listens behind the proxy: the caller is reset, the proxy goes on."""
    with echo_server() as target:
        pass
    running = FaultProxy(target).start()
    try:
        with pytest.raises(ConnectionResetError), connected(running) as client:
            client.recv(1)
    finally:
        running.stop()


def test_lines_control_it_from_another_process(proxy: FaultProxy) -> None:
    """``set``, ``state``, ``drop`` and ``reset`` are obeyed and answered; a wrong line changes nothing and says why."""
    control = ControlPort(proxy).start()
    try:
        with (
            socket.create_connection(("127.0.0.1", control.port), timeout=5) as caller,
            caller.makefile("rw", encoding="ascii") as talk,
        ):

            def say(line: str) -> dict[str, object]:
                talk.write(line + "\n")
                talk.flush()
                answer: dict[str, object] = json.loads(talk.readline())
                return answer

            assert say("set latency_seconds 0.25 stalled 1")["latency_seconds"] == 0.25
            assert proxy.now.stalled
            assert "error" in say("set latency_seconds soon")
            assert "error" in say("set colour red")
            assert "error" in say("dance")
            assert say("state")["stalled"] is True
            assert say("drop") == {"dropped": 0}
            assert say("reset")["stalled"] is False
            assert proxy.now == FAITHFUL
    finally:
        control.stop()
