"""Messages about the app: derived and written as they are sent, dropped when late, retried, refused (D23, D25)."""

from __future__ import annotations

from typing import Any

import pytest

from otp.domain.activation import Channel
from otp.ports import SmsRefused, SmsUnanswered
from otp.services.deliver import end_activations
from otp.services.issue_activation import Wanted, issue_activation
from tests.otp.ramznegar import Counter, counter, make_counter
from tests.otp.test_deliver import tick

__all__ = ["counter", "make_counter"]

NOTICE = (
    "INSERT INTO outbox (topic, payload) "
    "SELECT 'sms.notice', jsonb_build_object('card_id', card_id, 'kind', 'card_added') FROM card"
)


def test_d25_an_activations_message_goes_to_the_number_on_file(counter: Counter) -> None:
    """It names bank and card, and the part in it is the one that the bank will know."""
    activation_id, typed = counter.slip(counter.card(mobile="09351112233"))

    (message,) = counter.here.phone.sent
    assert message.mobile.reveal() == "09351112233"
    lines = message.text.reveal().splitlines()
    assert lines[0] == "بانک نمونه"
    assert lines[2].replace("-", "") == typed[8:]
    assert counter.app().activate(activation_id, typed)[0] == 200


@pytest.mark.parametrize("over", ["used", "late"])
def test_d25_a_code_that_is_over_is_not_sent(counter: Counter, over: str) -> None:
    """Decided or past its life by the time the worker comes to it: dropped, and counted so."""
    issue_activation(counter.here.bank, Wanted(counter.card(), Channel.ATM))
    if over == "late":
        counter.later(86_401)
    else:
        counter.here.sql("UPDATE activation SET state = 'superseded', decided_at = house_now()")

    tick(counter.here)

    assert counter.here.phone.sent == []
    assert counter.here.sql("SELECT done_at IS NOT NULL AS done FROM outbox") == [{"done": True}]


@pytest.mark.parametrize(("answer", "column"), [(SmsRefused("no"), "dead_at"), (SmsUnanswered("silent"), "due_at")])
def test_d25_a_message_that_does_not_go_out_is_tried_or_shown(counter: Counter, answer: Any, column: str) -> None:
    """A refused one is dead, an unanswered one waits and is then the same."""
    issue_activation(counter.here.bank, Wanted(counter.card(), Channel.ATM))
    counter.here.phone.answers = [answer]

    tick(counter.here)

    (row,) = counter.here.sql("SELECT dead_at, due_at, last_error FROM outbox")
    assert row["last_error"] in {"no", "silent"}
    assert row[column] is not None
    assert counter.here.phone.sent == []


def test_a_notice_goes_to_the_holder_where_a_mobile_is_known(counter: Counter) -> None:
    """A card without one is not told, and its job is done."""
    counter.card()
    counter.card(mobile=None)
    counter.here.sql(NOTICE)

    tick(counter.here)

    assert len(counter.here.phone.sent) == 1
    assert counter.here.sql("SELECT count(*) AS n FROM outbox WHERE done_at IS NOT NULL") == [{"n": 2}]


def test_d33_the_sweeper_ends_codes_past_their_life(counter: Counter) -> None:
    """By the bank's clock; those that live stay."""
    counter.slip(counter.card())
    counter.later(86_401)
    counter.slip(counter.card())

    end_activations(counter.here.bank)

    assert counter.state("activation") == ["expired", "issued"]
