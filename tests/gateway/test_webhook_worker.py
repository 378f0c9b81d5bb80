"""The worker's own process sends webhooks: killed in the middle, beside a dead endpoint, and on an operator's word."""

from __future__ import annotations

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from standardwebhooks import Webhook as Signature

import gateway.__main__ as commands
from gateway.domain import purposes
from gateway.services.cancel import cancel
from gateway.services.deliver import SHARES
from gateway.services.endpoints import Wish, add_endpoint
from tests.fakes.http import Reply, Request, serving
from tests.fakes.shop import MERCHANT, WEBHOOK_SECRET, Shop

ROOT = Path(__file__).parents[2]
FIRST = f"whe_{MERCHANT.merchant_id}"
WAIT_SECONDS = 30.0


@pytest.fixture
def environment(tmp_path: Path, gateway_urls: dict[str, str]) -> dict[str, str]:
    """A deployment's variables, with the keys under which the shop's secrets are sealed."""
    key_file = tmp_path / "keys.json"
    rows = [
        {"id": f"{name}-1", "purpose": name, "material": base64.b64encode(bytes([number + 1]) * 32).decode()}
        for number, name in enumerate((*purposes.ALL, "harim-signing"))
    ]
    key_file.write_text(json.dumps({"keys": rows}))
    key_file.chmod(0o600)
    return {
        "PATH": os.environ["PATH"],
        "GATEWAY_DATABASE_URL": gateway_urls["application"],
        "GATEWAY_KEY_FILE": str(key_file),
        "GATEWAY_PUBLIC_URL": "http://localhost:8000",
        "GATEWAY_MODE": "sandbox",
        "GATEWAY_PSP_ID": "pooya",
        "GATEWAY_ACQUIRER_ID": "581672",
        "GATEWAY_SIGNING_KEY_ID": "harim-signing-1",
        "GATEWAY_CALLBACK_ALLOW_LOOPBACK": "true",
        "GATEWAY_CALLBACK_TIMEOUT_SECONDS": "2",
    }


