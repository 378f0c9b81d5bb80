"""Running the shop: settings, commands, and a gateway that does not keep to its contract."""

from __future__ import annotations

import signal
import threading
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from foundation.database import Database, NetworkInTransaction
from merchant_demo import config
from merchant_demo.__main__ import main
from merchant_demo.app import create_app
from merchant_demo.orders import Shop, reconcile, take_to_gateway
from tests.shop.conftest import FakeGateway, settings_for
from tests.shop.test_buying import check_out


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, shop_urls: dict[str, str], gateway_url: str) -> pytest.MonkeyPatch:
    """Set every variable the shop needs."""
    values = {
        "DATABASE_URL": shop_urls["application"],
        "OWNER_DATABASE_URL": shop_urls["owner"],
        "GATEWAY_URL": gateway_url,
        "SECRET_KEY": "sk_test_0000",
        "WEBHOOK_SECRET": "whsec_c2VjcmV0",
        "PUBLIC_URL": "http://shop.test",
        "RECONCILE_SECONDS": "0.01",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"SHOP_{name}", value)
    return monkeypatch


def test_a_missing_setting_is_named_in_a_sentence(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback for an operator."""
    environment.delenv("SHOP_GATEWAY_URL")
    assert main(["migrate"]) == 2
    assert "SHOP_GATEWAY_URL" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_migrating_again_changes_nothing() -> None:
    """The command is safe to repeat."""
    assert main(["migrate"]) == 0


def test_migrating_needs_the_owner(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """The application role may not change the schema (D39)."""
    environment.delenv("SHOP_OWNER_DATABASE_URL")
    assert main(["migrate"]) == 2
    assert "SHOP_OWNER_DATABASE_URL" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_reconciling_by_hand_asks_about_unfinished_orders(
    browser: FlaskClient, gateway: FakeGateway, shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """One pass, for a customer who never came back."""
    check_out(browser)
    gateway.pay()
    assert main(["reconcile"]) == 0
    assert "1" in capsys.readouterr().out
    paid = shop.orders.by_payment("pay_0")
    assert paid
    assert paid.state == "paid"


NOWHERE = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"


@pytest.mark.usefixtures("shop_database")
@pytest.mark.parametrize("address", [None, NOWHERE], ids=["database here", "F13 database away"])
def test_the_worker_runs_until_it_is_told_to_stop(environment: pytest.MonkeyPatch, address: str | None) -> None:
    """SIGTERM ends it in order; a database that is away does not end it at all."""
    if address is not None:
        environment.setenv("SHOP_DATABASE_URL", address)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    stopper = threading.Timer(0.3, signal.raise_signal, [signal.SIGTERM])
    signal.signal(signal.SIGTERM, lambda *_: None)
    stopper.start()
    try:
        assert main(["worker"]) == 0
    finally:
        stopper.join()
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.usefixtures("environment")
def test_the_application_is_built_from_the_environment() -> None:
    """Health says that the process is up."""
    app = create_app(config.load())
    assert app.test_client().get("/healthz").get_json() == {"status": "up"}
    app.extensions["shop"].close()


def test_the_gateway_is_never_called_inside_a_transaction(
    shop: Shop, shop_database: Database, browser: FlaskClient
) -> None:
    """A slow gateway must not hold the shop's connections."""
    check_out(browser)
    order = shop.orders.by_payment("pay_0")
    assert order
    with shop_database.begin(), pytest.raises(NetworkInTransaction):
        reconcile(shop, order)
    with shop_database.begin(), pytest.raises(NetworkInTransaction):
        take_to_gateway(shop, replace(order, state="placed"))


def test_secrets_are_not_printed() -> None:
    """Settings show stars."""
    assert "sk_test_0000" not in repr(settings_for("http://gateway.test"))
