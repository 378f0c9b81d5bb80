"""Ramznegar in a real browser: what its shell weighs as it is served, and how soon after unlocking a code is shown.

The PIN is stretched on purpose, so that nobody tries many; that time is counted apart from the app's own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median

from playwright.sync_api import Browser, Page, expect

from bench.pages.browser import launched, visiting
from bench.pages.wire import Wire
from foundation.pan import Pan
from otp.domain.activation import Channel
from otp.ramznegar.wording import WORDS
from otp.services.bank import Bank
from otp.services.cards import card_tokens
from otp.services.issue_activation import Issued, Wanted, issue_activation
from otp.store import accounts
from sandbox.banks import BANK_TWO
from sandbox.cards import crowd
from sandbox.phone_store import PhoneStore
from sandbox.places import CannotRun
from sandbox.running import RunningWorld, wait_for
from sandbox.seed import bank_of

CROWD = 1
PHONE = {"width": 390, "height": 844}
PIN = "482913"
KB = 1024
SHELL_MOST_BYTES = 60 * KB
CODE_MOST_MS = 300.0
"""The house's budgets: a shell of 60 KB, a code within 300 ms of the stretched PIN."""

MESSAGES_MOST = 100
_PART = re.compile(r"^([0-9A-HJKMNP-TV-Z]{4})-([0-9A-HJKMNP-TV-Z]{4})$", re.MULTILINE)
UNLOCK = """() => new Promise((done, fail) => {
  const subtle = crypto.subtle, own = subtle.deriveBits;
  let stretching = 0;
  subtle.deriveBits = async (how, ...rest) => {
    const began = performance.now();
    try { return await own.call(subtle, how, ...rest); }
    finally { if (how.name === "PBKDF2") stretching += performance.now() - began; }
  };
  const began = performance.now(), form = document.getElementById("unlock-pin").form;
  const look = () => {
    const code = document.querySelector("[data-part=code]"), passed = performance.now() - began;
    if (!/[0-9]/.test(code?.textContent ?? "")) return passed < 20000 ? requestAnimationFrame(look) : fail("no code");
    requestAnimationFrame(() => setTimeout(() => {
      delete subtle.deriveBits;
      done({ whole: performance.now() - began, stretching });
    }));
  };
  form.requestSubmit();
  look();
})"""
"""From the press until the frame that shows the code has been painted."""


@dataclass(frozen=True, slots=True)
class Unlock:
    """Milliseconds from the press of the button until the code was on the screen, and those of stretching the PIN."""

    whole: float
    stretching: float

    @property
    def own(self) -> float:
        """What is the app's and the browser's."""
        return self.whole - self.stretching


@dataclass(frozen=True, slots=True)
class Shell:
    """What the app loads when it is opened for the first time: bytes over the wire by kind, and how many requests."""

    kinds: dict[str, int]
    requests: int


def measure(world: RunningWorld, unlocks: int) -> tuple[Shell, list[Unlock]]:
    """Open the app as a stranger, then as a holder who unlocks it so many times."""
    url = f"{world.world.address(BANK_TWO.web)}/ramznegar/"
    with launched() as browser, bank_of(world.world, BANK_TWO) as bank:
        shell = weigh(browser, url)
        parts = slip_and_sms(bank, crowd(CROWD)[0].pan, PhoneStore(world.world.phone_file))
        return shell, unlocked(browser, url, parts, unlocks)


def weigh(browser: Browser, url: str) -> Shell:
    """Load the app in a window that has nothing of it, and count what the page itself asks for."""
    with visiting(browser, [], viewport=PHONE) as context:
        page = context.new_page()
        wire = Wire(page.context.new_cdp_session(page))
        page.goto(url, wait_until="networkidle")
        return Shell(dict(wire.kinds), len(wire.addresses))


def unlocked(browser: Browser, url: str, parts: tuple[str, str, str], times: int) -> list[Unlock]:
    """Activate an app and unlock it so many times."""
    with visiting(browser, [], viewport=PHONE) as context:
        page = context.new_page()
        _activate(page, url, parts)
        page.reload()
        page.locator("a.card").first.click()
        return [_unlock(page) for _ in range(times)]


def slip_and_sms(bank: Bank, pan: Pan, phones: PhoneStore) -> tuple[str, str, str]:
    """Get a slip at the cash machine and the part that the phone gets: what an activation is typed from."""
    with bank.database.begin() as connection:
        card_id = accounts.lock_card(connection, card_tokens(bank.keys, pan)).card_id
    issued = issue_activation(bank, Wanted(card_id or 0, Channel.ATM))
    if not isinstance(issued, Issued) or issued.slip is None:
        raise CannotRun(f"no slip: {issued}")
    return issued.activation_id, issued.slip.reveal(), wait_for(lambda: _texted(phones), "the SMS of the activation")


def lines(shell: Shell, unlocks: list[Unlock]) -> Iterator[str]:
    """Say what was measured, beside the budgets."""
    whole = sum(shell.kinds.values())
    kinds = ", ".join(f"{kind} {size / KB:.1f}" for kind, size in sorted(shell.kinds.items()))
    yield f"shell: {whole / KB:.1f} KB in {shell.requests} requests ({kinds}), {_kept(whole, SHELL_MOST_BYTES)}"
    own, stretching = median(each.own for each in unlocks), median(each.stretching for each in unlocks)
    yield (
        f"from unlocking to the code: {own:.0f} ms after the PIN was stretched, {_kept(own, CODE_MOST_MS)}; "
        f"stretching took {stretching:.0f} ms (medians of {len(unlocks)})"
    )


def _activate(page: Page, url: str, parts: tuple[str, str, str]) -> None:
    page.goto(url)
    _press(page, "activate")
    for field, said in zip(("activation_id", "slip", "sms"), parts, strict=True):
        page.fill(f"#{field}", said)
    _press(page, "continue")
    for field in ("pin", "again"):
        page.fill(f"#{field}", PIN)
    _press(page, "pin.set")
    _press(page, "ready.go")
    expect(page.locator("a.card").first).to_be_visible()


def _unlock(page: Page) -> Unlock:
    page.fill("#unlock-pin", PIN)
    found = Unlock(**page.evaluate(UNLOCK))
    page.locator("[data-part=relock]").click()
    return found


def _press(page: Page, key: str) -> None:
    button = page.get_by_role("button", name=WORDS[key].fa, exact=True)
    page.get_by_role("link", name=WORDS[key].fa, exact=True).or_(button).first.click()


def _texted(phones: PhoneStore) -> str:
    arrived = phones.arrived(after=0, most=MESSAGES_MOST)
    found = (match for _, text in arrived if (match := _PART.search(text.text)))
    return next((match[1] + match[2] for match in found), "")


def _kept(found: float, most: float) -> str:
    return "within its budget" if found <= most else f"{found / most:.1f} times its budget"
