"""A bank whose bytes trickle, on real sockets: the issuer's time-out is for the whole call, in every phase of it."""

from __future__ import annotations

import dataclasses
import os
import socket
import ssl
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from foundation.deadline import Call
from foundation.signatures import Signer
from gateway.harim.client import HarimClient
from gateway.ports import PinAnswer, PinSent, PinUnanswered
from tests.fakes.certificates import Authority
from tests.fakes.drip import dripping
from tests.fakes.harim import REQUEST
from tests.fakes.http import serving
from tests.fakes.shop import ISSUER
from tests.gateway.outside.test_harim import OURS, SENT, bank, issuer_at

TIMEOUT_MS = 600
ROOT = Path(__file__).parents[3]
PLAIN = ("always", "in the body", "on the second try")
OVER_TLS = ("always", "after the handshake")
PROGRAM = """
import sys
if sys.argv[1] == "greenlets":
    from gevent import monkey; monkey.patch_all()
from tests.gateway.outside.test_harim_deadline import OVER_TLS, PLAIN, heard
for when in ("never", *PLAIN):
    print(when, heard(when))
for when in ("never", *OVER_TLS):
    print("tls", when, heard(when, *sys.argv[2:]))
"""


def heard(when: str, certificate: str | None = None, key: str | None = None) -> PinAnswer:
    """Ask a bank over a wire that drips at this point; without a deadline its good answer arrives after seconds."""
    context = None
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    client = HarimClient(Signer("pooya-1", OURS))
    scheme = "http" if context is None else "https"
    with serving(bank(SENT, scheme=scheme), context) as site, dripping(urlsplit(site.url).port or 0, when) as port:
        issuer = issuer_at(site, timeout_ms=10_000 if when == "never" else TIMEOUT_MS)
        return client.request_pin(dataclasses.replace(issuer, harim_url=f"{scheme}://127.0.0.1:{port}"), REQUEST)


@pytest.mark.parametrize("when", PLAIN)
def test_f23_a_dripping_answer_ends_at_the_issuers_time_out(when: str) -> None:
    """F18, F23: each byte comes in time, the answer is good, and the call is over before it is whole."""
    assert heard(when) == PinUnanswered("silent")


def test_f18_a_bank_that_takes_no_connection_is_silent_at_the_time_out() -> None:
    """Its queue is full and the kernel answers nothing: connecting ends with the call."""
    client = HarimClient(Signer("pooya-1", OURS))
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener, ExitStack() as waiting:
        address = listener.getsockname()
        for _ in range(4):
            filler = waiting.enter_context(socket.socket())
            filler.settimeout(0)
            filler.connect_ex(address)
        issuer = dataclasses.replace(ISSUER, harim_url=f"http://127.0.0.1:{address[1]}", harim_timeout_ms=200)

        assert client.request_pin(issuer, REQUEST) == PinUnanswered("silent")


def test_f23_a_connection_made_too_late_is_cut_at_once() -> None:
    """Between the timer and the connection there is no gap through which a call could outlive its time."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        call = Call(0)
        call.holds(ours)
        assert theirs.recv(1) == b""
        call.lets_go()
        call.cut()


def test_the_wire_itself_is_faithful() -> None:
    """Without drips the same bank is believed."""
    assert isinstance(heard("never"), PinSent)


@pytest.mark.parametrize("threads", ["greenlets", "plain"])
def test_f23_it_ends_in_the_handshake_too_and_with_either_kind_of_threads(tmp_path: Path, threads: str) -> None:
    """As under gunicorn's gevent workers, whose waits inside TLS start anew with each byte, and as in plain threads."""
    root = Authority(tmp_path)
    files = root.host()
    ended = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", PROGRAM, threads, str(files.certificate), str(files.key)],
        env={**os.environ, "SSL_CERT_FILE": str(root.path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    lines = [line for line in ended.stdout.splitlines() if line.startswith(("tls ", "never ", *PLAIN))]
    silent = str(PinUnanswered("silent"))
    sent = [line.partition("Pin")[0].strip() for line in lines if "PinSent(" in line]

    assert sent == ["never", "tls never"], ended.stderr + ended.stdout
    assert [line for line in lines if "PinSent(" not in line] == [
        *(f"{when} {silent}" for when in PLAIN),
        *(f"tls {when} {silent}" for when in OVER_TLS),
    ]
