"""What a page may weigh and how late it may be: bytes, requests, shifts of layout, what the first view waits for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from bench.pages.walker import Walker
from bench.pages.wire import Wire
from gateway.web.wording import WORDS
from tests.e2e.browser import SIZES, visiting
from tests.e2e.conftest import Customer
from tests.e2e.test_every_state import LISTEN
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

KB = 1024
PAGE_MOST = {"Document": 8 * KB, "Stylesheet": 6 * KB, "Script": 8 * KB, "Font": 34 * KB}
"""Bytes over the wire of the payment page by kind, headers included; the page itself comes uncompressed (ADR 11)."""

TOTAL_MOST = 50 * KB

AROUND_MOST = 80 * KB
REQUESTS_MOST = 5
SHIFT_MOST = 0.02
SHIFT_EVER = 0.1
"""What Core Web Vitals call good, also where a starved machine lays the page out before its style is there."""
SLOW_4G = {"offline": False, "latency": 150, "downloadThroughput": 1_600_000 / 8, "uploadThroughput": 750_000 / 8}
SLOW_CPU = 4
PAINT_MOST_MS = 1_500
BLOCKED_MOST_MS = 50
PRESS_MOST_MS = 100
LOADS_MOST = 20
"""A machine that does other things too makes a page late, never early: one good load of at most so many is enough."""

PAINT_RATIO_MOST = 3.0
"""The largest paint against the arrival of the style: it waits for nothing that comes later, such as the font."""

WATCH = """
window.shifts = []; window.paints = []; window.tasks = [];
new PerformanceObserver(list => { for (const entry of list.getEntries()) tasks.push(entry); })
  .observe({type: "longtask", buffered: true});
window.blocked = from => tasks.reduce((sum, task) =>
  sum + Math.max(0, task.startTime + task.duration - Math.max(from, task.startTime) - 50), 0);
new PerformanceObserver(list => { for (const entry of list.getEntries()) shifts.push(entry.value); })
  .observe({type: "layout-shift", buffered: true});
new PerformanceObserver(list => { for (const entry of list.getEntries()) paints.push(entry.startTime); })
  .observe({type: "largest-contentful-paint", buffered: true});
"""
MEASURE = """() => new Promise(done => setTimeout(() => done({
  shift: shifts.reduce((sum, each) => sum + each, 0),
  paint: Math.max(...paints),
  blocked: blocked(performance.getEntriesByName("first-contentful-paint")[0].startTime),
  style: performance.getEntriesByType("resource").find(each => each.name.includes(".css")).responseEnd,
}), 1000))"""
"""Blocked is what total blocking time counts: the part beyond 50 ms of each long task after the first paint."""


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
        walker = Walker(world, context)
        walker.to_the_gateway()
        return walker.page.url


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
    assert {origin(address) for address in wire.addresses} == {origin(payment_page)}
    assert complaints == []


@pytest.mark.parametrize(
    "path", ["shop /", "bank /sandbox/", "bank /sandbox/control/", "gateway /transfer", "gateway /api/v1/docs"]
)
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


def slowed(page: Page) -> None:
    """Make the line a slow 4G and the machine a quarter as fast."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.emulateNetworkConditions", SLOW_4G)
    session.send("Emulation.setCPUThrottlingRate", {"rate": SLOW_CPU})


def is_soon(load: dict[str, float]) -> bool:
    """Tell whether a load kept every budget; its largest paint waited for the style alone."""
    painted = 0 < load["paint"] <= min(PAINT_MOST_MS, PAINT_RATIO_MOST * load["style"])
    return painted and load["blocked"] <= BLOCKED_MOST_MS and load["shift"] <= SHIFT_MOST


@pytest.mark.parametrize("size", SIZES)
def test_on_slow_4g_the_page_is_soon_there_and_nothing_jumps(browser: Browser, payment_page: str, size: str) -> None:
    """Largest paint within 1.5 s and with the style, whatever comes later; no shift; the main thread stays free."""
    complaints: list[str] = []
    loads: list[dict[str, float]] = []
    while len(loads) < LOADS_MOST and not any(map(is_soon, loads)):
        with stranger(browser, complaints, viewport=SIZES[size]) as page:
            page.context.add_init_script(WATCH)
            slowed(page)
            page.goto(payment_page)
            expect(page.locator("#pan")).to_be_visible()
            loads.append(page.evaluate(MEASURE))

    assert max(load["shift"] for load in loads) <= SHIFT_EVER, loads
    assert any(map(is_soon, loads)), loads
    assert complaints == []


def test_a_whole_purchase_on_slow_4g(customer: Callable[..., Customer]) -> None:
    """Shop, card, code, receipt and shop again; the card is sent for its code and to pay, not more."""
    buyer = customer(viewport=SIZES["phone"])
    page = buyer.page
    slowed(page)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    buyer.order()
    buyer.type_card()
    code = buyer.code(lambda: buyer.press("request_pin"))
    expect(page.locator("#pin")).to_be_focused()
    page.fill("#pin", code)
    buyer.press("pay")
    expect(page.locator("h1")).to_have_text(WORDS["receipt.title"].fa)
    assert len([address for address in sent if "/pay/" in address]) == 2
    page.get_by_text(WORDS["return"].fa, exact=True).click()
    expect(page.locator("#state[data-state=paid]")).to_be_visible()


PRESSED = """() => new Promise(done => {
  const ask = document.getElementById("request_pin"), start = performance.now(), before = ask.textContent;
  ask.click();
  requestAnimationFrame(() => setTimeout(() => done({
    late: performance.now() - start, changed: ask.textContent !== before, waits: ask.ariaDisabled === "true",
  })));
})"""


def test_asking_for_a_pin_is_seen_at_once(world: RunningWorld, browser: Browser, payment_page: str) -> None:
    """On a slow line and machine the button says that it works within 100 ms, long before the answer."""
    complaints: list[str] = []
    presses: list[dict[str, Any]] = []
    while len(presses) < LOADS_MOST and not any(press["late"] <= PRESS_MOST_MS for press in presses):
        with stranger(browser, complaints) as page:
            page.goto(payment_page)
            page.fill("#pan", world.fresh_card()["pan"])
            page.route(
                "**/pay/*", lambda route: route.fulfill(json={"tone": "good", "message": "", "seconds_left": 900})
            )
            slowed(page)
            presses.append(page.evaluate(PRESSED))

    assert all(press["changed"] and press["waits"] for press in presses), presses
    assert min(press["late"] for press in presses) <= PRESS_MOST_MS, presses
    assert complaints == []


def origin(address: str) -> str:
    """Return scheme, host and port."""
    return "/".join(address.split("/", 3)[:3])
