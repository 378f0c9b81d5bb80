"""Transfers that merchants ask for: named on their page, paid at most once, destinations saved (D7, D16, D28)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain.errors import (
    AttemptInProgress,
    DuplicateOrder,
    NotPossible,
    PaymentNotFound,
    TooManyAttempts,
)
from gateway.domain.outcome import Declined
from gateway.domain.payment import PaymentState
from gateway.domain.pin_errors import TooManyPinRequests
from gateway.domain.transfer import Consent
from gateway.domain.transfer_errors import (
    HolderNameOld,
    InvalidDestination,
    OtherPayee,
    OtherSourceCard,
    PayeeFixed,
    PayeeUnchecked,
    TransferLimit,
)
from gateway.services.authorise import Checking, Paid, Refused, pay
from gateway.services.cancel import cancel
from gateway.services.request_pin import request_pin
from gateway.services.show_page import page_of
from gateway.services.transfer_requests import (
    AskTransfer,
    Naming,
    TransferRecord,
    ask_transfer,
    get_transfer,
    name_payee,
)
from tests.fakes.shop import PAN, Shop, card
from tests.fakes.switch import decline, lost
from tests.gateway.services.test_transfers import FAR, NEAR, OTHER, opened

AMOUNT = 20_000_000
BACK = "http://localhost:8200/back"


def asked(town: Shop, amount: int | None = AMOUNT, *, order: str = "a-1", token: str | None = None) -> TransferRecord:
    """Ask for a transfer."""
    ask = AskTransfer(order, BACK, None if amount is None else Rial(amount), token)
    return ask_transfer(town.gateway, town.caller, ask, None)


def name(
    town: Shop,
    of: TransferRecord,
    to: str | None = NEAR,
    *,
    source: str = PAN,
    amount: int | None = None,
    save: bool = False,
) -> None:
    """Type the page's form."""
    destination = None if to is None else Pan.parse(to)
    typed = Naming(Pan.parse(source), destination, None if amount is None else Rial(amount), save)
    name_payee(town.gateway, of.payment.page_token, typed)


def state(town: Shop, of: TransferRecord) -> PaymentState:
    """Say where it stands."""
    return get_transfer(town.gateway, town.caller, of.payment.payment_id).payment.state


@pytest.mark.parametrize("to", [FAR, NEAR])
def test_d7_an_asked_transfer_is_named_and_paid_like_any_other(town: Shop, to: str) -> None:
    """Open without a payee, one holder inquiry for the source card, both legs, told to its merchant."""
    transfer = asked(town)
    assert page_of(town.gateway, transfer.payment.page_token).transfer is None
    assert town.switch.questions == []
    name(town, transfer, to)
    view = page_of(town.gateway, transfer.payment.page_token)
    assert view.transfer is not None
    assert (view.transfer.holder_name, view.amount) == ("م*** ر***", Rial(AMOUNT))
    assert town.send(transfer.payment) == Paid()
    town.settle_down()

    assert state(town, transfer) is PaymentState.CONFIRMED
    assert town.rows("SELECT type FROM webhook_event") == [("payment.confirmed",)]
    assert town.rows("SELECT destination_sealed, saving_sealed FROM transfer") == [(None, None)]


def test_what_the_merchant_fixed_stays_whatever_is_typed(town: Shop) -> None:
    """The amount of the request is sent, not another one."""
    transfer = asked(town)
    name(town, transfer, amount=11_000)
    town.send(transfer.payment)
    assert town.switch.authorised[0].order.amount == Rial(AMOUNT)


def test_an_amount_left_open_is_typed_and_has_limits(town: Shop) -> None:
    """Nothing typed and too much are refused; then the merchant reads what was typed."""
    transfer = asked(town, None)
    assert transfer.payment.amount_rial == 0
    for amount in (None, 9_999, 50_000_001):
        with pytest.raises(TransferLimit):
            name(town, transfer, amount=amount)
    name(town, transfer, amount=11_000)
    town.send(transfer.payment)

    assert get_transfer(town.gateway, town.caller, transfer.payment.payment_id).payment.amount_rial == 11_000


@pytest.mark.parametrize("amount", [9_999, 50_000_001])
def test_a_fixed_amount_outside_the_limits_opens_nothing(town: Shop, amount: int) -> None:
    """As on the page."""
    with pytest.raises(TransferLimit):
        asked(town, amount)
    assert town.rows("SELECT 1 FROM payment") == []


def test_a_destination_left_open_must_be_typed(town: Shop) -> None:
    """And be one that takes money; the bank is not asked otherwise."""
    transfer = asked(town)
    for to in (None, PAN):
        with pytest.raises(InvalidDestination):
            name(town, transfer, to)
    assert town.switch.questions == []


def test_without_a_payee_nothing_is_submitted_by_program_or_by_hand(town: Shop) -> None:
    """The page, a code and the database itself refuse it."""
    transfer = asked(town)
    with pytest.raises(TooManyPinRequests):
        request_pin(town.gateway, transfer.payment.page_token, card(PAN, None))
    with pytest.raises(TooManyAttempts):
        town.send(transfer.payment)
    with pytest.raises(IntegrityError):
        town.change("UPDATE payment SET state = 'paying'")
    assert town.switch.authorised == []


