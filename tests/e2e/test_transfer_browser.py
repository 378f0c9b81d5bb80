"""Card to card in a real browser at phone size, in both languages, every page looked at (WCAG 2.2 AA)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

import psycopg
import pytest
from playwright.sync_api import Page, expect

from foundation.pan import with_check_digit
from foundation.persian import Language, toman_in_words
from gateway.domain.limits import HOLDER_QUESTIONS
from gateway.web.wording import WORDS
from sandbox.banks import BANK_ONE
from tests.e2e.conftest import Customer
from tests.e2e.test_transfer_http import strangers
from tests.e2e.test_transfer_requests_http import Merchant
from tests.world import RunningWorld

pytestmark = [pytest.mark.world, pytest.mark.browser]

Customers = Callable[..., Customer]
PHONE = {"width": 360, "height": 640}
REAL_PAN = with_check_digit("621986103452900")

READ_BACK = """amounts => amounts.map(typed => {
  const amount = document.getElementById("amount");
  amount.value = typed;
  amount.dispatchEvent(new Event("input"));
  return document.getElementById("amount-toman").textContent.trim();
})"""


def said(key: str, language: str) -> str:
    """Return the sentence that a page says."""
    return str(getattr(WORDS[key], language))


def pay_with_tick(sender: Customer) -> None:
    """Ask for the code, forget the tick, be told, tick, and pay."""
    page, unticked = sender.page, said("transfer.unchecked", sender.language)
    sender.type_card()
    code = sender.code(lambda: sender.press("request_pin"))
    page.fill("#pin", code)
    sender.look("code")
    sender.press("pay")
    expect(page.locator("#errors")).to_contain_text(unticked)
    expect(page.locator("#checked-mistake")).to_have_text(unticked)
    sender.look("unticked")
    page.check("#checked")
    sender.type_card()
    page.fill("#pin", code)
    sender.press("pay")
    expect(page.locator("h1")).to_have_text(said("receipt.title@CARD_TRANSFER", sender.language), timeout=20_000)


@pytest.mark.parametrize("language", ["fa", "en"])
def test_money_is_sent_from_a_phone(customer: Customers, world: RunningWorld, language: str) -> None:
    """Form, mistakes, confirmation with the masked name, code, waiting, receipt; the address holds no card number."""
    card, destination = strangers(world, BANK_ONE.name_en)
    sender = customer(card=card, language=language, viewport=PHONE)
    page = sender.page
    page.goto(f"{world.info['gateway']}/transfer?lang={language}")
    sender.look("form")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", card["pan"])
    page.fill("#amount", "1500000")
    page.locator("button[value=continue]").click()
    expect(page.locator("#errors")).to_contain_text(said("transfer.destination.same", language))
    sender.look("mistake")

    page.fill("#destination_pan", destination["pan"])
    page.locator("button[value=continue]").click()
    expect(page.locator(".purchase .payee")).to_contain_text("***")
    expect(page).to_have_url(re.compile("/pay/"))
    assert card["pan"] not in page.url
    sender.look("confirm")
    pay_with_tick(sender)
    expect(page.locator("main")).to_contain_text("***")
    sender.look("receipt")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_amount_is_grouped_and_read_back_while_it_is_typed(
    customer: Customers, world: RunningWorld, language: Language
) -> None:
    """Digits of any script by three, the caret where it was; tomans as the confirmation will tell them."""
    page = customer(card=world.fresh_card(), language=language, viewport=PHONE).page
    page.goto(f"{world.info['gateway']}/transfer?lang={language}")
    amount, told = page.locator("#amount"), page.locator("#amount-toman")
    expect(told).to_have_text("")

    amount.press_sequentially("۱۵۰۰۰۰۰")
    expect(amount).to_have_value("1,500,000")
    expect(told).to_have_text(toman_in_words(1_500_000, language))
    for _ in range(7):
        amount.press("ArrowLeft")
    amount.press_sequentially("2")
    expect(amount).to_have_value("12,500,000")
    amount.press_sequentially("3")
    expect(amount).to_have_value("123,500,000")

    some = [rials * 10 for power in range(11) for rials in (10**power, 2 * 10**power + 1, 987_654_321_012 % 10**power)]
    wanted = [toman_in_words(rials, language) if rials else "" for rials in some]
    assert page.evaluate(READ_BACK, [str(rials) for rials in some]) == wanted
    assert page.evaluate(READ_BACK, ["0", "000", "99999999999999"]) == ["", "", ""]


def test_a_real_card_never_leaves_a_sandboxs_transfer(customer: Customers, world: RunningWorld) -> None:
    """Neither as source nor as destination: the browser says so while it is typed, and nothing is sent."""
    card = world.fresh_card()
    page = customer(card=card, viewport=PHONE).page
    page.goto(f"{world.info['gateway']}/transfer")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for field, other, key in (
        ("pan", "destination_pan", "pan.real"),
        ("destination_pan", "pan", "transfer.destination.real"),
    ):
        page.fill(f"#{other}", card["pan"])
        page.fill(f"#{field}", REAL_PAN)
        expect(page.locator(f"#{field}-mistake")).to_have_text(WORDS[key].fa)
        page.fill(f"#{field}", card["pan"])
        expect(page.locator(f"#{field}-mistake")).to_be_hidden()
        page.fill(f"#{field}", REAL_PAN)
        page.fill("#amount", "1500000")
        page.press("#amount", "Enter")
        expect(page.locator(f"#{field}")).to_be_focused()
    assert sent == []


def test_whoever_cancels_an_asked_transfer_sends_no_card(customer: Customers, world: RunningWorld) -> None:
    """Going on with a real card is refused in the browser; cancelling works, and takes neither number along."""
    page = customer(card=world.fresh_card(), viewport=PHONE).page
    page.goto(str(Merchant(world).ask()["page_url"]))
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    page.fill("#pan", REAL_PAN)
    page.locator("button[value=continue]:not([tabindex])").click()
    expect(page.locator("#pan")).to_be_focused()
    assert sent == []
    page.locator("button[value=cancel]").click()
    expect(page.locator("h1")).to_have_text(WORDS["cancelled.title"].fa)
    (body,) = sent
    assert not {"pan", "destination_pan"} & dict(parse_qsl(body)).keys()


def go_on(page: Page, world: RunningWorld, source: str, destination: str) -> None:
    """Type two cards and an amount on the gateway's own page, and continue."""
    page.goto(f"{world.info['gateway']}/transfer")
    page.fill("#pan", source)
    page.fill("#destination_pan", destination)
    page.fill("#amount", "1500000")
    page.locator("button[value=continue]").click()


