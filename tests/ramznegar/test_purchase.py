"""A code for one purchase: read from a picture of the payment page's QR code, or typed."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import segno
from playwright.sync_api import FilePayload, expect

from foundation.sensitive import Sensitive
from gateway.web.qr import MASK
from otp.domain.app_code import typed_purchase, typed_transfer
from tests.ramznegar.conftest import Holder

pytestmark = pytest.mark.browser

Holders = Callable[..., Holder]
EXAMPLES = Path(__file__).parents[2] / "contracts" / "harim" / "v1" / "examples"
CANONICAL = json.loads((EXAMPLES / "binding-purchase-with-fee.json").read_text())["canonical"]


def photo(text: str) -> FilePayload:
    """Take a photo of a QR code."""
    content = io.BytesIO()
    segno.make_qr(text, error="m", mask=MASK).save(content, kind="png", scale=6, border=4)
    return {"name": "photo.png", "mimeType": "image/png", "buffer": content.getvalue()}


def at_the_purchase(someone: Holder) -> None:
    """Activate and go to where purchases are read."""
    someone.activate()
    someone.to_card()
    someone.press("bound")
    expect(someone.page.locator("h1")).to_have_text(someone.words("bound"))


@pytest.mark.parametrize("language", ["fa", "en"])
def test_a_scanned_payment_is_shown_and_gets_a_code_of_its_own(holder: Holders, language: str) -> None:
    """Type, payee, fee and total are shown; the code is bound to the very text, and needs no network."""
    someone = holder(language)
    at_the_purchase(someone)
    someone.look("purchase")
    someone.page.locator("#picture-file").set_input_files([photo(f"POOYA1|{CANONICAL}")])
    expect(someone.page.locator("[data-part=payee]")).to_have_text("فروشگاه نمونه")
    amounts = {"fa": ("۱٬۲۵۵٬۰۰۰ ریال", "۵٬۰۰۰ ریال"), "en": ("1,255,000 Rial", "5,000 Rial")}[language]
    expect(someone.page.locator("[data-part=total]")).to_have_text(amounts[0])
    expect(someone.page.locator("[data-part=fee]")).to_have_text(amounts[1])
    code = someone.code("bound")
    assert someone.is_of_now(code, "bound", CANONICAL)
    someone.look("bound")


def test_a_locked_app_shows_the_payment_first_and_the_code_after_the_pin(holder: Holders) -> None:
    """Taking a picture sends the app into the background, so the code is asked for last; offline it is the same."""
    someone = holder()
    someone.activate()
    someone.offline_ready()
    someone.page.reload()
    expect(someone.page.locator("html")).to_have_attribute("data-scanner", "ready")
    someone.served.die()
    someone.to_card()
    someone.press("bound")
    someone.page.locator("#picture-file").set_input_files([photo(f"POOYA1|{CANONICAL}")])
    expect(someone.page.locator("[data-part=payee]")).to_have_text("فروشگاه نمونه")
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)
    someone.unlock()
    assert someone.is_of_now(someone.code("bound"), "bound", CANONICAL)


@pytest.mark.parametrize(
    "text",
    [
        "https://pay.test/",
        CANONICAL,
        f"POOYA2|{CANONICAL}",
        f"POOYA1|{CANONICAL.replace('v1|', 'v2|')}",
        f"POOYA1|{CANONICAL}|more=1",
        f"POOYA1|{CANONICAL.replace('amount=1250000', 'amount=-5')}",
        f"POOYA1|{CANONICAL.replace('PURCHASE', 'GIFT')}",
        f"POOYA1|{CANONICAL.replace('|fee=5000', '')}",
    ],
)
def test_other_codes_are_refused(holder: Holders, text: str) -> None:
    """Whatever is not exactly a payment of version 1 makes no code."""
    someone = holder()
    at_the_purchase(someone)
    someone.page.locator("#picture-file").set_input_files([photo(text)])
    expect(someone.page.locator("[data-part=mistake]").first).to_have_text(someone.words("error.qr_foreign"))
    expect(someone.page.locator("[data-part=code]")).to_have_count(0)


def test_a_picture_without_a_code_and_a_phone_without_a_camera_are_told(holder: Holders) -> None:
    """The other two ways stay open."""
    someone = holder()
    at_the_purchase(someone)
    icon = Path(__file__).parents[2] / "otp" / "ramznegar" / "static" / "icon-192.png"
    someone.page.locator("#picture-file").set_input_files([icon])
    expect(someone.page.locator("[data-part=mistake]").first).to_have_text(someone.words("error.qr_none"))
    someone.press("scan.camera")
    expect(someone.page.locator("[data-part=mistake]").first).to_have_text(someone.words("error.camera"))
    someone.look("no-camera")


def test_a_typed_purchase_and_a_typed_transfer_get_their_codes(holder: Holders) -> None:
    """Amount and terminal, or amount and the destination's last eight digits; Persian digits and gaps are welcome."""
    someone = holder()
    at_the_purchase(someone)
    someone.press("typed.make")
    mistake = someone.page.locator("form [data-part=mistake]")
    expect(mistake).to_have_text(someone.words("error.total"))
    someone.page.fill("#total", "۱٬۲۵۵٬۰۰۰")
    expect(someone.page.locator("[data-part=echo]")).to_have_text("۱٬۲۵۵٬۰۰۰ ریال")
    someone.press("typed.make")
    expect(mistake).to_have_text(someone.words("error.terminal"))
    someone.page.fill("#terminal", "۰۰۰۱۲۳۴۵")
    someone.press("typed.make")
    assert someone.is_of_now(someone.code("bound"), "bound", typed_purchase(1_255_000, "00012345"))
    someone.look("typed")
    someone.page.go_back()
    someone.press("bound")
    someone.page.get_by_label(someone.words("type.CARD_TRANSFER")).check()
    someone.page.fill("#total", "1255000")
    someone.page.fill("#destination", "1234567")
    someone.press("typed.make")
    expect(mistake).to_have_text(someone.words("error.destination"))
    someone.page.fill("#destination", "9990 0210 0000 0017")
    someone.press("typed.make")
    assert someone.is_of_now(someone.code("bound"), "bound", typed_transfer(1_255_000, Sensitive("00000017")))
