"""Every sentence exists in both languages and every result has one."""

from __future__ import annotations

import re

import pytest

from gateway.domain import errors
from gateway.domain.declines import DECLINES
from gateway.domain.payment import PaymentState
from gateway.ports import Kind, PinRefusal, PinRefused, PinSent, PinUnanswered
from gateway.web.outcomes import _KINDS, ERRORS, pin_message, refusal_messages
from gateway.web.wording import WORDS, say

PLACEHOLDER = re.compile(r"{(\w+)}")


@pytest.mark.parametrize("key", WORDS)
def test_both_languages_say_the_same(key: str) -> None:
    """No language is missing and both carry the same values."""
    words = WORDS[key]
    assert words.fa
    assert words.en
    assert set(PLACEHOLDER.findall(words.fa)) == set(PLACEHOLDER.findall(words.en))


def test_persian_is_written_with_persian_letters_and_digits() -> None:
    """No Arabic yeh or kaf, no Latin digit outside a name such as CVV2."""
    for key, words in WORDS.items():
        assert not set(words.fa) & set("يك٤٥٦"), key
        assert not re.search(r"[0-9]", words.fa.replace("CVV2", "")), key


@pytest.mark.parametrize("code", DECLINES)
def test_every_decline_has_a_sentence_and_tells_the_tries_left(code: str) -> None:
    """The table of declines and the wording agree."""
    for message in (*refusal_messages(DECLINES[code], 2), *refusal_messages(DECLINES[code], 0)):
        assert say(message.key, "fa", **message.values)


def test_d18_wrong_card_data_and_wrong_code_read_the_same() -> None:
    """Which part was wrong is no customer's and no thief's to learn."""
    sentences = {refusal_messages(DECLINES[code], 2) == refusal_messages(DECLINES["117"], 2) for code in ("101", "111")}
    assert sentences == {True}


@pytest.mark.parametrize("reason", PinRefusal)
def test_every_refusal_of_a_pin_has_a_sentence(reason: PinRefusal) -> None:
    """The issuer's reasons and the wording agree."""
    message = pin_message(PinRefused(reason, 30))
    assert say(message.key, "en", **message.values)


def test_d19_the_page_says_no_more_than_the_issuer_disclosed() -> None:
    """An accepted unproven request names neither a mobile nor a time."""
    assert pin_message(PinSent()).key == "pin.accepted"
    assert pin_message(PinSent(expires_in_seconds=120)).key == "pin.sent"
    proven = pin_message(PinSent(expires_in_seconds=120, mobile_last_two="67"))
    assert proven.values == {"tail": "67", "seconds": 120}
    assert pin_message(PinSent(already_sent=True)).key == "pin.already_sent"
    assert pin_message(PinUnanswered("silent")).tone == "warn"


def test_every_state_has_a_page_and_every_error_its_words() -> None:
    """Nothing that can happen ends in a bare error."""
    assert set(_KINDS) == set(PaymentState)
    for kind in (
        "waiting",
        "unknown",
        "overdue",
        "receipt",
        "cancelled",
        "expired",
        "reversing",
        "disputed",
        "reversed",
        "missing",
    ):
        assert f"{kind}.title" in WORDS
    for error, (message, _) in ERRORS.items():
        assert issubclass(error, errors.GatewayError)
        assert message.key in WORDS


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind is not Kind.PURCHASE])
@pytest.mark.parametrize("key", ["tries.none", "cancel", "return", "cancelled.text", "expired.text"])
def test_what_no_shop_began_leads_to_no_shop(kind: Kind, key: str) -> None:
    """Bills, transfers, top-ups and balances have sentences of their own where a purchase speaks of its shop."""
    own = WORDS[f"{key}@{kind}"]
    assert "فروشگاه" not in own.fa
    assert "shop" not in own.en