@contextmanager
def worker(environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run ``python -m gateway worker`` for the length of the block."""
    command = [sys.executable, "-m", "gateway", "worker"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL) as process:  # noqa: S603 - our own command
        try:
            yield process
        finally:
            process.terminate()
            process.wait(WAIT_SECONDS)


def wait_for(condition: Callable[[], object]) -> None:
    """Wait until the condition holds, not for ever."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def point_to(shop: Shop, url: str) -> None:
    """Let the merchant's first endpoint be there."""
    shop.change("UPDATE webhook_endpoint SET url = :url", url=url)


def test_f24_a_worker_killed_between_sending_and_writing_sends_the_same_event_again(
    shop: Shop, environment: dict[str, str]
) -> None:
    """F24: the receiver sees one event id, twice; nothing is lost and the result is written once."""
    heard = threading.Event()
    let_go = threading.Event()

    def answer(_: Request) -> Reply:
        if not heard.is_set():
            heard.set()
            let_go.wait(WAIT_SECONDS)
        return Reply(200)

    with serving(answer) as site:
        point_to(shop, site.url)
        cancel(shop.gateway, shop.open().page_token)
        with worker(environment) as process:
            assert heard.wait(WAIT_SECONDS)
            process.send_signal(signal.SIGKILL)
            process.wait(WAIT_SECONDS)
        let_go.set()
        assert shop.rows("SELECT state, tries FROM webhook_delivery") == [("waiting", 1)]
        shop.later(60)
        with worker(environment):
            wait_for(lambda: shop.rows("SELECT 1 FROM webhook_delivery WHERE state = 'delivered'"))

    first, second = site.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    for request in (first, second):
        Signature(WEBHOOK_SECRET).verify(request.body, request.headers)
    assert shop.rows("SELECT number, status FROM webhook_attempt") == [(2, 200)]


def test_f23_a_hanging_endpoint_delays_no_other(shop: Shop, environment: dict[str, str]) -> None:
    """F23: while every connection to one endpoint hangs, another hears everything, and reversals go on."""
    let_go = threading.Event()
    in_hand = "SELECT count(*) FROM webhook_delivery WHERE endpoint_id = :first AND leased_until > house_now()"

    def hang(_: Request) -> Reply:
        let_go.wait(WAIT_SECONDS)
        return Reply(200)

    with serving(hang) as dead, serving(lambda _: Reply(200)) as well:
        point_to(shop, dead.url)
        add_endpoint(shop.gateway, MERCHANT.merchant_id, well.url, Wish())
        for _ in range(30):
            cancel(shop.gateway, shop.open().page_token)
        with worker(environment):
            held: list[int] = []

            def heard_by_the_other() -> bool:
                held.append(shop.rows(in_hand, first=FIRST)[0][0])
                return len(well.requests) == 30

            wait_for(heard_by_the_other)
            let_go.set()
        assert shop.rows("SELECT count(*) FROM webhook_delivery WHERE state = 'delivered'")[0][0] >= 30

    assert len({request.headers["webhook-id"] for request in well.requests}) == 30
    assert 0 < max(held) <= sum(share.per_endpoint for share in SHARES.values())


def test_an_operator_rotates_and_redelivers_by_command(
    shop: Shop,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Every command says what it did; a secret is shown once, by the command that makes it."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    cancel(shop.gateway, shop.open().page_token)
    event_id = shop.rows("SELECT event_id FROM webhook_event")[0][0]

    def run(line: str) -> str:
        capsys.readouterr()
        assert commands.main(["webhook", *line.split()]) == 0, capsys.readouterr().err
        return capsys.readouterr().out

    assert run(f"rotate {FIRST} --overlap-hours 1").startswith("whsec_")
    assert "rotation" not in run(f"rotate {FIRST} --overlap-hours 0")
    endpoint_id, secret = run(f"add {MERCHANT.merchant_id} http://localhost:8200/2 --type payment.cancelled").split()
    assert secret.startswith("whsec_")
    assert run(f"disable {endpoint_id}") == f"{endpoint_id} is disabled\n"
    assert "disabled (asked)" in run(f"list {MERCHANT.merchant_id}")
    assert run(f"enable {endpoint_id}") == f"{endpoint_id} is enabled\n"
    assert event_id in run(f"events {MERCHANT.merchant_id} --since 2020-01-01T00:00:00+00:00")
    shop.work()
    assert f"{FIRST} · delivered · 1 tries" in run(f"deliveries {MERCHANT.merchant_id} {event_id}")
    assert run(f"redeliver {endpoint_id} --event {event_id}") == "1 queued\n"
    assert run(f"redeliver {FIRST} --since 2020-01-01T00:00:00+00:00").startswith("1 queued, the last of 20")
    assert commands.main(["webhook", "add", "000000000000009", "http://localhost:8200/3"]) == 1
    assert "there is no merchant 000000000000009" in capsys.readouterr().err
    assert commands.main(["webhook", "rotate", "whe_none"]) == 1
    assert "there is no endpoint whe_none" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        commands.main(["webhook", "redeliver", FIRST, "--since", "2020-01-01T00:00:00"])
    assert "time zone" in capsys.readouterr().err


def test_d10_a_live_gateway_refuses_webhooks_to_its_own_machine(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The permission for the sandbox's shop ends the start of a live process with a sentence."""
    for name, value in {**environment, "GATEWAY_MODE": "live"}.items():
        monkeypatch.setenv(name, value)
    for name in ("CERTIFICATE", "KEY", "AUTHORITIES"):
        monkeypatch.setenv(f"GATEWAY_SWITCH_TLS_{name}", "unused")
    assert commands.main(["check"]) == 1
    assert "GATEWAY_CALLBACK_ALLOW_LOOPBACK" in capsys.readouterr().err
