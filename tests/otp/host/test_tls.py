"""The host behind TLS: who has no right certificate is refused, and the others go on (D22, D41)."""

from __future__ import annotations

import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from foundation.keys import Keyring
from foundation.settings import InvalidSettings
from foundation.tls import TlsFiles, TlsFilesRefused
from otp.config import HostPeer, Settings
from otp.host import iso8583
from otp.host.iso8583 import Message
from otp.host.link import LinkLimits
from otp.host.mac import mac_matches, mac_of
from otp.host.peers import peers_of
from otp.host.server import HostServer
from otp.wiring import build_host
from tests.fakes.certificates import ACQUIRER, HOST, OTHER_ACQUIRER, SERVER, Authority

PEER = HostPeer(mac_in=["gw-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"])
HANDSHAKE_SECONDS = 0.5
Connect = Callable[[TlsFiles | None], socket.socket]


@pytest.fixture
def root(tmp_path: Path) -> Authority:
    """Give the authority both sides believe."""
    return Authority(tmp_path)


@pytest.fixture
def server(root: Authority, bank_world: Any) -> Iterator[HostServer]:
    """Give a host with TLS and short waits."""
    limits = LinkLimits(threads=4, idle_seconds=20, frame_seconds=1, handshake_seconds=HANDSHAKE_SECONDS)
    peers = peers_of({"581672": PEER, "777777": PEER}, bank_world.desk.keys)
    tls = root.host().server_context()
    running = HostServer(bank_world.desk, peers, host=HOST, port=0, limits=limits, tls=tls)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def connect(server: HostServer) -> Iterator[Connect]:
    """Give a way to connect with some files, or plainly; connections are closed at the end."""
    made: list[socket.socket] = []

    def open_one(files: TlsFiles | None) -> socket.socket:
        plain = socket.create_connection((HOST, server.port), timeout=10)
        context = None if files is None else files.client_context()
        made.append(plain if context is None else context.wrap_socket(plain, server_hostname=HOST))
        return made[-1]

    yield open_one
    for connection in made:
        connection.close()


def echo(connection: socket.socket, keys: Keyring, acquirer_id: str = "581672", number: int = 1) -> str | None:
    """Ask for an echo; return the action code, or ``None`` when the host ended the link."""
    fields = {11: f"{number:06}", 12: "261124120000", 24: "831", 32: acquirer_id, 53: "gw-mac-1;"}
    frame = iso8583.encode(Message("1804", fields), lambda data: mac_of(keys.material("gw-mac-1").reveal(), data))
    try:
        connection.sendall(len(frame).to_bytes(2, "big") + frame)
        with connection.makefile("rb") as stream:
            header = stream.read(2)
            answer = stream.read(int.from_bytes(header, "big"))
    except (ssl.SSLError, ConnectionError):
        return None
    if not answer:
        return None
    assert mac_matches(keys.material("bank-mac-1").reveal(), *iso8583.signed_part(answer))
    return iso8583.decode(answer).text(39)


def test_d22_an_acquirer_with_its_certificate_is_served(connect: Connect, root: Authority, bank_world: Any) -> None:
    """TLS 1.2 or newer, both certificates verified, and the messages of the acquirer the certificate names."""
    connection = connect(root.acquirer(ACQUIRER))

    assert isinstance(connection, ssl.SSLSocket)
    assert connection.version() in {"TLSv1.2", "TLSv1.3"}
    assert [echo(connection, bank_world.desk.keys, number=number) for number in (1, 2, 3)] == ["000"] * 3


@pytest.mark.parametrize(
    "stranger",
    ["no_certificate", "rogue_authority", "server_certificate", "no_acquirer", "plain", "old_version", "garbage"],
)
def test_d22_a_stranger_is_refused_and_the_others_go_on(
    connect: Connect, root: Authority, bank_world: Any, tmp_path: Path, stranger: str
) -> None:
    """Each gets no answer to a message that is signed with the right key; an open link and a new one do."""
    served, keys = connect(root.acquirer(ACQUIRER)), bank_world.desk.keys
    assert echo(served, keys) == "000"

    with capture_logs() as logs:
        assert _refused(stranger, connect, root, tmp_path, keys)
        assert echo(served, keys, number=2) == "000"
        assert echo(connect(root.acquirer(ACQUIRER)), keys) == "000"
    assert not [entry for entry in logs if entry["event"] == "message_answered" and entry["stan"] == "000009"]


def _refused(stranger: str, connect: Connect, root: Authority, tmp_path: Path, keys: Keyring) -> bool:
    rogue = Authority(tmp_path, "rogue")
    files = {
        "rogue_authority": lambda: rogue.acquirer(ACQUIRER, trusts=root),
        "server_certificate": lambda: root.acquirer(ACQUIRER, purpose=SERVER),
        "no_acquirer": lambda: root.acquirer("urn:pooya:issuer:two", "urn:pooya:acquirer:58", "x" + ACQUIRER),
    }
    try:
        if stranger in files:
            return echo(connect(files[stranger]()), keys, number=9) is None
        connection = connect(None)
        if stranger == "garbage":
            connection.sendall(b"\x16\x03\x01\xff\xff" + bytes(400))
            return connection.recv(100)[:1] in {b"", b"\x15"}
        if stranger == "plain":
            return echo(connection, keys, number=9) is None
        with _without_certificate(root, old=stranger == "old_version").wrap_socket(
            connection, server_hostname=HOST
        ) as link:
            return echo(link, keys, number=9) is None
    except ssl.SSLError as error:
        return stranger != "old_version" or error.reason == "TLSV1_ALERT_PROTOCOL_VERSION"
    except ConnectionError:
        return True


def _without_certificate(root: Authority, *, old: bool) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=root.path)
    if old:
        context.set_ciphers("ALL:@SECLEVEL=0")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1_1
            context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