@contextmanager
def asked_much(world: RunningWorld, page_token: str) -> Iterator[None]:
    """Let the card that this transfer is from have asked for its whole share of names today, for a while."""
    change = """UPDATE quota SET used = %s FROM transfer JOIN payment USING (payment_id)
        WHERE page_token = %s AND scope = 'holder-asker ' || encode(source_hash, 'hex')"""
    with psycopg.connect(
        world.world.database_url("gateway", "owner").replace("+psycopg", ""), autocommit=True
    ) as owner:
        owner.execute(change, (HOLDER_QUESTIONS.of_asker, page_token))
        yield
        owner.execute(change, (1, page_token))


def test_d17_a_challenge_is_worked_off_by_the_browser_or_read_from_a_picture(
    customer: Customers, world: RunningWorld
) -> None:
    """Where much was asked with a card, the browser goes on by itself; one that cannot work shows the digits."""
    card, destination = strangers(world, BANK_ONE.name_en)
    sender = customer(card=card, viewport=PHONE)
    page, pans = sender.page, (card["pan"], destination["pan"])
    go_on(page, world, *pans)
    expect(page).to_have_url(re.compile("/pay/"))
    first = page.url

    with asked_much(world, first.rsplit("/", 1)[1].partition("?")[0]):
        go_on(page, world, *pans)
        expect(page).to_have_url(re.compile("/pay/"), timeout=30_000)
        assert page.url != first

        sender.context.add_init_script("Object.defineProperty(Crypto.prototype, 'subtle', { value: undefined })")
        go_on(page, world, *pans)
        expect(page.locator("#picture_code")).to_be_visible()
        expect(page.locator("#destination_pan")).not_to_have_value("")
        sender.look("picture")


