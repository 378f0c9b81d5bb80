"""Transfers that merchants ask for: named on their page, paid at most once, destinations saved (D7, D16, D28)."""

from __future__ import annotations

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.exc import IntegrityError

from foundation.keys import SealBroken
from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain.errors import (
    AttemptInProgress,
    DuplicateOrder,
    IdempotencyMismatch,
    NotPossible,
    PaymentNotFound,
    TooManyAttempts,
    TooManyPinRequests,
)
from gateway.domain.outcome import Declined, Unknown
from gateway.domain.payment import PaymentState
from gateway.domain.transfer import DESTINATION_KEPT_DAYS, Consent
from gateway.domain.transfer_errors import (
    DestinationNotFound,
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
from gateway.services.destinations import delete_destination, list_destinations
from gateway.services.enrol import NewMerchant, add_issuer, add_merchant
from gateway.services.idempotency import Idempotency
from gateway.services.request_pin import request_pin
from gateway.services.show_page import page_of
from gateway.services.transfer_requests import (
    AskTransfer,
    Naming,
    TransferRecord,
    ask_transfer,
    get_transfer,
    list_transfers,
    name_payee,
)
from gateway.services.transfers import open_transfer
from tests.fakes.shop import MERCHANT, PAN, Shop, card
from tests.fakes.switch import decline, lost
from tests.gateway.services.test_transfers import FAR, NEAR, ONE, OTHER, wanted

AMOUNT = 20_000_000
BACK = "http://localhost:8200/back"


@pytest.fixture
def town(shop: Shop) -> Shop:
    """A gateway with two banks."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    return shop


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


def saved(town: Shop, to: str = NEAR, *, order: str = "s-1") -> str:
    """Complete a transfer whose payer ticks to save its destination; return the token."""
    transfer = asked(town, order=order)
    name(town, transfer, to, save=True)
    assert town.send(transfer.payment) == Paid()
    town.settle_down()
    found = get_transfer(town.gateway, town.caller, transfer.payment.payment_id).destination
    assert found is not None
    return found.token


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


def test_the_same_key_asks_once_and_reads_the_same(town: Shop) -> None:
    """Even after the saved destination that it named was deleted."""
    token = saved(town)
    ask = AskTransfer("a-1", BACK, None, token)
    key = Idempotency("k-1", b"a" * 32)
    first = ask_transfer(town.gateway, town.caller, ask, key)
    delete_destination(town.gateway, town.caller, token)

    assert ask_transfer(town.gateway, town.caller, ask, key) == first
    with pytest.raises(IdempotencyMismatch):
        ask_transfer(town.gateway, town.caller, ask, Idempotency("k-1", b"b" * 32))
    with pytest.raises(DestinationNotFound):
        ask_transfer(town.gateway, town.caller, ask, Idempotency("k-2", b"a" * 32))


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
    first = open_transfer(town.gateway, town.caller, wanted(NEAR), None)
    with pytest.raises(PayeeUnchecked):
        town.send(first, checked=False)
    assert town.switch.authorised == []
    assert town.rows("SELECT attempts FROM payment") == [(0,)]
    assert town.send(first) == Paid()

    again = open_transfer(town.gateway, town.caller, wanted(NEAR, order="t-2"), None)
    line = page_of(town.gateway, again.page_token).transfer
    assert line is not None
    assert not line.first
    assert town.send(again, checked=False) == Paid()
    for changed in (wanted(FAR, order="t-3"), wanted(NEAR, source=OTHER, order="t-4")):
        other = open_transfer(town.gateway, town.caller, changed, None)
        with pytest.raises(PayeeUnchecked):
            town.send(other, card(changed.source.reveal()), checked=False)


def test_a_transfer_that_came_back_was_no_first_one(town: Shop) -> None:
    """Refused by the destination's bank: the warning stays."""
    town.switch.credit_answers.append(Declined("118"))
    town.send(open_transfer(town.gateway, town.caller, wanted(FAR), None))
    town.settle_down()
    again = open_transfer(town.gateway, town.caller, wanted(FAR, order="t-2"), None)
    with pytest.raises(PayeeUnchecked):
        town.send(again, checked=False)


@pytest.mark.parametrize("to", [FAR, NEAR])
def test_d16_a_destination_is_saved_by_a_tick_once_the_transfer_is_complete(town: Shop, to: str) -> None:
    """Not before, not without the tick; only sealed, and nothing of it stays with the transfer."""
    plain = asked(town, order="s-0")
    name(town, plain, to)
    town.send(plain.payment)
    town.settle_down()
    assert town.rows("SELECT 1 FROM saved_destination") == []
    assert get_transfer(town.gateway, town.caller, plain.payment.payment_id).destination is None

    transfer = asked(town)
    name(town, transfer, to, save=True)
    assert town.rows("SELECT 1 FROM saved_destination") == []
    assert get_transfer(town.gateway, town.caller, transfer.payment.payment_id).destination is None
    town.send(transfer.payment)
    town.settle_down()

    (line,) = list_destinations(town.gateway, town.caller).destinations
    assert get_transfer(town.gateway, town.caller, transfer.payment.payment_id).destination == line
    assert (line.holder_name, line.pan_masked) == ("م*** ر***", Pan.parse(to).masked)
    rows = town.rows("SELECT * FROM saved_destination")
    assert to not in str(rows)
    assert to.encode() not in bytes(town.rows("SELECT pan_sealed FROM saved_destination")[0][0])
    assert town.rows("SELECT count(saving_sealed) FROM transfer") == [(0,)]


@pytest.mark.parametrize("end", ["refused", "cancelled", "unticked"])
def test_d16_what_did_not_complete_or_was_unticked_saves_nothing(town: Shop, end: str) -> None:
    """Given back, given up, or named anew without the tick."""
    transfer = asked(town)
    name(town, transfer, FAR, save=True)
    if end == "refused":
        town.switch.credit_answers.append(Declined("118"))
        town.send(transfer.payment)
    elif end == "cancelled":
        cancel(town.gateway, transfer.payment.page_token)
    else:
        name(town, transfer, FAR)
        town.send(transfer.payment)
    town.settle_down(after=60)

    assert town.rows("SELECT 1 FROM saved_destination") == []
    assert town.rows("SELECT destination_sealed, saving_sealed FROM transfer") == [(None, None)]


def test_d7_a_credit_that_cannot_be_taken_back_saves_too(town: Shop) -> None:
    """Complete is complete, whichever way it became so."""
    town.switch.credit_answers.extend([Unknown("silent")] * 200)
    transfer = asked(town)
    name(town, transfer, FAR, save=True)
    town.send(transfer.payment)
    town.switch.stands.add(town.switch.authorised[0].order.processing_code.__class__.CREDIT)
    town.settle_down(after=901)
    assert state(town, transfer) is PaymentState.CONFIRMED
    assert len(list_destinations(town.gateway, town.caller).destinations) == 1


def test_d16_a_saved_destination_is_used_by_its_token(town: Shop) -> None:
    """No number is typed, its bank is asked again, and a used one is kept longer."""
    token = saved(town)
    town.change("UPDATE saved_destination SET used_at = used_at - interval '100 days'")
    transfer = asked(town, token=token)
    assert transfer.destination is not None
    assert transfer.destination.token == token
    name(town, transfer, None)
    assert town.send(transfer.payment, checked=False) == Paid()

    sent = town.switch.authorised[-1].destination
    assert sent is not None
    assert sent.reveal() == NEAR
    assert town.rows("SELECT used_at > house_now() - interval '1 day' FROM saved_destination") == [(True,)]


def test_d16_tokens_are_one_merchants_alone(town: Shop) -> None:
    """Another merchant sees another token, and cannot use, see or delete the first one."""
    token = saved(town)
    other = NewMerchant("000000000000009", "00000009", "دیگری", "Other", "دیگری", "http://localhost:8200")
    add_merchant(town.gateway, other)
    stranger = dataclasses.replace(town.caller, merchant_id=other.merchant_id, terminal_id=other.terminal_id)
    with pytest.raises(DestinationNotFound):
        ask_transfer(town.gateway, stranger, AskTransfer("o-1", BACK, None, token), None)
    with pytest.raises(DestinationNotFound):
        delete_destination(town.gateway, stranger, token)
    assert list_destinations(town.gateway, stranger).destinations == []
    with pytest.raises(PaymentNotFound):
        get_transfer(
            town.gateway, stranger, list_transfers(town.gateway, town.caller, {}).records[0].payment.payment_id
        )

    theirs = ask_transfer(town.gateway, stranger, AskTransfer("o-2", BACK, Rial(AMOUNT)), None)
    name(town, theirs, save=True)
    town.send(theirs.payment)
    (line,) = list_destinations(town.gateway, stranger).destinations
    assert line.token != token
    assert MERCHANT.merchant_id != other.merchant_id


def test_d16_a_deleted_destination_is_gone_for_what_was_asked_and_not_named(town: Shop) -> None:
    """The row goes with its sealed number; deleting twice says so."""
    token = saved(town)
    transfer = asked(town, token=token)
    delete_destination(town.gateway, town.caller, token)
    with pytest.raises(DestinationNotFound):
        delete_destination(town.gateway, town.caller, token)
    with pytest.raises(DestinationNotFound):
        name(town, transfer, None)
    view = page_of(town.gateway, transfer.payment.page_token)
    assert view.request is not None
    assert (view.request.by_token, view.request.saved) == (True, None)


def test_d43_a_destination_nobody_uses_is_forgotten(town: Shop) -> None:
    """After half a year without use; saving it again keeps it."""
    saved(town)
    almost = DESTINATION_KEPT_DAYS - 1
    town.change(f"UPDATE saved_destination SET used_at = house_now() - interval '{almost} days'")
    town.sweep()
    assert len(town.rows("SELECT 1 FROM saved_destination")) == 1
    saved(town, order="s-2")
    assert town.rows("SELECT used_at > house_now() - interval '1 day' FROM saved_destination") == [(True,)]
    town.change(f"UPDATE saved_destination SET used_at = house_now() - interval '{almost + 1} days'")
    town.sweep()
    assert town.rows("SELECT 1 FROM saved_destination") == []


def test_a_sealed_destination_opens_in_its_own_row_only(town: Shop) -> None:
    """Moved to another token's row, it opens nowhere."""
    one, two = saved(town, NEAR), saved(town, FAR, order="s-2")
    others = "(SELECT pan_sealed FROM saved_destination WHERE token = :one)"
    town.change(f"UPDATE saved_destination SET pan_sealed = {others} WHERE token = :two", one=one, two=two)
    transfer = asked(town, token=two)
    with pytest.raises(SealBroken):
        name(town, transfer, None)
    assert len(town.switch.questions) == 2


def test_a_page_of_anything_else_takes_no_payee(town: Shop) -> None:
    """A purchase, a transfer of the gateway's own page, no page at all."""
    for token in (town.open().page_token, open_transfer(town.gateway, town.caller, wanted(), None).page_token, "x"):
        with pytest.raises(PaymentNotFound):
            name_payee(town.gateway, token, Naming(Pan.parse(PAN), Pan.parse(NEAR), Rial(AMOUNT)))


def test_lists_have_transfers_only_and_pages(town: Shop) -> None:
    """Newest first, filtered, with the saved destination of each."""
    token = saved(town)
    town.open()
    made = [asked(town, order=f"l-{number}", token=token if number else None) for number in range(3)]
    page = list_transfers(town.gateway, town.caller, {"state": "open"}, most=2)
    assert [each.payment.order_id for each in page.records] == ["l-2", "l-1"]
    assert page.records[0].destination is not None
    rest = list_transfers(town.gateway, town.caller, {"state": "open"}, after=page.next, most=2)
    assert [each.payment for each in rest.records] == [made[0].payment]
    assert (rest.next, rest.records[0].destination) == (None, None)
    with pytest.raises(PaymentNotFound):
        get_transfer(town.gateway, town.caller, town.open().payment_id)


def test_destinations_come_in_pages(town: Shop) -> None:
    """Newest first; the second page begins behind the first."""
    saved(town, NEAR)
    saved(town, FAR, order="s-2")
    page = list_destinations(town.gateway, town.caller, most=1)
    rest = list_destinations(town.gateway, town.caller, after=page.next, most=1)
    assert [each.pan_masked[:6] for each in (*page.destinations, *rest.destinations)] == ["999001", "999002"]
    assert rest.next is None
