"""The code in the quick starts is run as it stands in the pages, against a gateway that takes and confirms money."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from standardwebhooks import Webhook as Signature

from gateway.callbacks.sender import WebhookSender
from gateway.services.cancel import cancel
from gateway.services.show_page import page_of
from tests.fakes.shop import WEBHOOK_SECRET
from tests.quickstart.conftest import PAGES, Place, code_of

Running = Callable[..., AbstractContextManager[None]]
PROGRAMS = {
    "python": ("python.md", "python", "shop.py", (sys.executable, "-m", "flask", "--app", "shop", "run", "--port")),
    "javascript": ("javascript.md", "javascript", "shop.mjs", ("node", "shop.mjs")),
    "php": ("php.md", "php", "shop.php", ("php", "-S")),
}


def needed(program: str) -> None:
    """Skip where the language is not installed; a run for a change has them all (``QUICKSTARTS=all``)."""
    if shutil.which(program) is None and os.environ.get("QUICKSTARTS") != "all":
        pytest.skip(f"{program} is not installed")


def command_of(name: str, place: Place) -> tuple[str, ...]:
    """Return how the page says to start it, on this test's port."""
    start = PROGRAMS[name][3]
    last = {"python": (str(place.port),), "php": (f"localhost:{place.port}", "shop.php")}
    return (*start, *last.get(name, ()))


def opened(place: Place) -> str:
    """Let a shopper check out; return the token of the page they are sent to."""
    answer = requests.get(f"{place.url}/checkout/A-1", allow_redirects=False, timeout=20)
    assert answer.status_code == 303, answer.text
    assert answer.headers["Location"].startswith(place.gateway_url + "/pay/")
    return urlsplit(answer.headers["Location"]).path.rsplit("/", 1)[1]


def pay(place: Place, token: str) -> str:
    """Let the shopper pay; return the payment's id."""
    payment = place.shop.rows("SELECT payment_id FROM payment WHERE page_token = :token", token=token)[0][0]
    place.shop.pay(_Page(token))  # type: ignore[arg-type] - only the token is read
    return str(payment)


class _Page:
    def __init__(self, token: str) -> None:
        self.page_token = token


def come_back(place: Place, payment_id: str) -> str:
    """Return what the shop says to a shopper who comes back."""
    return requests.get(f"{place.url}/back?payment_id={payment_id}&state=authorised", timeout=20).text


def state(place: Place, token: str) -> str:
    """Say where the payment stands."""
    return str(page_of(place.shop.gateway, token).state)


def knock(place: Place, payment_id: str, *, secret: str = WEBHOOK_SECRET, age_seconds: int = 0) -> int:
    """Send a signed webhook by hand and return the status."""
    data = {"id": payment_id, "state": "authorised", "amount": 250_000, "order_id": "A-1"}
    event = {"id": "evt_1", "type": "payment.authorised", "created_at": "2026-11-24T12:00:00Z", "data": data}
    body = json.dumps(event)
    at = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=age_seconds)
    headers = {
        "webhook-id": "evt_1",
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": Signature(secret).sign("evt_1", at, body),
    }
    return requests.post(f"{place.url}/webhooks/pooya", data=body, headers=headers, timeout=20).status_code


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_quick_start_sells(name: str, place: Place, running: Running) -> None:
    """Open, pay, return, confirm; a shopper who has not paid is told so, and opening again is the same payment."""
    page, language, file, (program, *_) = PROGRAMS[name]
    needed(program)
    with running(file, code_of(page, language), *command_of(name, place)):
        token = opened(place)
        assert opened(place) == token
        payment_id = place.shop.rows("SELECT payment_id FROM payment")[0][0]
        assert come_back(place, payment_id) == "not paid: open"
        pay(place, token)
        assert come_back(place, payment_id) == "paid"
        assert state(place, token) == "confirmed"
        assert come_back(place, payment_id) == "paid"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_quick_start_sells_after_a_try_that_ended(name: str, place: Place, running: Running) -> None:
    """Cancelled, then expired: each time another page; what was paid out before the shopper came back is paid."""
    page, language, file, (program, *_) = PROGRAMS[name]
    needed(program)
    with running(file, code_of(page, language), *command_of(name, place)):
        first = opened(place)
        cancel(place.shop.gateway, first)
        second = opened(place)
        assert second != first
        assert opened(place) == second
        place.shop.change("UPDATE payment SET page_expires_at = house_now() WHERE page_token = :token", token=second)
        place.shop.sweep()
        third = opened(place)
        assert third not in {first, second}

        payment_id = pay(place, third)
        place.shop.change("UPDATE payment SET state = 'settled', confirmed_at = house_now() WHERE state = 'authorised'")
        assert come_back(place, payment_id) == "paid"
        assert opened(place) == third


