"""Webhooks over a real socket, verified with the library that merchants use."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Signature

from foundation.database import Database, NetworkInTransaction
from foundation.sensitive import Sensitive
from gateway.callbacks.egress import LookUp
from gateway.callbacks.sender import WebhookSender
from gateway.ports import Delivered, NotDelivered, Webhook
from tests.fakes.certificates import Authority
from tests.fakes.http import Reply, Request, serving
from tests.fakes.shop import WEBHOOK_SECRET

OTHER_SECRET = "whsec_" + "b3RoZXJzZWNyZXRvdGhlcnNlY3JldDEyMzQ="


def now() -> dt.datetime:
    """The real clock: the receiver checks the age."""
    return dt.datetime.now(dt.UTC)


def sender(*, timeout_seconds: float = 1.0, allow_loopback: bool = True, https_only: bool = False) -> WebhookSender:
    """A sender of a sandbox."""
    return WebhookSender(timeout_seconds=timeout_seconds, https_only=https_only, allow_loopback=allow_loopback, now=now)


def looking_up(*addresses: str) -> LookUp:
    """A resolver that knows one answer."""
    return lambda _host, _port: list(addresses)


def webhook(url: str, *secrets: str) -> Webhook:
    """One message."""
    keys = tuple(Sensitive(secret) for secret in secrets or (WEBHOOK_SECRET,))
    return Webhook("evt_7", url, keys, '{"type":"payment.confirmed","data":{"n":"آ"}}'.encode())


@contextmanager
def speaking(speak: Callable[[socket.socket], None]) -> Iterator[str]:
    """Serve one connection by hand."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65_536)
                try:
                    speak(connection)
                except OSError:
                    return  # the sender hung up, which is what some tests are about

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/hooks"
        thread.join()


def test_a_merchant_verifies_the_signature_with_the_standard_library() -> None:
    """Standard Webhooks: id, timestamp and body are signed."""
    with serving(lambda _: Reply(204)) as site:
        assert sender().send(webhook(site.url + "/hooks?shop=1")) == Delivered(204)

    got = site.requests[0]
    assert Signature(WEBHOOK_SECRET).verify(got.body, got.headers)["type"] == "payment.confirmed"
    assert got.headers["webhook-id"] == "evt_7"
    assert got.path == "/hooks?shop=1"
    assert got.headers["Host"] == site.url.removeprefix("http://")


def test_f21_during_a_rotation_either_secret_verifies() -> None:
    """F21: one header carries a signature of each live secret; a third secret's is not among them."""
    with serving(lambda _: Reply(200)) as site:
        sender().send(webhook(site.url, WEBHOOK_SECRET, OTHER_SECRET))

    got = site.requests[0]
    assert len(got.headers["webhook-signature"].split(" ")) == 2
    for secret in (WEBHOOK_SECRET, OTHER_SECRET):
        assert Signature(secret).verify(got.body, got.headers)
    with pytest.raises(Exception, match="No matching signature"):
        Signature("whsec_dGhpcmQ=").verify(got.body, got.headers)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        (Reply(500), NotDelivered("status 500", status=500)),
        (Reply(302, {"Location": "http://localhost:1/"}), NotDelivered("status 302", status=302)),
        (Reply(410), NotDelivered("status 410", status=410, gone=True)),
        (Reply(200, {}, b"x" * 1_000_000), Delivered(200)),
        (Reply(raw=b""), NotDelivered("no answer")),
        (Reply(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), NotDelivered("answer is not HTTP")),
        (Reply(raw=b"HTTP/1.1 200"), NotDelivered("no answer")),
        (Reply(raw=b"A" * 100_000), NotDelivered("answer is not HTTP")),
        (Reply(raw=b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"), Delivered(200)),
        (Reply(raw=b"HTTP/1.1 100 Continue\r\n" + b"A: b\r\n" * 9_000), NotDelivered("answer is not HTTP")),
    ],
)
def test_f23_only_2xx_is_delivered_and_nothing_is_followed_or_read_to_the_end(
    reply: Reply, answer: Delivered | NotDelivered
) -> None:
    """F23, I12: errors, redirects, huge bodies, other protocols and broken connections are values."""
    with serving(lambda _: reply) as site:
        assert sender().send(webhook(site.url)) == answer
    assert len(site.requests) == 1


def test_f23_a_silent_merchant_does_not_hold_the_worker() -> None:
    """F23: the time-out ends it."""
    let_go = threading.Event()

    def slow(_: Request) -> Reply:
        let_go.wait(5)
        return Reply(200)

    with serving(slow) as site:
        assert sender(timeout_seconds=0.2).send(webhook(site.url)) == NotDelivered("timed out")
        let_go.set()


def test_f23_an_answer_that_drips_is_cut_off_at_the_same_time() -> None:
    """F23: a byte now and then does not extend the time-out."""

    def drip(connection: socket.socket) -> None:
        for byte in b"HTTP/1.1 100 Continue\r\n" + b"X: y\r\n" * 100:
            connection.sendall(bytes([byte]))
            time.sleep(0.05)

    with speaking(drip) as url:
        assert sender(timeout_seconds=0.4).send(webhook(url)) == NotDelivered("timed out")


