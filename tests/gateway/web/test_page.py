"""The payment page without JavaScript: what is shown, accepted, kept and never repeated."""

from __future__ import annotations

import dataclasses
import re

import pytest
from flask.testing import FlaskClient

from foundation.digits import to_persian_digits
from gateway.app import create_app
from gateway.domain.payment import PaymentState
from gateway.ports import PinAnswer, PinRefusal, PinRefused, PinSent, PinUnanswered
from gateway.web.outcomes import SECONDS_UNTIL_NEWS
from gateway.web.wording import WORDS
from tests.fakes.shop import PAN, Shop
from tests.fakes.switch import decline, lost
from tests.gateway.web.conftest import REAL_PAN, Page, words_of

GROUPED = " ".join(PAN[start : start + 4] for start in range(0, 16, 4))
BUTTON = re.compile(r'<button[^>]*name="action" value="(\w+)"')


def test_the_page_shows_what_is_bought_from_whom(page: Page) -> None:
    """Amount in rials and toman words, payee, terminal and time left."""
    shown = words_of(page.look())
    for part in ("۱۲٬۵۰۰٬۰۰۰", "یک میلیون و دویست و پنجاه هزار تومان", "کتاب‌سرای آزمون", "00000001", "۱۵:۰۰"):
        assert part in shown
    assert WORDS["sandbox"].fa in shown


@pytest.mark.parametrize(("language", "named"), [("fa", "نام درگاه"), ("en", "name only the gateway")])
def test_d6_a_bank_whose_sms_names_only_the_gateway_is_no_reason_to_stop(page: Page, language: str, named: str) -> None:
    """D6: the message for a code of a weak dialect names the PSP; before a card is typed nobody knows its bank."""
    page.language = language
    assert named in words_of(page.look())


def test_english_stays_over_the_flow(page: Page) -> None:
    """The choice travels with the form and with the redirect."""
    page.language = "en"
    assert 'lang="en" dir="ltr"' in page.look().text
    wrong = page.press("pay", pin="")
    assert WORDS["pin.form"].en in words_of(wrong)
    paid = page.press("pay")
    assert paid.location.endswith("?lang=en")
    assert WORDS["receipt.title"].en in words_of(page.client.get(paid.location))


def test_d40_the_first_button_pays_and_needs_no_cookie(page: Page) -> None:
    """Enter in a browser without JavaScript presses the first button of the form."""
    shown = page.look()
    assert BUTTON.findall(shown.text) == ["pay", "request_pin", "pay", "extend", "cancel"]
    assert "Set-Cookie" not in shown.headers


def test_a_form_without_a_button_pays(page: Page, shop: Shop) -> None:
    """A client that sends no action means to pay."""
    page.press("")
    assert shop.state(page.payment) is PaymentState.AUTHORISED


def test_d29_success_leads_to_a_page_without_a_card_number(page: Page) -> None:
    """303, then a receipt with the mask alone."""
    answer = page.press("pay")
    assert answer.status_code == 303
    receipt = page.client.get(answer.location)
    assert WORDS["receipt.title"].fa in words_of(receipt)
    assert "9990 02** ****" in receipt.text
    assert PAN not in receipt.text
    assert GROUPED not in receipt.text


def test_the_receipt_leads_back_to_the_shop_with_what_it_needs_to_ask(page: Page) -> None:
    """A link always; by itself only with a script, which can be stopped (WCAG 2.2.1)."""
    receipt = page.client.get(page.press("pay").location)
    address = f"http://localhost:8200/back?payment_id={page.payment.payment_id}&order_id={page.payment.order_id}"
    assert f'href="{address}' in words_of(receipt)
    assert f'data-onward="{address}' in words_of(receipt)
    assert "http-equiv" not in receipt.text
    assert "<form" not in receipt.text


def test_a_customer_whose_shop_was_quicker_is_taken_back_all_the_same(page: Page, shop: Shop) -> None:
    """A receipt first seen after the shop confirmed leads back while the page's time lasts, and not for ever."""
    page.press("pay")
    shop.confirm(page.payment)
    assert "data-onward" in page.client.get(page.path).text
    shop.later(3_600)
    assert "data-onward" not in page.client.get(page.path).text


