"""The money rules that need no database: ledger, issuers, limits, references, fees, declines, card entries."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain import limits, references
from gateway.domain.card import CardEntry
from gateway.domain.declines import DECLINES, answer_of
from gateway.domain.errors import InvalidAmount, InvalidCallback, InvalidCard, InvalidText
from gateway.domain.fees import PURCHASE_FEES, FeeRow, purchase_fee
from gateway.domain.issuers import REAL_BANKS, IssuerDirectory, is_sandbox_card, real_bank_of
from gateway.domain.ledger import PLANS, balances, inverse, postings
from gateway.domain.outcome import Approved, Declined, Unknown
from gateway.domain.payment import PaymentEvent
from tests.fakes.shop import PAN

AMOUNTS = st.integers(min_value=1, max_value=10**12).map(Rial)
FEES = st.integers(min_value=0, max_value=10**6).map(Rial)


@given(AMOUNTS, FEES, st.sampled_from(sorted(PLANS)))
def test_i1_every_plan_sums_to_zero_and_its_inverse_undoes_it(amount: Rial, fee: Rial, event: PaymentEvent) -> None:
    """I1: balanced by shape, and back to nothing."""
    rows = postings(event, amount=amount, fee=fee, issuer="two", merchant="m", payee="one")

    assert all(row.amount for row in rows)
    assert sum(balances(rows).values()) == 0
    assert set(balances([*rows, *inverse(rows)]).values()) <= {0}


@given(AMOUNTS, FEES)
def test_i3_a_confirmed_payment_leaves_nothing_pending(amount: Rial, fee: Rial) -> None:
    """I3: what the issuer owes is what the merchant and the fee account have."""
    events = (PaymentEvent.ATTEMPT_APPROVED, PaymentEvent.PAYEE_CONFIRMED)
    rows = [row for event in events for row in postings(event, amount=amount, fee=fee, issuer="two", merchant="m")]

    found = balances(rows)
    assert found["pending:m"] == 0
    assert found["issuer:two"] == -(amount + fee).amount
    assert found["payable:m"] + found.get("fees", 0) == (amount + fee).amount


def test_an_event_without_a_plan_moves_nothing() -> None:
    """Cancelling costs nothing."""
    event = PaymentEvent.CUSTOMER_CANCELLED
    assert postings(event, amount=Rial(1), fee=Rial(0), issuer="two", merchant="m") == ()


def test_the_longest_bin_wins() -> None:
    """Blu inside Saman."""
    assert real_bank_of("6219861834529007").name_en == "Blu"  # type: ignore[union-attr]  # where it is none the test fails
    assert real_bank_of("6219861034529007").name_en == "Saman"  # type: ignore[union-attr]  # where it is none the test fails
    assert real_bank_of(PAN) is None
    assert IssuerDirectory.of([("999002", 1), ("99900201", 2)]).find("9990020100000000") == 2


def test_every_bin_has_one_bank_and_none_is_a_sandbox_bin() -> None:
    """The table can be proof-read: six or eight digits, no doubles, nothing of ours."""
    prefixes = [prefix for prefix, _ in REAL_BANKS.items()]
    assert all(re.fullmatch(r"[0-9]{6}([0-9]{2})?", prefix) for prefix in prefixes)
    assert len(prefixes) > 50
    assert not any(is_sandbox_card(prefix.ljust(16, "0")) for prefix in prefixes)
    assert is_sandbox_card(PAN)


@given(st.integers(min_value=0, max_value=2_000_000_000).map(Rial))
def test_amounts_outside_the_limits_are_refused(amount: Rial) -> None:
    """The limits are the table's."""
    if limits.PURCHASE_LEAST <= amount <= limits.PURCHASE_MOST:
        assert limits.check_amount(amount) == amount
    else:
        with pytest.raises(InvalidAmount):
            limits.check_amount(amount)


@pytest.mark.parametrize("url", ["http://shop.ir/back", "https://pay.shop.ir:8443/back?x=1", "https://SHOP.ir"])
def test_a_callback_is_on_the_merchants_site(url: str) -> None:
    """The registered host or one below it."""
    assert limits.check_callback(url, site="https://shop.ir", https_only=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop.ir/back",
        "ftp://shop.ir/",
        "javascript://shop.ir/%0aalert(1)",
        "https://evil-shop.ir/",
        "https://shop.ir.evil.example/",
        "https://shop.ir@evil.example/",
        "https://user@shop.ir/",
        "https://shop.ir/#x",
        "https://shop.ir\\@evil.example/",
        "https://shop.ir/ x",
        "https://shop.ir/\n",
        "https://shop.ir:0/",
        "https://shop.ir:99999/",
        "https://[shop.ir/",
        "https://shop.ir/سلام",
        "https://shop.ir/" + "x" * 1_024,
    ],
)
def test_a_callback_elsewhere_is_refused(url: str) -> None:
    """No open redirect, no confusion of parsers."""
    with pytest.raises(InvalidCallback):
        limits.check_callback(url, site="shop.ir", https_only=False)


