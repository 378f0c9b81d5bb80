"""What a page may weigh and how late it may be: bytes, requests, shifts of layout, what the first view waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from bench.pages.walk import Walk
from tests.e2e.browser import SIZES, visiting
from tests.e2e.test_every_state import LISTEN
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

KB = 1024
PAGE_MOST = {"Document": 12 * KB, "Stylesheet": 6 * KB, "Script": 8 * KB, "Font": 34 * KB}
"""Bytes over the wire of the payment page by kind; the page itself comes uncompressed (BREACH)."""

TOTAL_MOST = 60 * KB
"""Headers included; the fifty kilobytes of the files themselves are held by the page's own test."""

AROUND_MOST = 80 * KB
REQUESTS_MOST = 5
SHIFT_MOST = 0.02
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
PAINT_RATIO_MOST = 3.0
"""The largest paint against the arrival of the style: it waits for nothing that comes later, such as the font."""

WATCH = """
window.shifts = []; window.paints = [];
new PerformanceObserver(list => { for (const entry of list.getEntries()) shifts.push(entry.value); })
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver(list => { for (const entry of list.getEntries()) paints.push(entry.startTime); })
  .observe({type: "largest-contentful-paint", buffered: true});
"""
MEASURE = """() => new Promise(done => setTimeout(() => done({
  shift: shifts.reduce((sum, each) => sum + each, 0),
  paint: Math.max(...paints),
  style: performance.getEntriesByType("resource").find(each => each.name.includes(".css")).responseEnd,
}), 1000))"""


class Wire:
    """Counts what one page loads."""

    def __init__(self, session: CDPSession) -> None:
        self.kinds: Counter[str] = Counter()
        self.addresses: list[str] = []
        self._kind: dict[str, str] = {}
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.loadingFinished", self._done)

    def _sent(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self._kind[event["requestId"]] = event["type"]
            self.addresses.append(event["request"]["url"])

    def _done(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._kind:
            self.kinds[self._kind[event["requestId"]]] += int(event["encodedDataLength"])


@contextmanager
def stranger(browser: Browser, complaints: list[str], **options: Any) -> Iterator[Page]:
    """Open a page in a window that has nothing in its cache."""
    with visiting(browser, complaints, **options) as context:
        context.add_init_script(LISTEN)
        yield context.new_page()


@pytest.fixture
def payment_page(world: RunningWorld, browser: Browser) -> str:
    """Give the address of a payment page that waits for a card."""
    with visiting(browser, []) as context:
        walk = Walk(world, context)
        walk.to_the_gateway()
        return walk.page.url


@pytest.mark.parametrize("language", ["fa", "en"])
def test_the_payment_page_keeps_its_weight(browser: Browser, payment_page: str, language: str) -> None:
    """Each kind and the whole within the budget, five requests at most, all to the gateway."""
    complaints: list[str] = []
    with stranger(browser, complaints) as page:
        wire = Wire(page.context.new_cdp_session(page))
        page.goto(f"{payment_page}?lang={language}", wait_until="networkidle")
        kinds = dict(wire.kinds)

    assert {kind: size for kind, size in kinds.items() if size > PAGE_MOST[kind]} == {}
    assert sum(kinds.values()) <= TOTAL_MOST, kinds
    assert len(wire.addresses) <= REQUESTS_MOST, wire.addresses
    assert {address.split("/pay/")[0].split("/static/")[0] for address in wire.addresses} == {origin(payment_page)}
    assert complaints == []


@pytest.mark.parametrize("path", ["shop /", "bank /sandbox/", "bank /sandbox/control/", "gateway /api/v1/docs"])
def test_the_pages_around_it_keep_theirs(world: RunningWorld, browser: Browser, path: str) -> None:
    """Eighty kilobytes and five requests, all to the page's own house."""
    whose, _, rest = path.partition(" ")
    house = {**world.info, "bank": world.info["banks"][0]["url"]}[whose]
    complaints: list[str] = []
    with stranger(browser, complaints) as page:
        wire = Wire(page.context.new_cdp_session(page))
        page.goto(f"{house}{rest}", wait_until="networkidle")
        kinds = dict(wire.kinds)

    assert sum(kinds.values()) <= AROUND_MOST, kinds
    assert len(wire.addresses) <= REQUESTS_MOST, wire.addresses
    assert all(address.startswith(house) for address in wire.addresses)
    assert complaints == []


@pytest.mark.parametrize("size", SIZES)
def test_on_slow_4g_nothing_jumps_and_nothing_waits_for_the_font(
    browser: Browser, payment_page: str, size: str
) -> None:
    """Layout shift is counted exactly; the largest paint comes with the style, whatever else is still on its way."""
    complaints: list[str] = []
    with stranger(browser, complaints, viewport=SIZES[size]) as page:
        page.context.add_init_script(WATCH)
        session = page.context.new_cdp_session(page)
        session.send("Network.enable")
        session.send("Network.emulateNetworkConditions", SLOW_4G)
        page.goto(payment_page)
        expect(page.locator("#pan")).to_be_visible()
        seen = page.evaluate(MEASURE)

    assert seen["shift"] <= SHIFT_MOST, seen
    assert 0 < seen["paint"] <= PAINT_RATIO_MOST * seen["style"], seen
    assert complaints == []


def origin(address: str) -> str:
    """Return scheme, host and port."""
    return "/".join(address.split("/", 3)[:3])