@pytest.mark.parametrize("action", ["request_pin", "pay"])
def test_d29_the_number_stands_in_this_answer_only_and_cvv2_and_pin_in_none(page: Page, action: str) -> None:
    """A re-rendered form repeats the card number and the expiry, never CVV2 or PIN; a GET repeats nothing."""
    answer = page.press(action, cvv2="987", pin="7654321" if action == "request_pin" else "")
    assert f'value="{GROUPED}"' in answer.text
    for name in ("cvv2", "pin"):
        (field,) = re.findall(rf'<input id="{name}"[^>]*>', answer.text)
        assert "value" not in field
    assert '"987"' not in answer.text
    assert "7654321" not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert GROUPED not in page.look().text


def test_digits_of_every_kind_are_accepted(page: Page, shop: Shop) -> None:
    """Persian and Arabic digits, spaces, dashes, a year of four digits, a month of one."""
    typed = {
        "pan": to_persian_digits("-".join(GROUPED.split())),
        "cvv2": "١٢٣",
        "exp_month": "۷",
        "exp_year": "۱۴۰۸",
        "pin": " ۱۲۳۴۵۶ ",
    }
    assert page.press("pay", **typed).status_code == 303
    (request,) = shop.switch.authorised
    assert request.pan.reveal() == PAN
    assert (request.cvv2.reveal(), request.expiry.reveal(), request.pin.reveal()) == ("123", "0807", "123456")


@pytest.mark.parametrize(
    ("field", "typed", "key"),
    [
        ("pan", "1234", "pan.length"),
        ("pan", PAN[:-1] + str((int(PAN[-1]) + 1) % 10), "pan.luhn"),
        ("pan", REAL_PAN, "pan.real"),
        ("cvv2", "12", "cvv2.form"),
        ("exp_month", "13", "month.form"),
        ("exp_year", "8", "year.form"),
        ("pin", "12", "pin.form"),
    ],
)
def test_each_mistake_is_named_at_its_field_and_in_the_summary(
    page: Page, shop: Shop, field: str, typed: str, key: str
) -> None:
    """422, nothing sent to any bank, the field marked and described."""
    answer = page.press("pay", **{field: typed})
    assert answer.status_code == 422
    assert words_of(answer).count(WORDS[key].fa) >= 2
    assert f'href="#{field}"' in answer.text
    assert re.search(rf'id="{field}"[^>]*aria-invalid="true"', answer.text)
    assert not shop.switch.authorised


def test_a_pin_is_requested_with_the_number_alone(page: Page, shop: Shop) -> None:
    """D19: an unproven request works; CVV2 and expiry go along when they are typed."""
    answer = page.press("request_pin", cvv2="", exp_month="", exp_year="", pin="")
    assert answer.status_code == 200
    Page(page.client, shop.open()).press("request_pin")
    alone, proven = (request for _, request in shop.harim.asked)
    assert (alone.cvv2, alone.expiry) == (None, None)
    assert (proven.cvv2.reveal(), proven.expiry.reveal()) == ("123", "0812")


def test_the_answer_to_a_pin_request_is_said(page: Page, shop: Shop) -> None:
    """Sent, with tail and life; refused, with the reason; unreachable, with the reassurance."""
    assert "\u2066۶۷\u2069" in words_of(page.press("request_pin"))
    for answer, key in (
        (PinSent(), "pin.accepted"),
        (PinRefused(PinRefusal.NO_MOBILE), "pin.no_mobile"),
        (PinUnanswered("silent"), "pin.temporarily_unavailable"),
    ):
        other = Page(page.client, shop.open())
        shop.harim.will(answer)
        assert WORDS[key].fa in words_of(other.press("request_pin"))


def test_d20_a_payments_share_and_a_cards_share_are_told_apart(page: Page, shop: Shop) -> None:
    """After five codes of a payment: start again; after ten of a card: that would not help, another card does."""
    for each in (page, other := Page(page.client, shop.open())):
        for _ in range(5):
            assert each.press("request_pin").status_code == 200
    of_payment, of_card = other.press("request_pin"), Page(page.client, shop.open()).press("request_pin")

    assert (of_payment.status_code, of_card.status_code) == (429, 429)
    assert WORDS["pin.too_many_for_payment"].fa in words_of(of_payment)
    assert WORDS["pin.too_many_requests"].fa in words_of(of_card)


