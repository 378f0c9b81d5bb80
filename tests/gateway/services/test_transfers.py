"""Card to card: both legs or neither, whatever is lost on the way, and who may send what to whom (D5, D7, D28)."""

from __future__ import annotations

import dataclasses

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from gateway.domain.errors import NotPossible, UnknownIssuer
from gateway.domain.outcome import Approved, Declined, HolderRefused, Unknown
from gateway.domain.payment import PaymentState
from gateway.domain.transfer_errors import (
    HolderNameOld,
    InvalidDestination,
    OtherSourceCard,
    TooManyHolderQuestions,
)
from gateway.ports import Kind, PinSent, Route
from gateway.services import sweep
from gateway.services.authorise import Checking, Paid, Refused
from gateway.services.confirm import confirm
from gateway.services.open_payment import PaymentRecord
from gateway.services.payee import Sending
from gateway.services.request_pin import request_pin
from gateway.services.reverse import reverse
from gateway.services.show_page import page_of
from gateway.services.transfers import open_own, own_terminal
from tests.fakes.shop import MERCHANT, PAN, Shop, card
from tests.fakes.switch import debit_but_silent, decline, lost

FAR = with_check_digit("999001000000471")
NEAR = with_check_digit("999002000000471")
OTHER = with_check_digit("999002000000999")
AMOUNT, FEE = 20_000_000, 10_000
CREDIT = "switch.credit"


def opened(
    town: Shop, destination: str = FAR, amount: int = AMOUNT, *, source: str = PAN, answered: bool = False
) -> PaymentRecord:
    """Open a transfer on the gateway's own page, under the shop's terminal."""
    settings = town.gateway.settings.model_copy(update={"transfer_terminal_id": MERCHANT.terminal_id})
    gateway = dataclasses.replace(town.gateway, settings=settings)
    return open_own(gateway, Sending(Pan.parse(source), Pan.parse(destination), Rial(amount), answered))


def legs(town: Shop) -> list[tuple[str, bool]]:
    """Return where the credits stand, and whether the destination is still known."""
    return [tuple(row) for row in town.rows("SELECT credit, destination_sealed IS NOT NULL FROM transfer")]


def test_d7_between_two_banks_the_debit_comes_first_and_the_credit_completes_it(town: Shop) -> None:
    """The page waits in between; the fee is the sender's and stays; the destination's number is forgotten."""
    payment = opened(town)
    assert town.send(payment) == Paid()
    assert town.state(payment) is PaymentState.AUTHORISED
    assert legs(town) == [("owed", True)]
    assert town.balances() == {"issuer:two": -AMOUNT - FEE, "transfer-clearing": AMOUNT, "fees": FEE}

    town.work()

    assert town.state(payment) is PaymentState.CONFIRMED
    (debit,), (credit,) = town.switch.authorised, town.switch.credits
    assert (debit.order.kind, debit.order.processing_code) == (Kind.CARD_TRANSFER, Route.OUT)
    assert debit.destination is not None
    assert debit.destination.reveal() == FAR
    assert (credit.order.processing_code, credit.order.amount, credit.order.fee) == (
        Route.CREDIT,
        Rial(AMOUNT),
        Rial(0),
    )
    assert credit.pan.reveal() == FAR
    assert credit.trace != debit.trace
    assert town.balances() == {"issuer:two": -AMOUNT - FEE, "issuer:one": AMOUNT, "fees": FEE}
    assert legs(town) == [("given", False)]


def test_d7_within_one_bank_one_message_moves_it_all(town: Shop) -> None:
    """No credit, no fee, and the destination's number in that one message."""
    payment = opened(town, NEAR)
    assert town.send(payment) == Paid()

    assert town.state(payment) is PaymentState.CONFIRMED
    (asked,) = town.switch.authorised
    assert (asked.order.processing_code, asked.order.fee) == (Route.INSIDE, Rial(0))
    assert asked.destination is not None
    assert asked.destination.reveal() == NEAR
    assert town.balances() == {}
    town.settle_down()
    assert town.switch.credits == []
    assert legs(town) == [("none", False)]


def test_a_transfer_is_paid_when_nothing_is_remembered(town: Shop) -> None:
    """The day and its limits are read anew before the transaction that counts against them."""
    payment = opened(town)
    town.gateway.directory.forget()

    assert town.send(payment) == Paid()


def test_d5_the_code_is_bound_to_amount_and_destination(town: Shop) -> None:
    """Two destinations have two keys; the name is the destination's last four digits, apart (D25)."""
    first, second = (page_of(town.gateway, opened(town, pan).page_token) for pan in (FAR, NEAR))
    assert len({first.order.payee_key, second.order.payee_key}) == 2
    assert first.payee_name == f"کارت {' '.join(FAR[-4:])}"
    assert FAR not in first.order.canonical()