def test_live_callbacks_are_https_and_a_merchant_without_site_has_none() -> None:
    """Plain http is for sandboxes."""
    with pytest.raises(InvalidCallback):
        limits.check_callback("http://shop.ir/", site="shop.ir", https_only=True)
    with pytest.raises(InvalidCallback):
        limits.check_callback("https://shop.ir/", site="", https_only=True)


@pytest.mark.parametrize("name", ["کتاب سرا", "Shop 7", "نان‌وایی", "ا" * 20])
def test_d25_a_payee_name_fit_for_an_sms(name: str) -> None:
    """D25: letters, spaces, single digits."""
    assert limits.check_payee_name(name) == name


@pytest.mark.parametrize(
    "name", ["", " ", "ا" * 21, "shop.ir", "a@b", "x 12", "کد ۱۲", "a_b", "a|b", "a=b", "a\nb", "a/b", "#1"]
)
def test_d25_a_payee_name_that_could_pass_for_code_or_link_is_refused(name: str) -> None:
    """D25: nothing like a code, a link or a field separator."""
    with pytest.raises(InvalidText):
        limits.check_payee_name(name)


def test_descriptions_and_mobiles_have_a_shape() -> None:
    """None is fine, nonsense is not."""
    assert limits.check_description(None) is None
    assert limits.check_description("کتاب‌ها") == "کتاب‌ها"
    assert limits.check_mobile(None) is None
    assert limits.check_mobile("09121234567") == "09121234567"
    for wrong in ("x" * 121, "a\nb", "a\u202eb"):
        with pytest.raises(InvalidText):
            limits.check_description(wrong)
    with pytest.raises(InvalidText):
        limits.check_mobile("+989121234567")


def test_references_have_the_shapes_that_others_rely_on() -> None:
    """D28: at least twelve random digits; D9b: sixteen of A–Z 2–7."""
    assert re.fullmatch(r"pay_[0-9A-Za-z]{20}", references.new_payment_id())
    assert re.fullmatch(r"att_[0-9A-Za-z]{20}", references.new_attempt_id())
    assert re.fullmatch(r"[0-9A-Za-z]{32}", references.new_page_token())
    assert re.fullmatch(r"[A-Z2-7]{16}", references.new_reference())
    assert re.fullmatch(r"[1-9][0-9]{13}", references.new_tracking_code())
    assert references.new_tracking_code(lambda _: 0) == "10000000000000"
    assert references.mode_of_secret_key(references.new_secret_key("test")) == "test"
    assert references.mode_of_secret_key("sk_test_short") is None
    assert references.is_order_id("A-1._z")
    assert not references.is_order_id("سفارش")


def test_fees_are_dated() -> None:
    """The row in force on the day, nothing before the first."""
    table = (FeeRow(dt.date(2026, 1, 1), Rial(500)), FeeRow(dt.date(2027, 1, 1), Rial(700)))
    assert purchase_fee(dt.date(2026, 6, 1), table) == Rial(500)
    assert purchase_fee(dt.date(2027, 1, 1), table) == Rial(700)
    assert purchase_fee(dt.date(2025, 1, 1), table) == Rial(0)
    assert purchase_fee(dt.date(2026, 6, 1), PURCHASE_FEES) == Rial(0)


def test_d3_only_000_is_approved_listed_codes_are_declined_the_rest_is_unknown() -> None:
    """D3: over all thousand codes; 909, 911, 923 and 999 are unknown."""
    answers = {f"{code:03d}": answer_of(f"{code:03d}") for code in range(1_000)}

    assert [code for code, answer in answers.items() if isinstance(answer, Approved)] == ["000"]
    assert {code for code, answer in answers.items() if isinstance(answer, Declined)} == set(DECLINES)
    for code in ("909", "911", "923", "999", "914", "001"):
        assert isinstance(answers[code], Unknown)
    assert answer_of("000", approval_code="A1", capture_date="0903") == Approved("A1", "0903")


def test_d18_wrong_card_data_and_wrong_code_are_one_reason() -> None:
    """D18: no oracle for card data."""
    assert {DECLINES[code].reason for code in ("101", "111", "117", "118", "122", "126", "129")} == {
        "card_or_code_wrong"
    }


@pytest.mark.parametrize(
    ("part", "value"),
    [("cvv2", "12"), ("cvv2", "۱۲۳"), ("expiry", "0813"), ("expiry", "812"), ("pin", "123"), ("pin", "1" * 13)],
)
def test_a_card_entry_of_the_wrong_shape_names_its_part_only(part: str, value: str) -> None:
    """The message never holds what was typed."""
    with pytest.raises(InvalidCard) as refused:
        CardEntry(Pan.parse(PAN), **{part: Sensitive(value)})
    assert refused.value.part == part
    assert value not in str(refused.value)


def test_a_card_entry_says_what_is_missing() -> None:
    """PAN alone is enough for asking, not for paying."""
    assert CardEntry(Pan.parse(PAN)).missing() == ("cvv2", "expiry", "pin")