def test_d19_who_shows_the_number_alone_is_told_what_helps(page: Page) -> None:
    """After three codes: at the field that is missing; with CVV2 and expiry the next one goes out."""
    alone = {"cvv2": "", "exp_month": "", "exp_year": ""}
    for _ in range(3):
        assert page.press("request_pin", **alone).status_code == 200
    refused = page.press("request_pin", **alone)

    assert refused.status_code == 429
    assert WORDS["pin.too_many_unproven"].fa in words_of(refused)
    assert page.press("request_pin", json=True, **alone).get_json()["field"] == "cvv2"
    assert page.press("request_pin").status_code == 200


def test_the_script_gets_the_same_answer_as_data(page: Page) -> None:
    """Sentence, tone and waiting time; a mistake names its field; both tell how long the page lasts."""
    sent = page.press("request_pin", json=True).get_json()
    assert sent["tone"] == "good"
    assert sent["resend_in_seconds"] == 60
    wrong = page.press("request_pin", json=True, pan="12").get_json()
    assert wrong["field"] == "pan"
    assert wrong["message"] == WORDS["pan.length"].fa
    assert 0 < wrong["seconds_left"] <= sent["seconds_left"] <= 900


@pytest.mark.parametrize(
    ("answer", "seconds"),
    [
        (PinSent(), 60),
        (PinRefused(PinRefusal.TOO_SOON, 17), 17),
        (PinRefused(PinRefusal.NO_MOBILE), 0),
        (PinUnanswered("silent"), 0),
    ],
)
def test_the_button_waits_only_where_waiting_helps(page: Page, shop: Shop, answer: PinAnswer, seconds: int) -> None:
    """After a refusal the customer may ask again at once, with another card."""
    shop.harim.will(answer)
    assert page.press("request_pin", json=True).get_json()["resend_in_seconds"] == seconds


def test_a_refusal_says_why_and_how_many_tries_this_payment_has_left(page: Page, shop: Shop) -> None:
    """D18: the tries are the payment's own."""
    shop.switch.will(decline("117"))
    shown = words_of(page.press("pay"))
    assert WORDS["decline.card_or_code_wrong"].fa in shown
    assert WORDS["declined.title"].fa in shown
    assert "\u2066۴\u2069 بار دیگر" in shown
    assert WORDS["decline.card_or_code_wrong"].fa in words_of(page.look())


def test_above_the_ceiling_of_a_static_pin_the_page_names_it(page: Page, shop: Shop) -> None:
    """In other words than where a PIN was missing, at the PIN's field, and with the way out."""
    shop.switch.will(decline("186"), decline("112"))
    above, missing = page.press("pay"), page.press("pay")

    assert above.status_code == 422
    assert WORDS["decline.above_static_ceiling"].fa in words_of(above)
    assert "۱٬۰۰۰٬۰۰۰ ریال" in words_of(above)
    assert 'href="#pin"' in above.text
    assert WORDS["decline.pin_required"].fa in words_of(missing)


def test_after_the_last_try_only_the_way_back_is_offered(page: Page, shop: Shop) -> None:
    """No field asks for a card that could not be used."""
    shop.switch.will(*(decline("117") for _ in range(5)))
    answers = [page.press("pay") for _ in range(5)]
    assert WORDS["tries.none"].fa in words_of(answers[-1])
    assert 'name="pan"' not in answers[-1].text
    assert page.press("cancel").status_code == 303


def watches(text: str, path: str) -> bool:
    """Tell whether a page asks for news with a script, can be asked without, and never reloads itself."""
    asks = f'data-again="{SECONDS_UNTIL_NEWS}"' in text and f'href="{path}">{WORDS["refresh"].fa}</a>' in text
    return asks and "http-equiv" not in text


def test_an_unknown_outcome_waits_and_warns_against_paying_again(page: Page, shop: Shop) -> None:
    """D2, D8: nothing can be paid; the script asks for news, and without one there is a link to press (WCAG 2.2.1)."""
    shop.switch.will(lost)
    shown = page.client.get(page.press("pay").location)
    assert WORDS["unknown.title"].fa == "نتیجه هنوز معلوم نیست"
    assert WORDS["unknown.title"].fa in words_of(shown)
    (promised,) = shop.rows("SELECT to_char(decided_by AT TIME ZONE 'Asia/Tehran', 'HH24:MI') FROM payment")[0]
    assert f"تا ساعت {to_persian_digits(promised)} به وقت تهران" in words_of(shown)
    assert "<form" not in shown.text
    assert watches(shown.text, page.path)