def test_d22_a_certificate_speaks_for_its_own_acquirer_only(connect: Connect, root: Authority, bank_world: Any) -> None:
    """With every key at hand, a message of another acquirer ends the link; a certificate may name several."""
    both, keys = connect(root.acquirer(ACQUIRER, "urn:pooya:acquirer:777777")), bank_world.desk.keys

    assert echo(connect(root.acquirer(ACQUIRER)), keys, "777777") is None
    assert echo(connect(root.acquirer(OTHER_ACQUIRER)), keys, "581672") is None
    assert echo(connect(root.acquirer(ACQUIRER)), keys, "581672") == "000"
    assert [echo(both, keys, acquirer_id) for acquirer_id in ("581672", "777777")] == ["000", "000"]


@pytest.mark.parametrize("sent", [b"", b"\x16\x03\x01\x02\x00\x01"])
def test_d22_who_does_not_finish_the_handshake_is_let_go(connect: Connect, sent: bytes) -> None:
    """Silence, or half a greeting, holds a thread no longer than the handshake may last."""
    connection, began = connect(None), time.monotonic()
    connection.sendall(sent)

    assert connection.recv(100) == b""
    assert time.monotonic() - began < HANDSHAKE_SECONDS + 2


def test_d22_a_host_stops_in_the_middle_of_a_handshake(root: Authority, bank_world: Any) -> None:
    """It does not wait for somebody who says nothing."""
    limits = LinkLimits(handshake_seconds=60)
    peers = peers_of({"581672": PEER}, bank_world.desk.keys)
    running = HostServer(bank_world.desk, peers, host=HOST, port=0, limits=limits, tls=root.host().server_context())
    running.start()
    with socket.create_connection((HOST, running.port), timeout=10) as silent:
        with socket.create_connection((HOST, running.port), timeout=10) as later:
            served = root.acquirer(ACQUIRER).client_context().wrap_socket(later, server_hostname=HOST)
            assert echo(served, bank_world.desk.keys) == "000"
            served.close()
        began = time.monotonic()
        running.stop()

        assert silent.recv(1) == b""
    assert time.monotonic() - began < 30


def test_d22_the_hosts_threads_share_a_link(connect: Connect, root: Authority, bank_world: Any) -> None:
    """Answers are written while questions are read; every one arrives whole."""
    connection, keys, count = connect(root.acquirer(ACQUIRER)), bank_world.desk.keys, 300
    key = keys.material("gw-mac-1").reveal()
    frames = [
        iso8583.encode(
            Message("1804", {11: f"{n:06}", 12: "261124120000", 24: "831", 32: "581672", 53: "gw-mac-1;"}),
            lambda data: mac_of(key, data),
        )
        for n in range(count)
    ]

    connection.sendall(b"".join(len(frame).to_bytes(2, "big") + frame for frame in frames))
    with connection.makefile("rb") as stream:
        answers = [iso8583.decode(stream.read(int.from_bytes(stream.read(2), "big"))) for _ in range(count)]

    assert {answer.text(11) for answer in answers} == {f"{n:06}" for n in range(count)}


def _settings(tmp_path: Path, **changes: object) -> Settings:
    values: dict[str, Any] = {
        "database_url": "postgresql+psycopg://nobody@/none",
        "key_file": _key_file(tmp_path),
        "public_url": "https://bank.example",
        "bank_name_fa": "بانک",
        "bank_name_en": "Bank",
        "host_peers": {"581672": PEER},
    }
    return Settings(**{**values, **changes})


def _key_file(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    rows = (("gw-mac-1", "iso-mac-in", "A" * 22), ("bank-mac-1", "iso-mac-out", "A" * 22), ("gw-pin-1", "iso-pin", ""))
    keys = [
        f'{{"id": "{key_id}", "purpose": "{purpose}", "material": "{material + "==" if material else "A" * 32}"}}'
        for key_id, purpose, material in rows
    ]
    path.touch(mode=0o600)
    path.write_text(f'{{"keys": [{", ".join(keys)}]}}')
    return path


def test_d22_a_live_host_without_certificates_does_not_start(tmp_path: Path, root: Authority) -> None:
    """Live refuses plain TCP with a sentence, a half of the settings is refused in every mode."""
    with pytest.raises(InvalidSettings, match=r"set OTP_HOST_TLS_CERTIFICATE.*acquirers that have a certificate"):
        build_host(_settings(tmp_path, mode="live"), port=0)
    with pytest.raises(InvalidSettings, match="OTP_HOST_TLS_KEY"):
        build_host(_settings(tmp_path, mode="sandbox", host_tls_certificate=root.host().certificate), port=0)


def test_d22_a_live_host_starts_with_certificates_that_can_be_used(tmp_path: Path, root: Authority) -> None:
    """A key that others can read is named, with what to do about it."""
    files = root.host()
    settings = _settings(
        tmp_path,
        mode="live",
        host_tls_certificate=files.certificate,
        host_tls_key=files.key,
        host_tls_client_authorities=files.authorities,
    )
    server = build_host(settings, port=0)
    server.start()
    server.stop()

    files.key.chmod(0o644)
    with pytest.raises(InvalidSettings, match="chmod 600"):
        build_host(settings, port=0)


@pytest.mark.parametrize("part", ["certificate", "key", "authorities"])
def test_files_that_are_no_certificates_are_refused_with_their_name(root: Authority, part: str) -> None:
    """Missing, or of another kind."""
    files = root.host()
    path: Path = getattr(files, part)
    path.write_text("nothing")
    with pytest.raises(TlsFilesRefused, match=str(path)):
        files.server_context()
    path.unlink()
    with pytest.raises(TlsFilesRefused, match="there is no file"):
        files.server_context()
