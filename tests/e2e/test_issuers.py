"""A bank that an operator paused, seen in a real browser at a running gateway of two worker processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import expect

from gateway.web.wording import WORDS, say
from sandbox.world import HANGING_BIN, HANGING_NAME
from tests.e2e.conftest import Customer
from tests.world import RunningWorld, wait_for

pytestmark = pytest.mark.browser
Customers = Callable[..., Customer]
PAUSED = say("health.paused", "fa", bank=HANGING_NAME[0])


def issuer(world: RunningWorld, *words: str) -> None:
    """Run ``python -m gateway issuer …`` as the operator of this world."""
    world.operate("gateway", "issuer", *words).check_returncode()


@pytest.fixture
def paused(world: RunningWorld) -> Iterator[None]:
    """Pause the bank that hangs for the length of a test."""
    issuer(world, "pause", HANGING_BIN, "--by", "ali", "--reason", "maintenance")
    yield
    issuer(world, "resume", HANGING_BIN, "--by", "ali")


def until_listed(buyer: Customer) -> None:
    """Load the page until the process that answers has read the directory again."""
    wait_for(lambda: buyer.page.reload() and buyer.page.locator("#troubles").is_visible(), "the notice")


@pytest.mark.usefixtures("paused")
def test_a_paused_bank_is_told_before_a_card_is_typed_and_narrowed_to_its_own(
    customer: Customers, world: RunningWorld
) -> None:
    """Listed at once, gone for another bank's card, back for its own; asking for a PIN is refused at the field."""
    buyer = customer()
    buyer.order()
    until_listed(buyer)
    notice, pan = buyer.page.locator("#troubles"), buyer.page.locator("#pan")
    expect(notice.locator("li")).to_have_text(PAUSED)
    buyer.look("bank-paused")
    pan.fill(buyer.card["pan"])
    expect(notice).to_be_hidden()
    pan.fill(world.card("unreachable_bank")["pan"])
    expect(notice).to_be_visible()
    expect(buyer.page.locator("#live")).to_have_text(PAUSED)
    buyer.press("request_pin")
    expect(buyer.page.locator("#pan-mistake")).to_have_text(WORDS["issuer.paused"].fa)
    expect(pan).to_be_focused()
    buyer.look("bank-paused-refused")


@pytest.mark.usefixtures("paused")
def test_without_javascript_the_list_of_banks_in_trouble_stays(customer: Customers, world: RunningWorld) -> None:
    """The same page without a script: the list, and a refusal that keeps the typed number."""
    buyer = customer(world.card("unreachable_bank"), java_script_enabled=False)
    buyer.order()
    until_listed(buyer)
    buyer.type_card()
    buyer.press("request_pin")
    expect(buyer.page.locator("#troubles li")).to_have_text(PAUSED)
    expect(buyer.page.locator("#pan-mistake")).to_have_text(WORDS["issuer.paused"].fa)