def test_d36_past_the_promised_hour_the_page_says_so(page: Page, shop: Shop) -> None:
    """D36: a promise that was not kept is not repeated; paying again is still warned against."""
    shop.switch.will(lost)
    page.press("pay")
    shop.later(shop.gateway.settings.promise_seconds + 1)

    shown = page.look()
    assert WORDS["overdue.title"].fa in words_of(shown)
    assert "دوباره پرداخت نکنید" in words_of(shown)
    assert watches(shown.text, page.path)


def test_d8_a_reversal_past_its_time_says_who_settles_it_and_what_to_name(page: Page, shop: Shop) -> None:
    """D8: "you need do nothing" would be a promise of before; the way back is still looked for."""
    page.press("pay")
    shop.change("UPDATE payment SET state = 'disputed'")
    ((code,),) = shop.rows("SELECT tracking_code FROM payment")

    shown = page.look()

    assert WORDS["disputed.text"].fa in words_of(shown)
    assert WORDS["reversing.text"].fa not in words_of(shown)
    assert code in shown.text
    assert watches(shown.text, page.path)


def test_after_a_voided_attempt_the_customer_may_pay_again(page: Page, shop: Shop) -> None:
    """The card page says that the last attempt took nothing, in other words than after a decline (D2)."""
    shop.switch.will(lost)
    page.press("pay")
    shop.later(5)
    shop.work()
    shop.work()

    shown = page.look()
    assert shop.state(page.payment) is PaymentState.OPEN
    assert WORDS["attempt.voided"].fa in words_of(shown)
    assert 'name="pan"' in shown.text
    assert page.press("pay").status_code == 303
    assert shop.state(page.payment) is PaymentState.AUTHORISED


def test_d8_a_second_submission_meets_the_present_state(page: Page, shop: Shop) -> None:
    """Double click, back button or second tab: one debit, and both tabs end at the receipt."""
    proof = page.proof()
    first, second = page.press("pay", proof=proof), page.press("pay", proof=proof)
    assert {first.status_code, second.status_code} == {303}
    assert len(shop.switch.authorised) == 1


def test_cancelling_says_that_no_money_moved(page: Page, shop: Shop) -> None:
    """And offers the way back to the shop."""
    shown = words_of(page.client.get(page.press("cancel").location))
    assert shop.state(page.payment) is PaymentState.CANCELLED
    assert WORDS["cancelled.text"].fa in shown
    assert "http://localhost:8200/back?payment_id=" in shown


def test_a_page_past_its_time_says_so(page: Page, shop: Shop) -> None:
    """Whether or not the sweeper came by."""
    proof = page.proof()
    shop.later(1000)
    assert WORDS["expired.title"].fa in words_of(page.look())
    assert page.press("pay", proof=proof).status_code == 303
    shop.sweep()
    assert WORDS["expired.title"].fa in words_of(page.look())
    assert not shop.switch.authorised


def test_d29_a_page_is_extended_twice_and_keeps_what_was_typed(page: Page) -> None:
    """Five minutes each; the third time the button is gone and the answer says why."""
    assert f'value="{GROUPED}"' in page.press("extend").text
    last = page.press("extend")
    assert "\u2066۵\u2069 دقیقه به زمان" in words_of(last)
    assert 'value="extend"' not in last.text
    assert WORDS["extend.none"].fa in words_of(page.press("extend"))


def test_money_that_goes_back_is_told(page: Page, shop: Shop) -> None:
    """An unconfirmed payment is on its way back, then back."""
    page.press("pay")
    shop.later(1000)
    shop.sweep()
    going_back = page.look()
    assert WORDS["reversing.title"].fa in words_of(going_back)
    assert watches(going_back.text, page.path)
    shop.settle_down()
    back = page.look()
    assert WORDS["reversed.title"].fa in words_of(back)
    assert "data-again" not in back.text


