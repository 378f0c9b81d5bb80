"""An operator's rows: right ones work at once, wrong ones are refused with a sentence."""

from __future__ import annotations

import dataclasses

import pytest

from gateway.app import create_app
from gateway.domain.errors import RefusedRow, Unauthenticated
from gateway.services.authenticate import authenticate
from gateway.services.change_keys import KeysNotChanged, change_keys
from gateway.services.enrol import add_issuer, add_merchant, check_rows
from gateway.services.keys import new_key
from gateway.wiring import key_exchange
from tests.fakes.shop import ISSUER, MERCHANT, SECRET_KEY, Shop


def live(shop: Shop) -> Shop:
    """The same rows under a live gateway."""
    settings = shop.gateway.settings.model_copy(update={"mode": "live"})
    object.__setattr__(shop.gateway, "settings", settings)
    return shop


def test_a_new_key_works_at_once_and_is_shown_once(shop: Shop) -> None:
    """The database keeps a hash."""
    secret = new_key(shop.gateway, MERCHANT.terminal_id)

    assert authenticate(shop.gateway, secret).terminal_id == MERCHANT.terminal_id
    assert secret not in str(shop.rows("SELECT * FROM api_key"))
    assert new_key(shop.gateway, MERCHANT.terminal_id, secret=SECRET_KEY) == SECRET_KEY


def test_d10_a_live_gateway_refuses_test_keys(shop: Shop) -> None:
    """D10: even one that is in its database."""
    with pytest.raises(Unauthenticated):
        authenticate(live(shop).gateway, SECRET_KEY)


@pytest.mark.parametrize(
    "change",
    [
        {"merchant_id": "1"},
        {"terminal_id": "1"},
        {"acquirer_id": "x"},
        {"name_fa": " "},
        {"site": ""},
        {"payee_name": "x 12"},
        {"webhook_secret": None},
        {"webhook_url": "ftp://localhost/"},
        {"webhook_secret": "no-such-prefix"},
    ],
)
def test_a_wrong_merchant_row_is_refused(shop: Shop, change: dict[str, str | None]) -> None:
    """Each with its sentence."""
    with pytest.raises(RefusedRow, match=r"[a-z]"):
        add_merchant(shop.gateway, dataclasses.replace(MERCHANT, **change))  # type: ignore[arg-type]  # fields by name


def test_a_key_for_no_terminal_or_of_the_other_mode_is_refused(shop: Shop) -> None:
    """The terminal comes first."""
    with pytest.raises(RefusedRow, match="no terminal"):
        new_key(shop.gateway, "99999999")
    with pytest.raises(RefusedRow, match="sk_test_"):
        new_key(shop.gateway, MERCHANT.terminal_id, secret="sk_live_" + "A" * 40)


@pytest.mark.parametrize(
    ("change", "bins"),
    [
        ({"issuer_id": "Two"}, ("999002",)),
        ({"harim_dialect": "harim-v9"}, ("999002",)),
        ({"harim_url": "localhost:8102"}, ("999002",)),
        ({"harim_public_key": b"short"}, ("999002",)),
        ({"harim_timeout_ms": 1}, ("999002",)),
        ({"switch_timeout_ms": 100_000}, ("999002",)),
        ({"switch_port": 0}, ("999002",)),
        ({}, ("9990",)),
        ({}, ("621986",)),
    ],
)
def test_a_wrong_issuer_row_is_refused(shop: Shop, change: dict[str, object], bins: tuple[str, ...]) -> None:
    """Adding a bank is a row, and a wrong row never serves."""
    with pytest.raises(RefusedRow):
        add_issuer(shop.gateway, dataclasses.replace(ISSUER, **change), bins)  # type: ignore[arg-type]  # fields by name


def test_a_wrong_row_in_the_database_is_refused_at_start(shop: Shop) -> None:
    """The sentence names the issuer; rows of closed issuers do not matter."""
    shop.change("UPDATE issuer SET harim_dialect = 'harim-v9'")
    shop.gateway.directory.forget()
    with pytest.raises(RefusedRow, match="issuer two"):
        create_app(gateway=shop.gateway)

    shop.change("UPDATE issuer SET active = false")
    shop.gateway.directory.forget()
    check_rows(shop.gateway)


def test_d10_a_live_gateway_refuses_sandbox_bins(shop: Shop) -> None:
    """D10: the row of a fictional bank stops a live start."""
    shop.change("UPDATE issuer SET harim_url = 'https://bank.example'")
    shop.gateway.directory.forget()
    with pytest.raises(RefusedRow, match="sandbox"):
        check_rows(live(shop).gateway)


def test_webhook_secrets_are_sealed_for_their_merchant(shop: Shop) -> None:
    """The row shows nothing, and another merchant's row does not open it."""
    sealed = bytes(shop.rows("SELECT secret_sealed FROM webhook_endpoint")[0][0])
    assert MERCHANT.webhook_secret is not None
    assert MERCHANT.webhook_secret.encode() not in sealed


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"switch_of": "nobody"}, "a link of its own"),
        ({"switch_of": "two-rest"}, "a link of its own"),
        ({"switch_of": "two", "switch_port": 9}, "are those of two"),
    ],
)
def test_a_shared_link_is_the_same_hosts(shop: Shop, change: dict[str, object], sentence: str) -> None:
    """Another issuer's, which is its own, at the same address; and its keys are changed there."""
    other = dataclasses.replace(ISSUER, issuer_id="two-rest")

    with pytest.raises(RefusedRow, match=sentence):
        add_issuer(shop.gateway, dataclasses.replace(other, **change), ("999004",))  # type: ignore[arg-type]  # fields by name

    add_issuer(shop.gateway, dataclasses.replace(other, switch_of="two"), ("999004",))
    check_rows(shop.gateway)
    with pytest.raises(KeysNotChanged, match="change the keys of that one"):
        change_keys(shop.gateway, key_exchange(shop.gateway), "two-rest")
