"""What a code is made of and limited by: machine, binding, code, message, limits (D4, D5, D18, D19, D25)."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from dataclasses import replace
from typing import Any

import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.machine import IllegalTransition
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.answers import ANSWERS, Code, body
from otp.domain.binding import Binding, TransactionType, check_binding, parse_canonical, payee_name_allowed
from otp.domain.card import check_expiry, mobile_place, normalise_mobile, pan_place
from otp.domain.challenge import BY_CLOCK, CHALLENGE, ChallengeEvent, ChallengeState
from otp.domain.code import derive_code, mac_input, truncated
from otp.domain.errors import InvalidBinding, InvalidExpiry, InvalidHolderName, InvalidMobile
from otp.domain.fees import FeeRow, fee_ceiling
from otp.domain.holder import check_holder_name
from otp.domain.message import TYPE_WORDS, CodeMessage, code_text, code_values, last_try_text
from otp.domain.quotas import Holder, Span, budget_scopes, charges, default_limits, wrong_charges

NOW = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
KEY = Sensitive(bytes(range(32)))
NONCE = bytes(16)
HEX = "ab" * 32
BINDING = Binding(
    type=TransactionType.PURCHASE,
    amount=Rial(250_000),
    fee=Rial(0),
    acquirer_id="581672061",
    merchant_id="000000000012345",
    terminal_id="00012345",
    payee_name="فروشگاه نمونه",
    payee_key="",
    transaction_ref="K5QW2ZT7M4XRA6PB",
)


def test_the_challenge_table_is_complete() -> None:
    """Every state and event is used, every state is reached, and the clock can end those that go on."""
    assert CHALLENGE.states() == CHALLENGE.reachable() == set(ChallengeState)
    assert {row.event for row in CHALLENGE.transitions} == set(ChallengeEvent)
    assert CHALLENGE.terminal() == set(ChallengeState) - {ChallengeState.ISSUED, ChallengeState.VERIFIED}
    for state in CHALLENGE.states() - CHALLENGE.terminal():
        assert any(CHALLENGE.next(state, event) in CHALLENGE.terminal() for event in BY_CLOCK)


@pytest.mark.parametrize("state", sorted(CHALLENGE.terminal()))
@pytest.mark.parametrize("event", list(ChallengeEvent))
def test_d4_nothing_leads_out_of_a_decided_challenge(state: ChallengeState, event: ChallengeEvent) -> None:
    """A consumed, locked, expired or superseded challenge stays so."""
    with pytest.raises(IllegalTransition):
        CHALLENGE.next(state, event)


OTHER: dict[str, Any] = {
    "type": TransactionType.TOP_UP,
    "amount": Rial(250_001),
    "fee": Rial(1),
    "acquirer_id": "581672062",
    "merchant_id": "000000000012346",
    "terminal_id": "00012346",
    "payee_name": "فروشگاه دیگر",
    "payee_key": HEX,
    "transaction_ref": "K5QW2ZT7M4XRA6PC",
}


@pytest.mark.parametrize("field", sorted(OTHER))
def test_d5_every_field_changes_text_digest_and_code(field: str) -> None:
    """A code is specific to all nine facts."""
    other = replace(BINDING, **{field: OTHER[field]})

    assert other.canonical() != BINDING.canonical()
    assert other.digest() != BINDING.digest()
    codes = {derive_code(KEY, NONCE, each.canonical(), 8).reveal() for each in (BINDING, other)}
    assert len(codes) == 2
    assert parse_canonical(other.canonical()) == other


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("acquirer_id", "58167"),
        ("merchant_id", ""),
        ("merchant_id", "1234|5"),
        ("terminal_id", "123456789"),
        ("transaction_ref", "k5qw2zt7m4xra6pb"),
        ("payee_name", ""),
        ("payee_key", HEX),
        ("amount", Rial(0)),
        ("amount", Rial(1_000_000_000_000)),
    ],
)
def test_d6_what_no_code_can_be_bound_to_is_named(field: str, value: Any) -> None:
    """The first wrong field is said by name."""
    with pytest.raises(InvalidBinding) as caught:
        check_binding(replace(BINDING, **{field: value}))

    assert caught.value.field == field


def test_d5_a_transfer_needs_a_payee_key_and_a_balance_inquiry_no_amount() -> None:
    """What each type must carry."""
    check_binding(BINDING)
    check_binding(replace(BINDING, type=TransactionType.CARD_TRANSFER, payee_key=HEX))
    check_binding(replace(BINDING, type=TransactionType.BALANCE_INQUIRY, amount=Rial(0)))
    for wrong in (
        replace(BINDING, type=TransactionType.BILL_PAYMENT),
        replace(BINDING, type=TransactionType.BILL_PAYMENT, payee_key=HEX.upper()),
        replace(BINDING, type=TransactionType.BALANCE_INQUIRY),
    ):
        with pytest.raises(InvalidBinding):
            check_binding(wrong)


@pytest.mark.parametrize("name", ["فروشگاه نمونه", "shop 2", "کافه‌گپ", "a1b2", "۱ فروشگاه", "x" * 20])
def test_d25_names_of_letters_spaces_and_single_digits_are_shown(name: str) -> None:
    """A name as the acquirer's registry has it."""
    assert payee_name_allowed(name)