def test_d40_a_form_of_another_page_is_refused_and_nothing_is_kept(page: Page, shop: Shop) -> None:
    """The proof is bound to the page token."""
    other = Page(page.client, shop.open())
    answer = page.press("pay", proof=other.proof())
    assert answer.status_code == 422
    assert WORDS["form.stale"].fa in words_of(answer)
    assert GROUPED not in answer.text
    assert not shop.switch.authorised


def test_an_unknown_page_is_a_page_too(client: FlaskClient) -> None:
    """Persian, with the status of a missing thing, for reading and sending alike."""
    answer = client.get("/pay/" + "x" * 32)
    assert answer.status_code == 404
    assert WORDS["missing.title"].fa in words_of(answer)


def test_d28_a_receipt_can_be_checked_by_anybody_and_tells_little(page: Page, shop: Shop) -> None:
    """Genuine, amount, time; no merchant, no card."""
    page.press("pay")
    (code,) = shop.rows("SELECT tracking_code FROM payment")[0]
    shown = page.client.get(f"/receipt/{code}")
    assert WORDS["check.title"].fa in words_of(shown)
    assert "9990 02" not in shown.text
    assert "کتاب‌سرای آزمون" not in shown.text
    assert page.client.get("/receipt/10000000000000").status_code == 404


def test_headers_allow_nothing_that_is_not_ours(page: Page) -> None:
    """D40: forms end here; no inline code, no framing, no storing, no referrer."""
    headers = page.look().headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self';")
    assert "form-action 'self';" in policy
    assert "require-trusted-types-for 'script'" in policy
    assert "unsafe" not in policy
    assert headers["Cache-Control"] == "no-store"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_browsers_that_come_over_tls_are_told_to_stay_with_it(page: Page, shop: Shop) -> None:
    """Wherever TLS ends: a proxy on another host calls us in clear."""
    settings = shop.gateway.settings.model_copy(update={"public_url": "https://pay.test"})
    secure = create_app(gateway=dataclasses.replace(shop.gateway, settings=settings)).test_client()
    assert "max-age=" in secure.get(page.path).headers["Strict-Transport-Security"]
    assert "Strict-Transport-Security" not in page.look().headers


def test_a_stale_form_of_a_script_makes_it_load_the_page_anew(page: Page) -> None:
    """Its proof is no good any more."""
    assert page.press("request_pin", json=True, proof="0").get_json()["reload"]


def test_a_payment_that_moved_on_reloads_the_page_of_a_script_that_asks(page: Page, shop: Shop) -> None:
    """Asking for a PIN in a second tab after paying in the first."""
    proof = page.proof()
    page.press("pay", proof=proof)
    assert page.press("request_pin", json=True, proof=proof).get_json() == {"reload": True}
    assert shop.state(page.payment) is PaymentState.AUTHORISED


def test_the_page_offers_as_much_time_as_an_extension_adds(page: Page, shop: Shop) -> None:
    """By the setting, on the button and in the answer; the QR code's name is in the customer's language too."""
    settings = shop.gateway.settings.model_copy(update={"extension_seconds": 600})
    page.client = create_app(gateway=dataclasses.replace(shop.gateway, settings=settings)).test_client()
    page.language = "en"
    shown = page.look().text

    assert WORDS["extend"].en.format(minutes=10) in shown
    assert 'alt="QR code"' in shown
    assert "\u206610\u2069 minutes were added" in page.press("extend").text


def test_looking_up_receipts_is_slowed_down_per_address(page: Page, shop: Shop) -> None:
    """D20: guessing codes meets a wait, and a genuine receipt is then not said to be none."""
    page.press("pay")
    ((code,),) = shop.rows("SELECT tracking_code FROM payment")
    answers = [page.client.get(f"/receipt/{number:014}").status_code for number in range(30)]
    genuine = page.client.get(f"/receipt/{code}")
    assert set(answers) == {404}
    assert genuine.status_code == 429
    assert WORDS["flooded.title"].fa in words_of(genuine)


def test_pages_hold_no_inline_script_or_style(page: Page) -> None:
    """The policy would stop them silently."""
    shown = page.look().text
    assert not re.search(r"<script(?![^>]*src=)|<style| style=| on\w+=", shown)