def test_d7_a_payee_named_anew_is_the_one_that_is_paid_and_the_older_page_is_refused(town: Shop) -> None:
    """Two tabs: what one of them shows is what it pays, or nothing."""
    transfer = asked(town)
    name(town, transfer, FAR)
    first = page_of(town.gateway, transfer.payment.page_token)
    assert request_pin(town.gateway, first.page_token, card(PAN, None))
    name(town, transfer, NEAR)
    second = page_of(town.gateway, transfer.payment.page_token)

    assert first.reference != second.reference
    assert second.pin.expires_in_seconds == 0
    with pytest.raises(OtherPayee):
        pay(town.gateway, first.page_token, card(), Consent(first.reference, checked=True))
    assert town.switch.authorised == []
    assert town.send(transfer.payment) == Paid()
    (sent,) = town.switch.authorised
    assert sent.destination is not None
    assert sent.destination.reveal() == NEAR
    assert sent.order.transaction_ref == second.reference


def test_d8_one_request_is_paid_once_however_many_tabs_name_and_pay_it(town: Shop) -> None:
    """Eight at once, each naming a payee and paying what it saw; one attempt, one pair of legs."""
    transfer = asked(town)

    def tab(number: int) -> bool:
        try:
            name(town, transfer, NEAR if number % 2 else FAR)
            return town.send(transfer.payment) == Paid()
        except (OtherPayee, PayeeFixed, AttemptInProgress, NotPossible):
            return False

    with ThreadPoolExecutor(8) as pool:
        paid = list(pool.map(tab, range(8)))
    town.settle_down()

    assert sum(paid) == 1
    assert len(town.switch.authorised) == 1
    assert state(town, transfer) is PaymentState.CONFIRMED
    assert town.rows("SELECT count(*) FROM attempt") == [(1,)]


def test_after_a_submitted_card_nobody_names_another_payee(town: Shop) -> None:
    """Declined, or without an answer: what the books say of that attempt must stay true."""
    transfer = asked(town)
    name(town, transfer)
    town.switch.will(decline("116"))
    assert isinstance(town.send(transfer.payment), Refused)
    with pytest.raises(PayeeFixed):
        name(town, transfer, FAR)
    assert not page_of(town.gateway, transfer.payment.page_token).payee_open

    town.switch.will(lost)
    assert town.send(transfer.payment) == Checking()
    with pytest.raises(AttemptInProgress):
        name(town, transfer, FAR)
    town.settle_down()
    assert town.switch.credits == []


def test_d42_an_order_is_asked_for_again_once_the_first_is_over(town: Shop) -> None:
    """Live: refused with its id; cancelled or expired: free, and neither can be named any more."""
    first = asked(town)
    with pytest.raises(DuplicateOrder) as refused:
        asked(town)
    assert refused.value.payment_id == first.payment.payment_id
    cancel(town.gateway, first.payment.page_token)
    second = asked(town)
    town.later(1_000)
    town.sweep()
    for over in (first, second):
        with pytest.raises(NotPossible):
            name(town, over)
    assert town.rows("SELECT type, facts ->> 'amount_rial' FROM webhook_event ORDER BY number") == [
        ("payment.cancelled", str(AMOUNT)),
        ("payment.expired", str(AMOUNT)),
    ]
    assert asked(town).payment.state is PaymentState.OPEN


def test_d28_the_card_and_the_name_are_looked_at_again(town: Shop) -> None:
    """Another card, an old name: refused; naming it anew makes the name young."""
    transfer = asked(town)
    name(town, transfer)
    with pytest.raises(OtherSourceCard):
        town.send(transfer.payment, card(OTHER))
    town.change("UPDATE payment SET page_expires_at = page_expires_at + interval '10 minutes'")
    town.later(901)
    with pytest.raises(HolderNameOld):
        town.send(transfer.payment)
    name(town, transfer)
    assert town.send(transfer.payment) == Paid()


def test_the_first_transfer_to_a_destination_needs_the_tick(town: Shop) -> None:
    """Without it nothing is sent; once one is complete, later ones from that card need none; another card's do."""
    first = opened(town, NEAR)
    with pytest.raises(PayeeUnchecked):
        town.send(first, checked=False)
    assert town.switch.authorised == []
    assert town.rows("SELECT attempts FROM payment") == [(0,)]
    assert town.send(first) == Paid()

    again = opened(town, NEAR)
    line = page_of(town.gateway, again.page_token).transfer
    assert line is not None
    assert not line.first
    assert town.send(again, checked=False) == Paid()
    for destination, source in ((FAR, PAN), (NEAR, OTHER)):
        other = opened(town, destination, source=source)
        with pytest.raises(PayeeUnchecked):
            town.send(other, card(source), checked=False)


def test_a_transfer_that_came_back_was_no_first_one(town: Shop) -> None:
    """Refused by the destination's bank: the warning stays."""
    town.switch.credit_answers.append(Declined("118"))
    town.send(opened(town, FAR))
    town.settle_down()
    again = opened(town, FAR)
    with pytest.raises(PayeeUnchecked):
        town.send(again, checked=False)


def test_a_page_of_anything_else_takes_no_payee(town: Shop) -> None:
    """A purchase, a transfer of the gateway's own page, no page at all."""
    for token in (town.open().page_token, opened(town).page_token, "x"):
        with pytest.raises(PaymentNotFound):
            name_payee(town.gateway, token, Naming(Pan.parse(PAN), Pan.parse(NEAR), Rial(AMOUNT)))
