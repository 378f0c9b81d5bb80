"""One purchase by plain HTTP, as a browser without JavaScript makes it, against real servers."""

from sandbox.cards import CARDS, GIFT
from sandbox.shopper import Shopper
from tests.world import RunningWorld


def test_a_shopper_without_javascript_buys(world: RunningWorld) -> None:
    """Order, payment page, code from the phone, payment, return: the order is paid and the books agree."""
    shopper = Shopper(world, world.fresh_card())

    shopper.check_out("soap", "hafez")
    code = shopper.request_pin()
    result = shopper.pay(code)
    order = shopper.return_to_shop()

    assert len(code) == 6
    assert result.status_code == 200
    assert "پرداخت شد" in order.text or "پرداخت‌شده" in order.text


def test_a_wrong_code_is_refused_and_the_right_one_still_pays(world: RunningWorld) -> None:
    """One wrong entry costs a try, nothing more."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    code = shopper.request_pin()

    refused = shopper.pay(f"{(int(code) + 1) % 1_000_000:06d}")
    paid = shopper.pay(code)

    assert refused.status_code == 422
    assert paid.status_code == 200
    shopper.return_to_shop()


def test_d4_a_used_code_pays_nothing_else(world: RunningWorld) -> None:
    """A consumed code is refused for the next order of the same card."""
    card = world.fresh_card()
    first, second = Shopper(world, card), Shopper(world, card)
    first.check_out("soap")
    code = first.request_pin()
    first.pay(code)
    second.check_out("soap")

    refused = second.pay(code)

    assert refused.status_code == 422
    first.return_to_shop()


def test_d10_a_real_banks_card_is_refused(world: RunningWorld) -> None:
    """A card number of a real bank is refused at the server with a sentence, and no code is asked for."""
    shopper = Shopper(world, {**world.fresh_card(), "pan": "6037991234567893"})
    shopper.check_out("soap")

    answer = shopper.press("request_pin")

    assert answer.status_code == 422
    assert "آزمایشی" in answer.text


def test_a_gift_card_pays_by_its_static_second_pin(world: RunningWorld) -> None:
    """A dynamic one it cannot have: whoever asks for a code is told so, and what to enter instead."""
    shopper = Shopper(world, world.card(GIFT))
    pin = next(str(card.pin2) for card in CARDS if card.behaviour == GIFT)
    shopper.check_out("soap")

    asked = shopper.press("request_pin")
    paid = shopper.pay(pin)

    assert "اگر کارت هدیه است، رمز دوم ثابت همان کارت را وارد کنید" in asked.text
    assert paid.status_code == 200
    shopper.return_to_shop()
