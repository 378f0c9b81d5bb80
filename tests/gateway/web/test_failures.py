"""What a customer sees when there is no page to show."""

from dataclasses import replace
from ipaddress import ip_network

import pytest
from flask.testing import FlaskClient
from structlog.contextvars import merge_contextvars
from structlog.testing import capture_logs

from foundation.database import Database
from gateway.app import create_app
from gateway.web.wording import WORDS
from tests.fakes.shop import Shop
from tests.gateway.web.conftest import Page, words_of


@pytest.mark.parametrize("method", ["get", "put"])
def test_a_wrong_address_is_a_page_in_the_pages_own_headers(client: FlaskClient, method: str) -> None:
    """An address without a page, or a method it does not know, answers with our page, not with a framework's."""
    answer = client.open("/nothing/here" if method == "get" else "/pay/abc", method=method.upper())
    assert answer.status_code in {404, 405}
    assert "چنین پرداختی پیدا نشد" in words_of(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/pay/%00", "/receipt/%00", "/receipt/123456789012?s=%00"])
def test_an_address_with_a_nul_has_no_page(client: FlaskClient, path: str) -> None:
    """The database holds no such text; it is a wrong address, and no fault that may have come after the money."""
    answer = client.get(path)
    assert answer.status_code in {404, 400}
    assert "چنین پرداختی پیدا نشد" in words_of(answer)


def test_a_form_with_a_nul_is_refused(page: Page) -> None:
    """A browser never sends one."""
    answer = page.client.post(page.path, data={"action": "pay", "naming": "\0"})
    assert answer.status_code == 400


def test_a_fault_never_claims_that_no_money_moved(page: Page, shop: Shop) -> None:
    """D2, D34: with the database away the page says "do not pay again" and nothing about money that it cannot know."""
    away = Database("postgresql+psycopg://nobody@/nowhere?host=/nonexistent")
    client = create_app(gateway=replace(shop.gateway, database=away)).test_client()

    answer = client.get(page.path)

    away.close()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"]
    assert "دوباره پرداخت نکنید" in words_of(answer)
    assert "برداشت نشده" not in words_of(answer)


def test_a_fault_of_ours_names_what_finds_it_in_the_log(page: Page, shop: Shop) -> None:
    """The trace of this very request, for whoever calls support; a wrong address has none."""
    away = Database("postgresql+psycopg://nobody@/nowhere?host=/nonexistent")
    client = create_app(gateway=replace(shop.gateway, database=away)).test_client()

    with capture_logs([merge_contextvars]) as logs:
        answer = client.get(page.path)

    away.close()
    (failed,) = [line for line in logs if line["event"] == "request_failed"]
    assert failed["trace_id"] in answer.text
    assert WORDS["trace"].fa in words_of(answer)
    assert WORDS["trace"].fa not in words_of(client.get("/nothing"))


def test_the_merchant_api_answers_faults_and_wrong_addresses_as_problems(client: FlaskClient) -> None:
    """A path the API does not have is a problem document, never an HTML page."""
    answer = client.get("/api/v2/payments")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")


def test_d20_a_flood_from_one_address_is_slowed(shop: Shop) -> None:
    """D20: beyond the setting an address is told to wait, in its language."""
    few = shop.gateway.settings.model_copy(update={"page_calls_per_minute": 2})
    client = create_app(gateway=replace(shop.gateway, settings=few)).test_client()
    answers = [client.get("/pay/none", query_string={"lang": "en"}) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [404, 404, 429]
    assert "Check again in a minute" in words_of(answers[-1])
    assert "don’t pay again before you have seen the result" in words_of(answers[-1])
    assert 'href="/pay/none?lang=en"' in answers[-1].text


def test_d29_shoppers_behind_a_named_proxy_do_not_share_a_limit(shop: Shop) -> None:
    """D29: one has called too often, the next comes by the same proxy; without the setting they are one address."""
    some = {"page_calls_per_minute": 1, "trusted_proxies": (ip_network("10.8.0.4/32"),)}
    shop.gateway = replace(shop.gateway, settings=shop.gateway.settings.model_copy(update=some))
    client = create_app(gateway=shop.gateway).test_client()

    def by_proxy(proxy: str, shopper: str) -> int:
        called = {"REMOTE_ADDR": proxy, "HTTP_X_FORWARDED_FOR": shopper}
        return client.get("/pay/none", environ_overrides=called).status_code

    named = [by_proxy("10.8.0.4", shopper) for shopper in ("203.0.113.9", "203.0.113.9", "203.0.113.10")]
    other = [by_proxy("10.8.0.5", shopper) for shopper in ("203.0.113.11", "203.0.113.12")]
    assert (named, other) == ([404, 429, 404], [404, 429])


def test_no_address_makes_a_page_link_to_another_house(client: FlaskClient) -> None:
    """Two slashes at the front of a path would name a host in the links that keep it."""
    shown = client.get("/", environ_overrides={"PATH_INFO": "//elsewhere.example/pay"})
    assert 'href="/elsewhere.example/pay?lang=en"' in shown.text
    assert 'href="//' not in shown.text