@pytest.mark.parametrize(
    "name",
    ["", " x", "x ", "x" * 21, "a@b", "a#1", "a/b", "a:b", "a|b", "a=b", "a\nb",
     "shop 12", "۱۲", "1۲", "a\u202eb", "😀", "e\u0301"],
)  # fmt: skip
def test_d25_names_that_could_pass_for_a_code_or_a_link_are_not(name: str) -> None:
    """Nothing in a payee's name may be taken for something else in the message."""
    assert not payee_name_allowed(name)


@given(st.text(max_size=30))
def test_d25_an_allowed_name_never_breaks_the_canonical_text(name: str) -> None:
    """Whatever is allowed keeps the text one line of nine fields that can be read back."""
    if payee_name_allowed(name):
        binding = replace(BINDING, payee_name=name)
        assert parse_canonical(binding.canonical()) == binding


@pytest.mark.parametrize("digits", [5, 6, 7, 8])
def test_d5_a_code_is_the_same_again_from_nonce_and_binding(digits: int) -> None:
    """A resend derives the same digits; another nonce gives others."""
    first, again = (derive_code(KEY, NONCE, BINDING.canonical(), digits).reveal() for _ in range(2))

    assert first == again
    assert len(first) == digits
    assert first.isdigit()
    assert (
        derive_code(KEY, bytes(15) + b"\x01", BINDING.canonical(), 8).reveal()
        != derive_code(KEY, NONCE, BINDING.canonical(), 8).reveal()
    )


@given(st.binary(min_size=32, max_size=32), st.integers(6, 10))
def test_d5_our_own_truncation_is_pyotps(key: bytes, digits: int) -> None:
    """Five digits are not in pyotp; where both can, both say the same (RFC 4226 §5.3)."""
    hotp = pyotp.HOTP(base64.b32encode(key).decode(), digits=digits, digest=hashlib.sha256)

    assert truncated(key, digits) == hotp.at(0)


@pytest.mark.parametrize(("digits", "nonce"), [(4, NONCE), (9, NONCE), (7, bytes(15))])
def test_d5_other_lengths_are_refused(digits: int, nonce: bytes) -> None:
    """Five to eight digits, sixteen bytes."""
    with pytest.raises(ValueError, match="5 to 8 digits"):
        derive_code(KEY, nonce, "v1", digits)


def test_d5_a_code_is_found_by_card_and_digits() -> None:
    """The same digits on another card are another MAC."""
    assert mac_input(b"a" * 32, "1234567") == b"a" * 32 + b"1234567"


def message(**changes: Any) -> CodeMessage:
    """Make a message about a purchase with a fee."""
    values: dict[str, Any] = {
        "bank_name": "بانک نمونه",
        "type": "PURCHASE",
        "amount": Rial(1_250_000),
        "fee": Rial(5_000),
        "payee_name": "فروشگاه نمونه",
        "expires_at": NOW,
        "webotp_host": "pay.example",
    }
    return CodeMessage(**{**values, **changes})


def test_d25_a_transfers_text_shows_the_destinations_last_four_digits() -> None:
    """The holder compares them with the card that is meant; a name of another shape is shown as it is."""
    sent = replace(message(), type="CARD_TRANSFER", payee_name="کارت 4 7 1 9")
    other = replace(sent, payee_name="کارت مقصد")

    assert "به کارت: 4719" in code_text(sent, Sensitive("1234567")).reveal().split("\n")
    assert "به کارت: کارت مقصد" in code_text(other, Sensitive("1234567")).reveal().split("\n")
    assert code_values(sent, Sensitive("1234567"))["payee"].reveal() == "4719"