def test_f23_a_body_without_end_after_a_2xx_is_not_waited_for() -> None:
    """F23: the status decides; the rest is given half a second and 16 KB."""
    stop = threading.Event()

    def babble(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not stop.is_set():
            connection.sendall(b"x")
            time.sleep(0.01)

    with speaking(babble) as url:
        assert sender(timeout_seconds=5).send(webhook(url)) == Delivered(200)
        stop.set()


def test_f23_a_reset_is_no_delivery() -> None:
    """F23: the peer drops the connection instead of answering."""

    def reset(connection: socket.socket) -> None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")

    with speaking(reset) as url:
        assert sender().send(webhook(url)) == NotDelivered("ConnectionResetError")


def test_f23_nobody_listening_is_no_delivery(free_ports: Callable[[int], list[int]]) -> None:
    """F23: a server that is down is a value."""
    (port,) = free_ports(1)
    assert sender().send(webhook(f"http://127.0.0.1:{port}/")) == NotDelivered("ConnectionRefusedError")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://0.0.0.0/",
        "http://169.254.169.254/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:10.0.0.1]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1%25lo]/",
    ],
)
def test_f23_merchants_cannot_point_us_at_our_own_network(url: str) -> None:
    """F23: loopback, private, link-local and metadata addresses are refused however they are written."""
    assert sender(allow_loopback=False).send(webhook(url)) in (
        NotDelivered("address is not public"),
        NotDelivered("address is not known"),
    )


def test_f23_the_sandboxes_permission_is_for_the_loopback_alone() -> None:
    """F23: with the shop on this machine allowed, the rest of the inside is still refused."""
    assert sender().send(webhook("http://10.0.0.1/")) == NotDelivered("address is not public")
    assert sender().send(webhook("http://[::ffff:169.254.169.254]/")) == NotDelivered("address is not public")


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "http:///hooks", "http://[::1/", "http://nowhere.invalid/"])
def test_an_address_that_is_none_is_no_delivery(url: str) -> None:
    """Whatever stands in the row, it is a value and nothing is sent."""
    answer = sender().send(webhook(url))
    assert isinstance(answer, NotDelivered)
    assert answer.status is None


def test_f23_a_name_is_looked_up_once_and_the_checked_address_is_called() -> None:
    """F23, DNS rebinding: a second answer of the resolver is never asked for."""
    asked: list[str] = []

    def rebind(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    with serving(lambda _: Reply(200)) as site:
        own = WebhookSender(timeout_seconds=1, https_only=False, allow_loopback=True, now=now, look_up=rebind)
        url = site.url.replace("127.0.0.1", "shop.test")
        assert own.send(webhook(url)) == Delivered(200)
        assert own.send(webhook(url)) == NotDelivered("address is not public")

    assert asked == ["shop.test", "shop.test"]
    assert site.requests[0].headers["Host"] == url.removeprefix("http://")
    assert len(site.requests) == 1


def test_the_next_address_is_tried_when_the_first_does_not_connect() -> None:
    """A host with several addresses is reached by the one that is up."""
    with serving(lambda _: Reply(200)) as site:
        look_up = looking_up("127.0.0.2", "127.0.0.1")
        own = WebhookSender(timeout_seconds=1, https_only=False, allow_loopback=True, now=now, look_up=look_up)
        assert own.send(webhook(site.url.replace("127.0.0.1", "shop.test"))) == Delivered(200)


def test_d10_a_live_gateway_sends_no_webhook_over_plain_http() -> None:
    """An address from before the gateway went live is not used either."""
    own = sender(https_only=True, allow_loopback=False)
    assert own.send(webhook("http://1.1.1.1/hooks")) == NotDelivered("address is not https")


def served_by(authority: Authority, address: str = "127.0.0.1") -> ssl.SSLContext:
    """A merchant's server with a certificate of this authority."""
    files = authority.host(address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(files.certificate, files.key)
    return context


def trusting(authority: Authority) -> WebhookSender:
    """A sender that believes this authority."""
    tls = ssl.create_default_context(cafile=authority.path)
    return WebhookSender(timeout_seconds=2, https_only=True, allow_loopback=True, now=now, tls=tls)


def test_a_webhook_goes_over_tls(tmp_path: Path) -> None:
    """The certificate is checked against the name in the address, not the number that is called."""
    authority = Authority(tmp_path)
    with serving(lambda _: Reply(200), tls=served_by(authority)) as site:
        assert trusting(authority).send(webhook(site.url)) == Delivered(200)


def test_f23_a_wrong_certificate_is_no_delivery(tmp_path: Path) -> None:
    """F23: a stranger's certificate and one for another name are refused, and the log says so."""
    mine, stranger = Authority(tmp_path), Authority(tmp_path, "stranger")
    with serving(lambda _: Reply(200), tls=served_by(stranger)) as site:
        refused = trusting(mine).send(webhook(site.url))
    assert isinstance(refused, NotDelivered)
    assert refused.why.startswith("certificate refused: ")

    with serving(lambda _: Reply(200), tls=served_by(mine, "127.0.0.9")) as site:
        other = trusting(mine).send(webhook(site.url))
    assert isinstance(other, NotDelivered)
    assert "mismatch" in other.why


def test_f23_a_server_without_tls_behind_https_is_no_delivery(tmp_path: Path) -> None:
    """F23: plain HTTP where TLS should be."""
    with serving(lambda _: Reply(200)) as site:
        answer = trusting(Authority(tmp_path)).send(webhook(site.url.replace("http:", "https:")))
    assert isinstance(answer, NotDelivered)


def test_no_webhook_leaves_inside_a_transaction(gateway_database: Database) -> None:
    """The network is never inside a transaction."""
    with gateway_database.begin(), pytest.raises(NetworkInTransaction):
        sender().send(webhook("http://127.0.0.1:1/"))
