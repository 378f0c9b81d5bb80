"""The switch behind TLS: a host that is not the issuer's hears no purchase, and nothing is unknown (D1, D22, D41)."""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import gateway.__main__ as commands
from foundation.keys import Keyring
from foundation.settings import InvalidSettings
from foundation.tls import TlsFiles
from gateway.app import create_app
from gateway.config import Settings
from gateway.domain.outcome import Approved, Declined
from gateway.switch.client import PURCHASES_AT_ONCE, SwitchClient
from gateway.switch.wire import LinkTimes
from gateway.wiring import build
from tests.fakes.certificates import ACQUIRER, HOST, Authority

Behind = Callable[[ssl.SSLContext | None], int]
PURCHASES = PURCHASES_AT_ONCE + 1
"""One more than the highest number: as many at once as the gate has places for."""


@pytest.fixture
def root(tmp_path: Path) -> Authority:
    """Give the authority both sides believe."""
    return Authority(tmp_path)


@pytest.fixture
def behind(host: Any) -> Iterator[Behind]:
    """Give a way to put the issuer's host behind TLS at a port of its own."""
    listeners: list[socket.socket] = []

    def listen(context: ssl.SSLContext | None) -> int:
        listener = socket.create_server((HOST, 0))
        listeners.append(listener)
        threading.Thread(target=accept, args=(listener, context), daemon=True).start()
        return int(listener.getsockname()[1])

    def accept(listener: socket.socket, context: ssl.SSLContext | None) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=serve, args=(connection, context), daemon=True).start()

    def serve(connection: socket.socket, context: ssl.SSLContext | None) -> None:
        connection.settimeout(10)
        with contextlib.suppress(OSError):
            if context is None:
                connection.sendall(b"a frame without TLS")
                connection.recv(4096)
            else:
                spoken = context.wrap_socket(connection, server_side=True)
                host.connections.append(spoken)
                host._serve(spoken)  # noqa: SLF001 - the same host, other wire
                spoken.close()
        connection.close()

    yield listen
    for listener in listeners:
        with contextlib.suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()


@pytest.fixture
def switch(keyring: Keyring, root: Authority, make: Any, host: Any) -> Iterator[SwitchClient]:
    """Give a switch that speaks TLS."""
    assert host.port
    made = SwitchClient(keyring, "581672", make.times, tls=root.acquirer(ACQUIRER).client_context())
    yield made
    made.close()


def test_d22_a_host_with_the_right_name_is_spoken_to(
    behind: Behind, switch: SwitchClient, root: Authority, make: Any, host: Any
) -> None:
    """Both certificates hold; several threads share the one link."""
    issuer = make.issuer_at(behind(root.host().server_context()), timeout_ms=10_000)
    answers: list[object] = []

    def ask(number: int) -> None:
        answers.append(switch.authorise(issuer, make.purchase(number)))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(1, PURCHASES)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(answers) == len(threads)
    assert all(isinstance(answer, Approved) for answer in answers)
    assert len(host.connections) == 1


def _old(root: Authority) -> ssl.SSLContext:
    files = root.host()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1_1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.parametrize(
    ("kind", "why"),
    [
        ("wrong_name", "IP address mismatch"),
        ("rogue_authority", "unable to get local issuer certificate"),
        ("client_certificate", "unsuitable certificate purpose"),
        ("old_version", "PROTOCOL_VERSION"),
        ("plain", "WRONG_VERSION_NUMBER"),
    ],
)
def test_d1_a_host_that_is_not_the_issuers_hears_no_purchase(  # noqa: PLR0917 - fixtures and a table
    behind: Behind, switch: SwitchClient, root: Authority, make: Any, host: Any, tmp_path: Path, kind: str, why: str
) -> None:
    """Declined as unreachable: nothing was sent, not even the sign-on; the right host is spoken to afterwards."""
    contexts: dict[str, Callable[[], ssl.SSLContext | None]] = {
        "wrong_name": lambda: root.host("127.0.0.2").server_context(),
        "rogue_authority": lambda: Authority(tmp_path, "rogue").host(trusts=root).server_context(),
        "client_certificate": lambda: root.acquirer(ACQUIRER).server_context(),
        "old_version": lambda: _old(root),
        "plain": lambda: None,
    }
    with capture_logs() as logs:
        answer = switch.authorise(make.issuer_at(behind(contexts[kind]())), make.purchase())

    assert answer == Declined("912")
    assert host.heard == []
    assert why in next(entry["why"] for entry in logs if entry["event"] == "link_not_opened")
    right = make.issuer_at(behind(root.host().server_context()))
    assert isinstance(switch.authorise(right, make.purchase(2)), Approved)


def test_d22_a_switch_speaks_nothing_older_than_tls_1_2(root: Authority) -> None:
    """On either side."""
    for context in (root.acquirer(ACQUIRER).client_context(), root.host().server_context()):
        assert context.minimum_version == ssl.TLSVersion.TLSv1_2
        assert context.verify_mode == ssl.CERT_REQUIRED


@pytest.mark.parametrize("certificate", ["rogue", "none"])
def test_d1_a_host_that_refuses_our_certificate_gets_no_purchase(  # noqa: PLR0917 - fixtures and a table
    behind: Behind, keyring: Keyring, root: Authority, make: Any, host: Any, tmp_path: Path, certificate: str
) -> None:
    """TLS 1.3 tells us only after our handshake; the sign-on comes before the first purchase, so nothing was sent."""
    rogue = Authority(tmp_path, "rogue").acquirer(ACQUIRER, trusts=root).client_context()
    tls = {"rogue": rogue, "none": ssl.create_default_context(cafile=root.path)}[certificate]
    switch = SwitchClient(keyring, "581672", make.times, tls=tls)

    assert switch.authorise(make.issuer_at(behind(root.host().server_context())), make.purchase()) == Declined("912")
    assert host.heard == []
    switch.close()