def test_d28_the_page_shows_a_masked_name_the_bank_and_the_fee(town: Shop) -> None:
    """Asked of the destination's bank once, before anything is opened, for a source card."""
    view = page_of(town.gateway, opened(town).page_token)

    assert view.transfer is not None
    assert (view.transfer.holder_name, view.transfer.issuer_name_en) == ("م*** ر***", "Bank One")
    assert (view.amount, view.fee, view.total) == (Rial(AMOUNT), Rial(FEE), Rial(AMOUNT + FEE))
    (question,) = town.switch.questions
    assert question.pan.reveal() == FAR
    assert len(question.asker) == 64
    assert PAN not in question.asker


def test_d7_a_credit_without_an_answer_is_repeated_under_one_key(town: Shop) -> None:
    """The first is a 1200, all others are 1201; the answer that comes at last completes it."""
    town.switch.credit_answers.extend([Unknown("silent"), Unknown("silent"), Approved("C1", "0903")])
    payment = opened(town)
    town.send(payment)
    town.settle_down()

    assert town.state(payment) is PaymentState.CONFIRMED
    assert [request.repeat for request in town.switch.credits] == [False, True, True]
    assert len({request.trace for request in town.switch.credits}) == 1


def test_d7_an_explicit_no_gives_the_debit_back_with_its_fee(town: Shop) -> None:
    """Neither leg: the sender has everything again."""
    town.switch.credit_answers.append(Declined("118"))
    payment = opened(town)
    town.send(payment)
    town.settle_down()

    assert town.state(payment) is PaymentState.REVERSED
    assert town.balances() == {}
    assert legs(town) == [("refused", False)]
    assert [request.order.processing_code for request in town.switch.reversals] == [Route.OUT]


def test_d7_at_the_deadline_the_credit_is_taken_back_before_the_debit_is(town: Shop) -> None:
    """Only "reversed" or "never received" frees the debit; a credit whose reversal is decided is never sent again."""
    town.switch.credit_answers.extend([Unknown("silent")] * 200)
    town.switch.silent_reversals = 2
    payment = opened(town)
    town.send(payment)
    town.work()
    town.later(901)
    town.work()
    sent = len(town.switch.credits)
    assert legs(town) == [("reversing", True)]
    assert town.state(payment) is PaymentState.AUTHORISED

    town.settle_down(after=901)

    assert len(town.switch.credits) == sent
    assert town.state(payment) is PaymentState.REVERSED
    assert [request.order.processing_code for request in town.switch.reversals] == [Route.CREDIT] * 3 + [Route.OUT]
    assert town.balances() == {}
    assert legs(town) == [("reversed", False)]


def test_d1_the_senders_card_is_kept_until_the_second_leg_is_decided(town: Shop) -> None:
    """However long the destination's bank says nothing: its no gives the debit back, to a card that is still known."""
    town.switch.credit_answers.extend([Unknown("silent"), Declined("118")])
    payment = opened(town)
    town.send(payment)
    town.work()
    town.later(91 * 86_400)
    sweep.erase(town.gateway)
    assert town.rows("SELECT state, pan_sealed IS NOT NULL FROM attempt") == [("approved", True)]

    town.settle_down(after=91 * 86_400)

    assert town.state(payment) is PaymentState.REVERSED
    assert town.balances() == {}
    assert town.rows("SELECT state, pan_sealed FROM attempt") == [("voided", None)]


def test_d7_cannot_reverse_means_completed(town: Shop) -> None:
    """The destination's bank says at the deadline that the money is gone from there: the transfer is through."""
    town.switch.credit_answers.extend([Unknown("silent")] * 200)
    town.switch.stands.add(Route.CREDIT)
    payment = opened(town)
    town.send(payment)
    town.settle_down(after=901)

    assert town.state(payment) is PaymentState.CONFIRMED
    assert town.balances() == {"issuer:two": -AMOUNT - FEE, "issuer:one": AMOUNT, "fees": FEE}
    assert legs(town) == [("given", False)]


def test_d7_a_transfer_within_one_bank_that_cannot_be_undone_is_complete(town: Shop) -> None:
    """Nobody answered, the inquiries say nothing, and the reversal is impossible: the money is there."""
    town.switch.will(debit_but_silent)
    town.switch.silent_inquiries = 99
    town.switch.stands.add(Route.INSIDE)
    payment = opened(town, NEAR)
    assert town.send(payment) == Checking()
    town.settle_down()

    assert town.state(payment) is PaymentState.CONFIRMED
    assert town.rows("SELECT state, pan_sealed FROM attempt") == [("stood", None)]
    assert page_of(town.gateway, payment.page_token).receipt is not None
    assert town.balances() == {}


def test_d8_an_approval_within_one_bank_counts_even_after_the_pages_time(town: Shop) -> None:
    """What has moved between two people is not taken back because a page is over."""
    town.switch.will(debit_but_silent)
    payment = opened(town, NEAR)
    town.send(payment)
    town.settle_down(after=2_000)

    assert town.state(payment) is PaymentState.CONFIRMED


def test_d8_a_debit_for_another_bank_that_is_found_too_late_goes_back(town: Shop) -> None:
    """No credit was owed before, so none is sent."""
    town.switch.will(debit_but_silent)
    payment = opened(town)
    town.send(payment)
    town.settle_down(after=2_000)

    assert town.state(payment) is PaymentState.REVERSED
    assert town.switch.credits == []
    assert town.balances() == {}


