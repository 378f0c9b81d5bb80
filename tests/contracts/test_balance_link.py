"""The gateway's switch and a bank's host about balances: one wire, DE 54 in one answer and in no other (D5, D37)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.outcome import Approved, Balance, Declined, Reversed, Unknown
from gateway.ports import Kind
from gateway.switch.iso8583 import Message
from gateway.switch.outcomes import outcome_of
from tests.contracts.test_iso8583_link import ORDER, Link
from tests.contracts.test_iso8583_link import link as link

FEE = 2_000
FREE = replace(ORDER, kind=Kind.BALANCE_INQUIRY, amount=Rial(0))
DEAR = replace(FREE, fee=Rial(FEE))
QUESTION = {
    3: "310000",
    4: "0" * 12,
    11: "000042",
    12: "261124143005",
    32: "581672",
    37: "632814000042",
    41: "T0000001",
}


def test_a_balance_crosses_the_wire_for_whoever_asked(link: Link) -> None:
    """Free of charge, with its approval; neither side's log has a digit of it."""
    link.issue(order=FREE)
    with capture_logs() as logs:
        told = link.client.authorise(link.issuer, link.request(order=FREE))

    assert isinstance(told, Approved)
    assert told.balance == Sensitive(Balance(Rial(link.balance())))
    assert told.approval_code
    assert str(link.balance()) not in repr(logs) + repr(told)


def test_d2_a_fee_is_taken_told_of_by_an_inquiry_and_given_back(link: Link) -> None:
    """The inquiry says what became of it and no balance; the reversal brings the fee back."""
    before = link.balance()
    link.issue(order=DEAR)
    request = link.request(order=DEAR)
    told = link.client.authorise(link.issuer, request)

    assert isinstance(told, Approved)
    assert told.balance == Sensitive(Balance(Rial(before - FEE)))
    assert link.client.inquire(link.issuer, link.inquiry(request)) == replace(told, balance=None)
    assert link.client.reverse(link.issuer, link.reversal(request)) == Reversed()
    assert link.balance() == before


def test_d5_no_code_serves_the_other_kind(link: Link) -> None:
    """A code for a purchase tells nothing; one for a balance pays nothing."""
    before = link.balance()
    link.issue()
    assert link.client.authorise(link.issuer, link.request(order=FREE)) == Declined("182")
    link.issue("135792", FREE)
    assert link.client.authorise(link.issuer, link.request(pin=Sensitive("135792"))) == Declined("182")
    assert link.balance() == before


@pytest.mark.parametrize(
    ("question", "answer", "means"),
    [
        ("310000", {54: "0002364C000000005000"}, Approved(balance=Sensitive(Balance(Rial(5_000))))),
        ("310000", {54: "0002364D000000005000"}, Approved(balance=Sensitive(Balance(Rial(5_000), overdrawn=True)))),
        ("310000", {}, Unknown("untold")),
        ("310000", {39: "121"}, Declined("121")),
        ("310000", {39: "909"}, Unknown("action code 909")),
        ("000000", {54: "0002364C000000005000"}, Approved()),
    ],
)
def test_d3_what_an_answer_about_a_balance_means(question: str, answer: dict[int, str], means: object) -> None:
    """An approval that tells nothing is no answer; a balance that nobody asked for is not read."""
    asked = QUESTION | {3: question}

    assert outcome_of(Message("1200", asked), Message("1210", {39: "000"} | asked | answer)) == means