def test_d22_a_host_behind_tls_hears_nothing_from_a_plain_switch(
    behind: Behind, client: SwitchClient, root: Authority, make: Any, host: Any
) -> None:
    """A switch without certificates does not get through."""
    assert client.authorise(make.issuer_at(behind(root.host().server_context())), make.purchase()) == Declined("912")
    assert host.heard == []


def test_d1_a_host_that_says_nothing_is_left_in_time(keyring: Keyring, root: Authority, make: Any) -> None:
    """Connection and handshake have one time-out together; what was not sent is declined."""
    times = LinkTimes(connect_seconds=0.3)
    switch = SwitchClient(keyring, "581672", times, tls=root.acquirer(ACQUIRER).client_context())
    with socket.create_server((HOST, 0)) as silent:
        began = time.monotonic()
        answer = switch.authorise(make.issuer_at(silent.getsockname()[1]), make.purchase())

    assert answer == Declined("912")
    assert time.monotonic() - began < 2
    switch.close()


COOPERATIVE = """
from gevent import monkey; monkey.patch_all()
import socket, ssl, sys, threading
from pathlib import Path
from foundation.tls import TlsFiles, TlsSocket
ours = TlsFiles(*map(Path, sys.argv[1:4])); theirs = TlsFiles(*map(Path, sys.argv[4:7]))
listener = socket.create_server(("127.0.0.1", 0))
def serve():
    link = TlsSocket(listener.accept()[0], ours.server_context())
    link.settimeout(5); link.handshake(5)
    while data := link.recv(4096):
        link.sendall(data)
    link.close()
server = threading.Thread(target=serve); server.start()
link = TlsSocket(socket.create_connection(listener.getsockname()), theirs.client_context(), server_hostname="127.0.0.1")
link.settimeout(5); link.handshake(5)
size, heard = 3_000_000, []
def listen():
    while sum(map(len, heard)) < size:
        heard.append(link.recv(65536))
reader = threading.Thread(target=listen); reader.start()
link.sendall(bytes(size)); reader.join()
link.settimeout(0.1)
try:
    link.recv(1)
except TimeoutError:
    print("whole", sum(map(len, heard)) == size)
link.shutdown(socket.SHUT_RDWR); link.close(); server.join(); listener.close()
"""


@pytest.mark.parametrize("threads", ["cooperative", "plain"])
def test_d22_reading_and_writing_at_once_works_with_either_kind_of_threads(root: Authority, threads: str) -> None:
    """As under gunicorn's gevent workers, and as in the workers' own processes; more than any buffer holds."""
    files = (root.host(), root.acquirer(ACQUIRER))
    names = [str(path) for side in files for path in (side.certificate, side.key, side.authorities)]
    program = COOPERATIVE if threads == "cooperative" else COOPERATIVE.partition("all()")[2]

    ended = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", program, *names], capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.stdout.strip(), ended.returncode) == ("whole True", 0), ended.stderr


@pytest.fixture
def live(tmp_path: Path, gateway_urls: dict[str, str]) -> Iterator[Settings]:
    """Give the settings of a live gateway without certificates, in the environment too."""
    key_file = tmp_path / "keys.json"
    key_file.touch(mode=0o600)
    key = '{"id": "signing-1", "purpose": "harim-signing", "material": "' + "A" * 43 + '="}'
    key_file.write_text(f'{{"keys": [{key}]}}')
    values = {
        "database_url": gateway_urls["application"],
        "key_file": str(key_file),
        "public_url": "https://pay.example",
        "mode": "live",
        "psp_id": "pooya",
        "acquirer_id": "581672",
        "signing_key_id": "signing-1",
    }
    before = dict(os.environ)
    os.environ.update({f"GATEWAY_{name.upper()}": value for name, value in values.items()})
    yield Settings(**values)  # type: ignore[arg-type]  # as the environment gives them
    os.environ.clear()
    os.environ.update(before)


def test_d22_a_live_gateway_without_certificates_does_not_start(
    live: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither the web application nor the commands, each with the sentence."""
    with pytest.raises(InvalidSettings, match="set GATEWAY_SWITCH_TLS_CERTIFICATE"):
        create_app(live)
    for command in ("worker", "check"):
        assert commands.main([command]) == 1
        assert "set GATEWAY_SWITCH_TLS_CERTIFICATE" in capsys.readouterr().err


def test_d22_certificates_come_together_and_can_be_used(live: Settings, root: Authority) -> None:
    """A live gateway starts with all three; one of them, or one that others can read, is refused in any mode."""
    files = root.acquirer(ACQUIRER)
    whole = live.model_copy(update=_named(files))
    build(whole).database.close()

    with pytest.raises(InvalidSettings, match="GATEWAY_SWITCH_TLS_KEY"):
        build(whole.model_copy(update={"mode": "sandbox", "switch_tls_key": None}))
    files.key.chmod(0o640)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        build(whole)


def _named(files: TlsFiles) -> dict[str, Path]:
    return {
        "switch_tls_certificate": files.certificate,
        "switch_tls_key": files.key,
        "switch_tls_authorities": files.authorities,
    }


def test_a_name_that_cannot_be_one_is_unreachable(switch: SwitchClient, make: Any) -> None:
    """A wrong row ends in a refusal, not in a failure of the process."""
    issuer = replace(make.issuer_at(1), switch_host="x" * 70 + ".example")

    assert switch.authorise(issuer, make.purchase()) == Declined("912")
