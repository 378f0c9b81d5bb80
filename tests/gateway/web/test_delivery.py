"""What the page says of the SMS: on every rendering, and to its script."""

from __future__ import annotations

import dataclasses
import re
import uuid

import pytest

from gateway.domain.limits import DELIVERY_CHECK_SECONDS
from gateway.ports import Delivery, PinSent
from gateway.services.show_page import page_of
from gateway.web.outcomes import delivery_message
from gateway.web.wording import WORDS
from tests.fakes.harim import SENT
from tests.fakes.shop import PAN, Shop
from tests.fakes.switch import decline
from tests.gateway.web.conftest import Page

FOLLOWED = dataclasses.replace(SENT, correlation_id=str(uuid.UUID(int=7)))
LINE = re.compile(
    r'<p id="pin-delivery" class="(\w+)" data-url="([^"]+)"(?: data-again="(\d+)")?(?: (hidden))?>([^<]*)</p>'
)


def line(text: str) -> tuple[str, ...]:
    """Return class, address, seconds, hidden and sentence of the line about the SMS."""
    found = LINE.search(text)
    assert found
    return tuple(part or "" for part in found.groups())


def test_before_a_pin_was_asked_for_the_line_is_hidden(page: Page) -> None:
    """Nothing to say, nothing to poll."""
    css, _, again, hidden, sentence = line(page.look().text)
    assert (css, again, hidden, sentence) == ("hint", "", "hidden", "")


@pytest.mark.parametrize("language", ["fa", "en"])
def test_without_javascript_each_rendering_says_where_the_sms_is(page: Page, shop: Shop, language: str) -> None:
    """On its way in the answer itself; loaded again when it is time, what the issuer says now."""
    page.language = language
    shop.harim.will(FOLLOWED)
    sent = line(page.press("request_pin").text)
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(Delivery.ACCEPTED)
    loaded = line(page.look().text)

    assert sent[2:] == (str(DELIVERY_CHECK_SECONDS), "", getattr(WORDS["pin.delivery.queued"], language))
    assert loaded[2:] == ("", "", getattr(WORDS["pin.delivery.accepted"], language))


@pytest.mark.parametrize("state", [Delivery.REFUSED, Delivery.DROPPED])
def test_a_message_that_was_not_sent_says_what_to_do(page: Page, shop: Shop, state: Delivery) -> None:
    """In the colour of a mistake."""
    shop.harim.will(FOLLOWED)
    page.press("request_pin")
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(state)

    assert line(page.look().text)[::4] == ("mistake", WORDS["pin.delivery.not_sent"].fa)


def test_the_script_polls_by_the_page_token_alone(page: Page, shop: Shop) -> None:
    """The answer to the request says when to begin, each answer when to go on, 0 that there is no more to hear."""
    shop.harim.will(FOLLOWED)
    begun = page.press("request_pin", json=True).get_json()
    address = line(page.look().text)[1]
    waiting = page.client.get(address)
    shop.later(DELIVERY_CHECK_SECONDS + 1)
    shop.harim.deliveries.append(Delivery.ACCEPTED)
    done = page.client.get(address)

    assert begun["follow_in_seconds"] == DELIVERY_CHECK_SECONDS
    assert waiting.get_json() == {
        "tone": "good",
        "message": WORDS["pin.delivery.queued"].fa,
        "again_in_seconds": DELIVERY_CHECK_SECONDS,
    }
    assert done.get_json() == {"tone": "good", "message": WORDS["pin.delivery.accepted"].fa, "again_in_seconds": 0}
    assert waiting.headers["Cache-Control"] == "no-store"
    assert address == f"{page.path}/pin?lang=fa"
    assert PAN not in waiting.text + done.text


def test_d19_an_unproven_request_is_not_followed(page: Page, shop: Shop) -> None:
    """The page says no more than the issuer disclosed."""
    shop.harim.will(PinSent(correlation_id=FOLLOWED.correlation_id))
    begun = page.press("request_pin", json=True).get_json()
    shop.later(30)

    assert begun["follow_in_seconds"] == 0
    assert line(page.look().text)[3] == "hidden"
    assert shop.harim.followed == []


def test_the_script_hears_no_more_once_the_payment_is_paid(page: Page, shop: Shop) -> None:
    """And nothing at all under a wrong token."""
    shop.harim.will(FOLLOWED)
    page.press("request_pin")
    page.press("pay")

    told = page.client.get(f"{page.path}/pin").get_json()

    assert told == {"tone": "good", "message": "", "again_in_seconds": 0}
    assert page.client.get("/pay/nobody/pin").status_code == 404


def test_a_code_whose_time_is_over_has_no_message_any_more(page: Page, shop: Shop) -> None:
    """Its SMS is of no use."""
    shop.harim.will(FOLLOWED)
    page.press("request_pin")
    shop.later(121)

    assert line(page.look().text)[3] == "hidden"


def test_a_code_that_was_typed_has_no_message_any_more(page: Page, shop: Shop) -> None:
    """It came; that its SMS is on its way would send somebody waiting for another one."""
    shop.harim.will(FOLLOWED)
    page.press("request_pin")
    shop.switch.will(decline("117"))
    page.press("pay")

    assert line(page.look().text)[3] == "hidden"


@pytest.mark.parametrize("state", [state for state in Delivery if state is not Delivery.UNDISCLOSED])
def test_every_state_has_its_words(page: Page, shop: Shop, state: Delivery) -> None:
    """The table is walked row by row."""
    shop.harim.will(FOLLOWED)
    page.press("request_pin")
    pin = page_of(shop.gateway, page.payment.page_token).pin
    message = delivery_message(dataclasses.replace(pin, delivery=state))

    assert message
    assert message.key in WORDS