def test_a_page_loaded_again_is_the_same_transfer_without_the_card(customer: Customers, world: RunningWorld) -> None:
    """Reloading asks for no second transfer, and the card number is gone (D29)."""
    card = world.fresh_card()
    sender = customer(card=card, viewport=PHONE)
    destination = next(other for other in world.info["cards"] if other["pan"] != card["pan"])
    page = sender.page
    page.goto(f"{world.info['gateway']}/transfer")
    page.fill("#pan", card["pan"])
    page.fill("#destination_pan", destination["pan"])
    page.fill("#amount", "1500000")
    page.locator("button[value=continue]").click()
    expect(page).to_have_url(re.compile("/pay/"))
    address = page.url

    page.reload()

    expect(page.locator("#pan")).to_have_value("")
    assert page.url == address


def type_transfer(page: Page, source: str, destination: str, amount: str) -> None:
    """Fill in the page of an asked transfer and press Enter."""
    page.fill("#pan", source)
    page.fill("#destination_pan", destination)
    page.check("#save")
    page.fill("#amount", amount)
    page.press("#amount", "Enter")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_an_asked_transfer_is_typed_named_and_sent_from_a_phone(
    customer: Customers, world: RunningWorld, language: str
) -> None:
    """Who asks, what is left open, the first payee's warning, another payee, and back to the shop; then by token."""
    (card, destination), merchant = strangers(world, BANK_ONE.name_en), Merchant(world)
    sender = customer(card=card, language=language, viewport=PHONE)
    page = sender.page
    opened = merchant.ask(description="قسط دوم" if language == "fa" else "Second instalment")
    page.goto(f"{opened['page_url']}?lang={language}")
    sender.look("asked")
    type_transfer(page, card["pan"], card["pan"], "")
    expect(page.locator("#amount-mistake")).to_be_visible()
    expect(page.locator("#save")).to_be_checked()
    sender.look("asked-mistake")
    type_transfer(page, card["pan"], destination["pan"], "1600000")
    expect(page.locator(".first-time")).to_contain_text(said("transfer.first.title", language))
    sender.look("first-time")
    page.get_by_role("link", name=said("transfer.change", language)).click()
    expect(page.locator("#destination_pan")).to_have_value("")
    type_transfer(page, card["pan"], destination["pan"], "1700000")
    pay_with_tick(sender)
    back = re.compile(f"^{re.escape(merchant.back)}.*{opened['id']}")
    expect(page.locator(".deeds .first")).to_have_attribute("href", back)
    sender.look("asked-receipt")
    token = merchant.call("GET", f"/transfers/{opened['id']}")["destination"]["token"]
    sent_again(sender, str(merchant.ask(amount=1_500_000, destination_token=token)["page_url"]))


def sent_again(sender: Customer, address: str) -> None:
    """Open a transfer to a saved destination that money was sent to before: no number, no warning, no tick."""
    page = sender.page
    page.goto(f"{address}?lang={sender.language}")
    expect(page.locator("#destination_pan")).to_have_count(0)
    sender.look("saved")
    page.fill("#pan", sender.card["pan"])
    page.press("#pan", "Enter")
    expect(page.locator(".purchase .payee")).to_contain_text("***")
    expect(page.locator("#checked")).to_have_count(0)
    sender.look("again")
