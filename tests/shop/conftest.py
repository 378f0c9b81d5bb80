"""A shop on a real database, and a gateway that speaks the merchant API from memory on a real socket."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from flask.testing import FlaskClient
from pydantic import SecretStr

from foundation.database import Database
from merchant_demo.app import create_app
from merchant_demo.config import Settings
from merchant_demo.orders import Shop
from merchant_demo.store import Orders
from pooya import Client

WEBHOOK_SECRET = "whsec_" + "c2hvcC13ZWJob29rLXNlY3JldC0zMi1ieXRlcyE="


def settings_for(gateway_url: str, database_url: str = "postgresql+psycopg://unused") -> Settings:
    """Make a shop's settings."""
    return Settings(
        database_url=SecretStr(database_url),
        gateway_url=gateway_url,
        secret_key=SecretStr("sk_test_0000"),
        webhook_secret=SecretStr(WEBHOOK_SECRET),
        public_url="http://shop.test",
    )


class FakeGateway:
    """Payments in memory, with the states and the idempotency of the published API."""

    def __init__(self) -> None:
        self.payments: dict[str, dict[str, Any]] = {}
        self.by_key: dict[str, str] = {}
        self.opened: list[dict[str, Any]] = []
        self.confirms: list[str] = []
        self.down = False
        self.lose_answers = 0
        self.refuse_confirms = False
        self.refunds: dict[str, dict[str, Any]] = {}
        self.refuse_refunds = ""

    def answer(self, method: str, path: str, key: str | None, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """Do what the API would do."""
        parts = path.removeprefix("/api/v1/payments").strip("/").split("/")
        if self.down:
            return 503, {"code": "unavailable"}
        if method == "POST" and parts == [""]:
            return 201, self._open(str(key), body)
        payment = self.payments.get(parts[0])
        if payment is None:
            return 404, {"code": "payment_not_found"}
        deeds = {"refund": self._refund, "refunds": self._refunds, "confirm": self._confirm}
        return deeds[parts[1]](payment, body) if parts[1:] else (200, payment)

    def only(self) -> dict[str, Any]:
        """Return the one payment there is."""
        (payment,) = self.payments.values()
        return payment

    def pay(self) -> None:
        """Let a customer pay the newest payment."""
        card = {"masked_pan": "999002******1234", "token": "card_x"}
        newest = list(self.payments.values())[-1]
        newest.update(state="authorised", rrn="632800000001", tracking_code="12345678901234", card=card)

    def _open(self, key: str, body: dict[str, Any]) -> dict[str, Any]:
        if key not in self.by_key:
            self.opened.append(body)
            payment_id = f"pay_{len(self.payments)}"
            self.by_key[key] = payment_id
            page = f"http://gateway.test/pay/{payment_id}"
            self.payments[payment_id] = {"id": payment_id, "state": "open", "page_url": page} | body
        return self.payments[self.by_key[key]]

    def _refund(self, payment: dict[str, Any], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        known = self.refunds.get(body["refund_id"])
        if self.refuse_refunds or (known and known["amount"] != body["amount"]):
            return 409, {"code": self.refuse_refunds or "refund_id_taken"}
        asked = {"payment_id": payment["id"], "state": "pending"} | body
        return 202, self.refunds.setdefault(body["refund_id"], asked)

    def _refunds(self, _: dict[str, Any], __: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return 200, {"items": list(self.refunds.values())}

    def _confirm(self, payment: dict[str, Any], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if body["amount"] != payment["amount"]:
            return 409, {"code": "amount_mismatch"}
        if self.refuse_confirms or payment["state"] not in {"authorised", "confirmed"}:
            return 409, {"code": "not_possible"}
        self.confirms.append(payment["id"])
        first, payment["state"] = payment["state"] == "authorised", "confirmed"
        return 200, payment | {"first_time": first}


@pytest.fixture(autouse=True)
def _logging_put_back() -> Iterator[None]:
    """Put the standard library's logging back; structlog stays as it is, since loggers that were used keep its list."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:], root.level = handlers, level


@pytest.fixture
def gateway() -> FakeGateway:
    """Give a gateway without payments."""
    return FakeGateway()


@pytest.fixture
def gateway_url(gateway: FakeGateway) -> Iterator[str]:
    """Serve the fake gateway on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve({})

        def do_POST(self) -> None:
            self._serve(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _serve(self, body: dict[str, Any]) -> None:
            status, answer = gateway.answer(self.command, self.path, self.headers.get("Idempotency-Key"), body)
            if gateway.lose_answers:
                gateway.lose_answers -= 1
                self.close_connection = True
                return
            payload = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def shop(shop_database: Database, gateway_url: str) -> Iterator[Shop]:
    """Give a shop that talks to the fake gateway."""
    settings = settings_for(gateway_url)
    client = Client(gateway_url, "sk_test_0000", timeout_seconds=5)
    yield Shop(settings, Orders(shop_database), client)
    client.close()


@pytest.fixture
def browser(shop: Shop) -> FlaskClient:
    """Give a browser without JavaScript at the shop."""
    return create_app(shop.settings, shop).test_client()