def test_d8_a_lost_debit_leaves_the_page_open_and_the_next_try_counts_once(town: Shop) -> None:
    """The attempt is undone; a second one pays."""
    town.switch.will(lost)
    payment = opened(town)
    town.send(payment)
    town.later(10)
    town.sweep()
    town.work()
    town.work()
    assert town.state(payment) is PaymentState.OPEN

    assert town.send(payment) == Paid()
    town.settle_down(after=10)
    assert town.state(payment) is PaymentState.CONFIRMED
    assert len(town.switch.credits) == 1


def test_a_declined_debit_owes_nothing(town: Shop) -> None:
    """And the next try is an ordinary one."""
    town.switch.will(decline("116"))
    payment = opened(town)
    assert isinstance(town.send(payment), Refused)

    assert legs(town) == [("none", True)]
    assert town.balances() == {}


def test_d30_nobody_confirms_or_gives_back_a_transfer(town: Shop) -> None:
    """Not its merchant, and not the sweeper of unconfirmed payments, however long the second leg takes."""
    town.switch.credit_answers.extend([Unknown("silent")] * 200)
    payment = opened(town)
    town.send(payment)
    with pytest.raises(NotPossible) as refused:
        confirm(town.gateway, town.caller, payment.payment_id, Rial(AMOUNT), None)
    assert refused.value.state == "authorised"
    with pytest.raises(NotPossible):
        reverse(town.gateway, town.caller, payment.payment_id, None)
    town.later(899)
    town.sweep()

    assert town.state(payment) is PaymentState.AUTHORISED
    assert town.switch.reversals == []


def test_d28_the_card_that_was_named_pays_and_no_other(town: Shop) -> None:
    """Neither a code nor money is asked of another one."""
    payment = opened(town)

    with pytest.raises(OtherSourceCard):
        town.send(payment, card(OTHER))
    with pytest.raises(OtherSourceCard):
        request_pin(town.gateway, payment.page_token, card(OTHER, None))

    assert isinstance(request_pin(town.gateway, payment.page_token, card(PAN, None)), PinSent)
    assert town.switch.authorised == []


def test_d28_a_name_older_than_fifteen_minutes_pays_nothing(town: Shop) -> None:
    """A page that was extended outlives the name."""
    payment = opened(town)
    town.change("UPDATE payment SET page_expires_at = page_expires_at + interval '10 minutes'")
    town.later(901)

    with pytest.raises(HolderNameOld):
        town.send(payment)
    assert town.switch.authorised == []


@pytest.mark.parametrize("answer", [HolderRefused("118"), Unknown("silent"), HolderRefused("121")])
def test_d28_without_a_name_nothing_is_opened(town: Shop, answer: HolderRefused | Unknown) -> None:
    """A card that takes no money, a silent bank, a bank that was asked too often."""
    town.switch.holder = answer
    with pytest.raises((InvalidDestination, TooManyHolderQuestions)):
        opened(town)
    assert town.rows("SELECT 1 FROM payment") == []


@pytest.mark.parametrize(
    ("destination", "reason"),
    [
        (PAN, "same"),
        (with_check_digit("999009000000471"), "unknown_issuer"),
        (with_check_digit("603799000000471"), "real"),
    ],
)
def test_a_destination_that_is_none_is_refused_before_any_bank_is_asked(
    town: Shop, destination: str, reason: str
) -> None:
    """The card itself, a bank nobody knows here, a real card in a sandbox."""
    with pytest.raises(InvalidDestination) as refused:
        opened(town, destination)
    assert refused.value.reason == reason
    assert town.switch.questions == []


def test_a_source_of_no_bank_here_is_refused(town: Shop) -> None:
    """As on any page."""
    with pytest.raises(UnknownIssuer):
        opened(town, source=with_check_digit("999009000000471"))


def test_d1_an_abandoned_transfer_forgets_its_destination(town: Shop) -> None:
    """Expired or cancelled: the sweeper wipes it."""
    payment = opened(town)
    town.later(1_000)
    town.sweep()
    town.sweep()
    assert town.state(payment) is PaymentState.EXPIRED
    assert legs(town) == [("none", False)]


def test_the_gateways_own_page_needs_a_terminal_of_its_own(town: Shop) -> None:
    """Without the setting there is none; with one, transfers are opened under it."""
    assert own_terminal(town.gateway) is None
    with pytest.raises(LookupError):
        open_own(town.gateway, Sending(Pan.parse(PAN), Pan.parse(FAR), Rial(AMOUNT)))
    assert opened(town).terminal_id == MERCHANT.terminal_id


def test_f19_a_credit_waits_for_its_turn_and_place(town: Shop) -> None:
    """A full process, or a bank that is asked often, delays it and counts no try."""
    town.switch.credit_answers.extend([Unknown("full"), Approved("C1", "0903")])
    payment = opened(town)
    town.send(payment)
    town.settle_down()
    assert town.state(payment) is PaymentState.CONFIRMED