@pytest.mark.parametrize("name", PROGRAMS)
def test_f21_a_quick_start_believes_signed_webhooks_alone(name: str, place: Place, running: Running) -> None:
    """F21: another's signature, an old message and an unsigned one are refused; the gateway's own confirms."""
    page, language, file, (program, *_) = PROGRAMS[name]
    needed(program)
    with running(file, code_of(page, language), *command_of(name, place)):
        token = opened(place)
        payment_id = pay(place, token)
        assert knock(place, payment_id, secret="whsec_b3RoZXI=") == 401
        assert knock(place, payment_id, age_seconds=600) == 401
        assert requests.post(f"{place.url}/webhooks/pooya", data="{}", timeout=20).status_code == 401
        assert state(place, token) == "authorised"

        sender = WebhookSender(
            timeout_seconds=20, https_only=False, allow_loopback=True, now=lambda: dt.datetime.now(dt.UTC)
        )
        object.__setattr__(place.shop.gateway, "callbacks", sender)
        place.shop.work()
        assert state(place, token) == "confirmed"
        assert place.shop.rows("SELECT last_error FROM webhook_delivery WHERE state <> 'delivered'") == []
        assert come_back(place, payment_id) == "paid"


def step(name: str, place: Place, **more: str) -> list[str]:
    """Run one block of the curl page and return its lines."""
    block = re.search(rf"^```sh {name}\n(.*?)^```$", (PAGES / "curl.md").read_text(), re.MULTILINE | re.DOTALL)
    assert block
    done = subprocess.run(  # noqa: S603 - as the page says
        ["sh", "-euc", block[1]],  # noqa: S607 - the shell of whoever reads the page
        cwd=place.folder,
        env=place.environment | more,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.split()


def test_the_curl_page_sells(place: Place) -> None:
    """Open twice is one payment, after one that ended another; once paid it is confirmed, the first time and again."""
    for program in ("curl", "jq"):
        needed(program)
    cancelled, page_url = step("open", place, TRY="1")
    cancel(place.shop.gateway, page_url.rsplit("/", 1)[1])
    payment_id, page_url = step("open", place, TRY="2")
    assert payment_id != cancelled
    assert step("open", place, TRY="2") == [payment_id, page_url]
    pay(place, page_url.rsplit("/", 1)[1])
    assert step("confirm", place, PAYMENT_ID=payment_id) == ["authorised", "confirmed", "true"]
    assert step("confirm", place, PAYMENT_ID=payment_id) == ["confirmed", "confirmed", "true"]


def test_f21_the_curl_page_verifies_a_webhook(place: Place) -> None:
    """F21: the gateway's signature is genuine, also beside a second one; another body or time is not."""
    for program in ("openssl", "od"):
        needed(program)
    (place.folder / "body").write_bytes('{"n":"آ\\n"}'.encode())
    at = dt.datetime.now(dt.UTC)
    signature = Signature(WEBHOOK_SECRET).sign("evt_1", at, '{"n":"آ\\n"}')
    headers = {
        "WEBHOOK_ID": "evt_1",
        "WEBHOOK_TIMESTAMP": str(int(at.timestamp())),
        "WEBHOOK_SIGNATURE": f"v1,abc {signature}",
    }
    assert step("verify", place, **headers) == ["genuine"]
    assert step("verify", place, **headers | {"WEBHOOK_ID": "evt_2"}) == ["forged"]
    old = at - dt.timedelta(minutes=10)
    stale = headers | {
        "WEBHOOK_TIMESTAMP": str(int(old.timestamp())),
        "WEBHOOK_SIGNATURE": Signature(WEBHOOK_SECRET).sign("evt_1", old, '{"n":"آ\\n"}'),
    }
    assert step("verify", place, **stale) == ["too", "old"]
    (place.folder / "body").write_bytes(b"{}")
    assert step("verify", place, **headers) == ["forged"]


def test_every_quick_start_is_run() -> None:
    """No page beside the tested ones."""
    tested = {page for page, *_ in PROGRAMS.values()} | {"curl.md", "README.md"}
    assert {path.name for path in Path(PAGES).iterdir()} == tested
