"""Edges of the host: PIN blocks that do not open, keys that do not fit, and the process itself."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings
from otp.config import HostPeer, Settings
from otp.host import iso8583
from otp.host.iso8583 import Message
from otp.host.mac import mac_of
from otp.host.peers import PeerRefused, peers_of
from otp.host.pin_block import PinBlockRefused, open_pin
from otp.wiring import build_host

PAN = Pan.parse("6219861034529007")
PEERS = {"581672": {"mac_in": ["gw-mac-1"], "mac_out": "bank-mac-1", "pin": ["gw-pin-1"]}}


@pytest.mark.parametrize("block", [b"", bytes(7), bytes(8), bytes(range(8))])
def test_d22_a_block_that_is_not_of_this_card_does_not_open(block: bytes) -> None:
    """Another size, key or card gives one refusal."""
    with pytest.raises(PinBlockRefused):
        open_pin(Sensitive(bytes(range(24))), block, PAN)


def test_d22_keys_of_another_size_are_refused() -> None:
    """A PIN key is 24 bytes, a MAC key 16; a peer's row with a wrong one stops the start."""
    with pytest.raises(ValueError, match="24 bytes"):
        open_pin(Sensitive(bytes(16)), bytes(8), PAN)
    with pytest.raises(ValueError, match="16 bytes"):
        mac_of(bytes(24), b"")
    ring = Keyring([Key("m", "iso-mac-in", Sensitive(bytes(8)))])
    with pytest.raises(PeerRefused, match="16 bytes"):
        peers_of({"581672": HostPeer(mac_in=["m"], mac_out="m", pin=["m"])}, ring)


@pytest.fixture
def settings_of(tmp_path: Path, bank_urls: dict[str, str], bank_world: Any) -> Callable[..., dict[str, str]]:
    """Give a maker of the host's environment, with a key file of its own."""
    assert bank_world.sql("SELECT 1") != []
    rows = [("card-token-1", "card-token", 32), ("code-mac-1", "code-mac", 32), ("cvk-1", "card-verification", 16)]
    rows += [("gw-mac-1", "iso-mac-in", 16), ("bank-mac-1", "iso-mac-out", 16), ("gw-pin-1", "iso-pin", 24)]
    keys = [
        {"id": key_id, "purpose": purpose, "material": base64.b64encode(secrets.token_bytes(size)).decode()}
        for key_id, purpose, size in rows
    ]
    path = tmp_path / "keys.json"
    path.touch(mode=0o600)
    path.write_text(json.dumps({"keys": keys}))

    def make(port: int, peers: object) -> dict[str, str]:
        return {
            "OTP_DATABASE_URL": bank_urls["application"],
            "OTP_KEY_FILE": str(path),
            "OTP_PUBLIC_URL": "http://localhost:1",
            "OTP_MODE": "sandbox",
            "OTP_BANK_NAME_FA": "بانک",
            "OTP_BANK_NAME_EN": "Bank",
            "OTP_HOST_PORT": str(port),
            "OTP_HOST_PEERS": json.dumps(peers),
        }

    return make


def test_a_host_without_peers_or_with_wrong_ones_does_not_start(
    settings_of: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the setting."""
    wrong = {"581672": {**PEERS["581672"], "pin": ["gw-pin-9"]}}
    for peers in ({}, wrong):
        for name, value in settings_of(1024, peers).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(InvalidSettings, match="OTP_HOST_PEERS"):
            build_host(Settings())  # type: ignore[call-arg]  # the environment fills it


def test_a_taken_port_is_a_sentence(
    settings_of: Callable[..., dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else listens there already: the start ends with the address in a sentence."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        for name, value in settings_of(port, PEERS).items():
            monkeypatch.setenv(name, value)

        with pytest.raises(InvalidSettings, match=f"cannot listen on 127.0.0.1:{port}"):
            build_host(Settings())  # type: ignore[call-arg]  # the environment fills it


def test_the_host_is_a_process_that_ends_in_order(
    settings_of: Callable[..., dict[str, str]], free_ports: Callable[[int], list[int]]
) -> None:
    """``python -m otp host`` answers an echo and ends with 0 on SIGTERM (D37)."""
    (port,) = free_ports(1)
    environment = {**os.environ, **settings_of(port, PEERS)}
    process = subprocess.Popen(
        [sys.executable, "-m", "otp", "host"], env=environment, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    line = next(line for line in process.stderr if "host_started" in line)
    rows = json.loads(Path(environment["OTP_KEY_FILE"]).read_text())["keys"]
    key = base64.b64decode(next(row["material"] for row in rows if row["id"] == "gw-mac-1"))
    echo = Message("1804", {11: "000001", 12: "261124120000", 24: "831", 32: "581672", 53: "gw-mac-1;"})
    frame = iso8583.encode(echo, lambda data: mac_of(key, data))

    with socket.create_connection(("127.0.0.1", port), timeout=20) as link, link.makefile("rb") as stream:
        link.sendall(len(frame).to_bytes(2, "big") + frame)
        answer = iso8583.decode(stream.read(int.from_bytes(stream.read(2), "big")))
        process.send_signal(signal.SIGTERM)
        code = process.wait(20)
    process.stderr.close()

    assert str(port) in line
    assert (answer.mti, answer.text(39), code) == ("1814", "000", 0)
