"""Destinations that payers let a merchant keep: by tick, by token, sealed, deleted, and what lists say (D16, D43)."""

from __future__ import annotations

import dataclasses

import pytest

from foundation.keys import SealBroken
from foundation.pan import Pan
from foundation.rial import Rial
from gateway.domain.errors import (
    IdempotencyMismatch,
    PaymentNotFound,
)
from gateway.domain.outcome import Declined, Unknown
from gateway.domain.payment import PaymentState
from gateway.domain.transfer import DESTINATION_KEPT_DAYS
from gateway.domain.transfer_errors import (
    DestinationNotFound,
)
from gateway.services.authorise import Paid
from gateway.services.cancel import cancel
from gateway.services.destinations import delete_destination, list_destinations
from gateway.services.enrol import NewMerchant, add_merchant
from gateway.services.idempotency import Idempotency
from gateway.services.show_page import page_of
from gateway.services.transfer_requests import (
    AskTransfer,
    ask_transfer,
    get_transfer,
    list_transfers,
)
from tests.fakes.shop import MERCHANT, Shop
from tests.gateway.services.test_transfer_requests import AMOUNT, BACK, asked, name, state
from tests.gateway.services.test_transfers import FAR, NEAR


def saved(town: Shop, to: str = NEAR, *, order: str = "s-1") -> str:
    """Complete a transfer whose payer ticks to save its destination; return the token."""
    transfer = asked(town, order=order)
    name(town, transfer, to, save=True)
    assert town.send(transfer.payment) == Paid()
    town.settle_down()
    found = get_transfer(town.gateway, town.caller, transfer.payment.payment_id).destination
    assert found is not None
    return found.token


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