@pytest.mark.parametrize("name", ["", "مریم 2", "a b c d e", "=", "م" * 61])
def test_d28_what_is_no_name_is_no_holders(name: str) -> None:
    """One to four words of letters."""
    with pytest.raises(InvalidHolderName):
        check_holder_name(name)


def test_d28_a_holders_name_keeps_single_spaces() -> None:
    """As it is printed on the card."""
    assert check_holder_name("  سید\u200cعلی   O'Neil ") == "سید\u200cعلی O'Neil"


def test_d25_the_text_says_what_the_code_is_for() -> None:
    """Bank, type, payee, total, fee, code, end of life in Tehran, warning, line for phones: in this order."""
    lines = code_text(message(), Sensitive("1234567")).reveal().split("\n")

    assert lines == [
        "بانک نمونه",
        "خرید",
        "پذیرنده: فروشگاه نمونه",
        "مبلغ: 1,255,000 ریال",
        "کارمزد: 5,000 ریال",
        "رمز پویا: 1234567",
        "اعتبار تا 15:30:00",
        "این رمز را به هیچ‌کس نگویید.",
        "@pay.example #1234567",
    ]


def test_d25_lines_without_content_are_left_out() -> None:
    """No amount, no fee, no allowed host: no such lines."""
    text = code_text(
        message(amount=Rial(0), fee=Rial(0), webotp_host=None, type="BALANCE_INQUIRY"), Sensitive("1")
    ).reveal()

    assert "مبلغ" not in text
    assert "کارمزد" not in text
    assert "@" not in text
    assert set(TYPE_WORDS) == set(TransactionType)


def test_d18_the_warning_shows_four_digits_only() -> None:
    """The holder learns which card it is about."""
    assert "*1234" in last_try_text("بانک نمونه", "1234").reveal()


@pytest.mark.parametrize(
    "typed", ["09121234567", "+98 912 123 4567", "00989121234567", "9121234567", "۰۹۱۲-۱۲۳-۴۵۶۷", "98912 1234567"]
)
def test_mobile_numbers_are_written_one_way(typed: str) -> None:
    """However it was typed, one number is one phone."""
    assert normalise_mobile(typed) == "09121234567"


@pytest.mark.parametrize("typed", ["", "02112345678", "0912123456", "091212345678", "0912123456a"])
def test_other_numbers_are_refused(typed: str) -> None:
    """Landlines and typing slips are no mobile numbers."""
    with pytest.raises(InvalidMobile):
        normalise_mobile(typed)


def test_an_expiry_is_four_digits_with_a_month() -> None:
    """YYMM, and nothing else."""
    assert check_expiry("0812") == "0812"
    for wrong in ("0813", "081", "08/12"):
        with pytest.raises(InvalidExpiry):
            check_expiry(wrong)


def test_sealed_values_have_places_of_their_own() -> None:
    """A PAN cannot be opened as a mobile, nor in another row."""
    places = {pan_place(b"a"), pan_place(b"b"), mobile_place(b"a"), mobile_place(b"b")}

    assert len(places) == 4


def test_d5_the_fee_table_is_dated() -> None:
    """The row that is in force decides; before the first one the type is not served."""
    table = (
        FeeRow("PURCHASE", dt.date(2026, 1, 1), Rial(10)),
        FeeRow("PURCHASE", dt.date(2026, 6, 1), Rial(20)),
    )

    any_amount = Rial(90_000_000)

    assert fee_ceiling("PURCHASE", dt.date(2025, 12, 31), any_amount, table) is None
    assert fee_ceiling("PURCHASE", dt.date(2026, 5, 31), any_amount, table) == Rial(10)
    assert fee_ceiling("PURCHASE", dt.date(2026, 6, 1), any_amount, table) == Rial(20)
    assert fee_ceiling("TOP_UP", dt.date(2026, 6, 1), any_amount, table) is None


@pytest.mark.parametrize(
    ("millions", "rial"), [(10, 7_200), (20, 10_000), (50, 18_400), (100, 32_400), (150, 46_400), (11, 10_000)]
)
def test_d5_a_transfers_fee_grows_with_each_started_ten_million(millions: int, rial: int) -> None:
    """The tariff of 1402-03-21 as it was published; the one before it in its own time."""
    amount = Rial(millions * 1_000_000)

    assert fee_ceiling("CARD_TRANSFER", dt.date(2026, 1, 1), amount) == Rial(rial)
    assert fee_ceiling("CARD_TRANSFER", dt.date(2022, 1, 1), Rial(50_000_000)) == Rial(15_600)
    assert fee_ceiling("CARD_TRANSFER", dt.date(2020, 1, 1), amount) is None


NAMES = {Holder.CARD: "c", Holder.MOBILE: "m", Holder.TERMINAL: "t", Holder.PSP: "p", Holder.BANK: "sms"}


def test_d19_proven_and_unproven_requests_share_no_row() -> None:
    """A stranger cannot count on what belongs to the holder."""
    limits = default_limits(terminal_per_hour=100, psp_per_hour=1_600, sms_per_day=3_200)
    rows = {proven: charges(limits, NAMES, proven=proven, shard=5) for proven in (True, False)}

    assert {row.scope for row in rows[True]}.isdisjoint(row.scope for row in rows[False])
    for each in rows.values():
        assert list(each) == sorted(each, key=lambda row: row.scope)
    most = {row.scope: row.most for row in rows[False]}
    assert most["card|unproven|hour|c"] == 3
    assert most["card|unproven|day|c"] == 5
    assert most["terminal|unproven|hour|t"] == 10
    assert {row.span for row in rows[True]} == set(Span)


def test_d20_a_row_that_everybody_counts_on_is_split_and_keeps_its_sum() -> None:
    """Sixteen parts of a PSP's limit together are never more than the limit."""
    limits = default_limits(terminal_per_hour=100, psp_per_hour=1_600, sms_per_day=3_200)
    rows = [row for shard in range(256) for row in charges(limits, NAMES, proven=True, shard=shard)]
    psp = {row.scope: row.most for row in rows if row.scope.startswith("psp|")}

    assert len(psp) == 16
    assert sum(psp.values()) == 1_600


@pytest.mark.parametrize("per_day", [16, 3_200])
@pytest.mark.parametrize("proof", ["proven", "unproven"])
def test_d20_every_row_of_the_banks_budget_has_a_known_name(proof: str, per_day: int) -> None:
    """What reads how much of it is used misses no part, whether it is split or not."""
    limits = default_limits(terminal_per_hour=100, psp_per_hour=1_600, sms_per_day=per_day)
    rows = [row for shard in range(256) for row in charges(limits, NAMES, proven=proof == "proven", shard=shard)]

    assert {row.scope for row in rows if row.scope.startswith("bank|")} <= set(budget_scopes(proof))


@pytest.mark.parametrize(("per_hour", "parts"), [(3_000, [750] * 4), (160, [53] * 3), (99, [99]), (2, [2]), (1, [1])])
def test_d20_a_busy_terminals_row_is_split_and_a_small_limit_is_not(per_hour: int, parts: list[int]) -> None:
    """Never more than the limit together, and never a part that a few cards fill."""
    limits = default_limits(terminal_per_hour=per_hour, psp_per_hour=1_600, sms_per_day=3_200)
    rows = {row.scope: row.most for shard in range(256) for row in charges(limits, NAMES, proven=True, shard=shard)}
    terminal = [most for scope, most in rows.items() if scope.startswith("terminal|")]

    assert terminal == parts
    assert sum(terminal) <= per_hour


def test_d20_wrong_tries_count_apart_from_requests_at_their_terminal_and_in_checks_on_their_psp() -> None:
    """In the order in which rows are locked, each split as those of requests are."""
    most = {"terminal_per_hour": 1_000, "psp_per_hour": 1_600}
    rows = wrong_charges("581672/T1", "pooya", **most, shard=5)

    assert [(row.scope, row.most) for row in rows] == [
        ("psp|wrong|hour|pooya|5", 100),
        ("terminal|wrong|hour|581672/T1|1", 250),
    ]
    assert wrong_charges("581672/T1", None, **most, shard=5) == rows[1:]


def test_every_code_has_an_answer_and_a_sentence_in_both_languages() -> None:
    """The table is complete, and details without a value are left out."""
    assert set(ANSWERS) == set(Code)
    assert all(answer.fa and answer.en for answer in ANSWERS.values())
    written = body(Code.STALE, "id", retry_after_seconds=None, field="x")
    assert written == {
        "request_id": "id",
        "code": "STALE",
        "message": {"fa": ANSWERS[Code.STALE].fa, "en": ANSWERS[Code.STALE].en},
        "field": "x",
    }
