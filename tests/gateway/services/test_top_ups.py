"""Top-ups: delivered or given back, whatever is lost on the way, and never twice (D5, D7)."""

from __future__ import annotations

import dataclasses

import pytest

from foundation.checks import Inspector, Severity
from foundation.rial import Rial
from gateway.api.schemas import PaymentOut, payment_out
from gateway.domain.errors import DuplicateOrder, IdempotencyMismatch, NotPossible, RefusedRow
from gateway.domain.payment import PaymentState
from gateway.domain.refund_errors import RefundNotOffered
from gateway.domain.top_up_errors import InvalidTopUp, OperatorNotOffered
from gateway.ports import Kind
from gateway.services.authorise import Checking, Paid, Refused
from gateway.services.confirm import confirm
from gateway.services.idempotency import Idempotency
from gateway.services.open_payment import PaymentRecord
from gateway.services.owed import add_operator
from gateway.services.read_payment import get_payment
from gateway.services.request_pin import request_pin
from gateway.services.reverse import reverse
from gateway.services.show_page import page_of
from gateway.services.top_ups import OpenTopUp, offers, open_own, open_top_up, own_terminal
from gateway.store.checks import RULES
from tests.fakes.shop import MERCHANT, Shop, card
from tests.fakes.switch import debit_but_silent, decline, lost
from tests.fakes.top_ups import FakeTopUps

NUMBER = "09121234567"
AMOUNT = 200_000
DELIVERY = "top_up.deliver"


@pytest.fixture
def kiosk(shop: Shop) -> Shop:
    """A gateway that tops up numbers of two operators, both owed to the shop's merchant."""
    changes = {"top_up_url": "http://localhost:1", "top_up_terminal_id": MERCHANT.terminal_id}
    shop.gateway = dataclasses.replace(shop.gateway, settings=shop.gateway.settings.model_copy(update=changes))
    for operator in ("mci", "irancell"):
        add_operator(shop.gateway, operator, MERCHANT.merchant_id)
    return shop


def provider(kiosk: Shop) -> FakeTopUps:
    """Return who delivers."""
    assert isinstance(kiosk.gateway.top_ups, FakeTopUps)
    return kiosk.gateway.top_ups


def wanted(**changes: object) -> OpenTopUp:
    """Ask for a top-up."""
    asked = OpenTopUp(NUMBER, Rial(AMOUNT), "top-1", "http://localhost:8200/back")
    return dataclasses.replace(asked, **changes)  # type: ignore[arg-type]  # fields by name


def opened(kiosk: Shop, **changes: object) -> PaymentRecord:
    """Open a top-up under the shop's terminal."""
    return open_top_up(kiosk.gateway, kiosk.caller, wanted(**changes), None)


def legs(kiosk: Shop) -> list[tuple[object, ...]]:
    """Return where deliveries stand, the operator's references, and whether the number is still known."""
    query = "SELECT credit, operator_reference IS NOT NULL, mobile_sealed IS NOT NULL FROM top_up"
    return [tuple(row) for row in kiosk.rows(query)]


def past_deadline(kiosk: Shop) -> None:
    """Let the time for deliveries be over."""
    kiosk.change("UPDATE top_up SET deadline_at = house_now() - interval '1 second'")


def again(kiosk: Shop, times: int = 8) -> None:
    """Let the worker do what it owes, as often as it takes."""
    for _ in range(times):
        kiosk.change("UPDATE outbox SET due_at = house_now() WHERE done_at IS NULL")
        kiosk.sweep()
        kiosk.work()


def assert_whole(kiosk: Shop) -> None:
    """Provider, bank and books agree, clearing is empty, and every invariant about top-ups holds."""
    balances = kiosk.balances()
    assert balances.get("transfer-clearing", 0) == 0
    assert balances.get(f"payable:{MERCHANT.merchant_id}", 0) == provider(kiosk).delivered
    assert -balances.get("issuer:two", 0) == sum(kiosk.switch.debits.values()) == provider(kiosk).delivered
    broken = [verdict for verdict in Inspector(kiosk.owner, RULES).everything().verdicts if not verdict.holds]
    assert [str(verdict) for verdict in broken if verdict.severity is Severity.MONEY] == []


def test_d7_the_debit_comes_first_and_the_delivery_completes_it(kiosk: Shop) -> None:
    """The page waits in between; the operator is owed it; its reference is on the receipt, the number only masked."""
    payment = opened(kiosk)
    assert kiosk.pay(payment) == Paid()
    assert kiosk.state(payment) is PaymentState.AUTHORISED
    assert legs(kiosk) == [("owed", False, True)]
    assert kiosk.balances() == {"issuer:two": -AMOUNT, "transfer-clearing": AMOUNT}

    kiosk.work()

    assert kiosk.state(payment) is PaymentState.CONFIRMED
    (sent,) = kiosk.switch.authorised
    assert (sent.order.kind, sent.order.processing_code) == (Kind.TOP_UP, "520000")
    (asked,) = provider(kiosk).asked
    assert (asked.reference, asked.mobile.reveal(), asked.amount) == (payment.payment_id, NUMBER, Rial(AMOUNT))
    assert legs(kiosk) == [("given", True, False)]
    shown = page_of(kiosk.gateway, payment.page_token).top_up
    assert shown is not None
    assert (shown.number, shown.operator_reference) == ("0912***4567", f"OP-{payment.payment_id[-6:]}")
    assert_whole(kiosk)


def test_d5_the_code_is_for_one_number_one_operator_and_one_amount(kiosk: Shop) -> None:
    """Type, amount and payee key; the SMS will name the operator and the last digits."""
    numbers = {"a": (NUMBER, None), "b": (NUMBER, "irancell"), "c": ("09121234568", None)}
    keys = set()
    for order, (number, operator) in numbers.items():
        payment = opened(kiosk, order_id=order, mobile=number, operator=operator)
        request_pin(kiosk.gateway, payment.page_token, card(pin=None))
        order_of = kiosk.harim.asked[-1][1].order
        keys.add(order_of.payee_key)
        assert order_of.canonical().startswith(f"v1|type=TOP_UP|amount={AMOUNT}|fee=0|")
        assert NUMBER not in order_of.canonical()

    assert len(keys) == 3
    assert kiosk.harim.asked[0][1].order.payee_name == "همراه اول 4 5 6 7"


@pytest.mark.parametrize("behaviours", [("lost",), ("silent",), ("silent", "lost", "silent")])
def test_d7_a_delivery_without_an_answer_is_repeated_under_one_reference(
    kiosk: Shop, behaviours: tuple[str, ...]
) -> None:
    """Whether it was delivered or never arrived: once in the end, and the receipt comes."""
    provider(kiosk).will(*behaviours)
    payment = opened(kiosk)
    kiosk.pay(payment)

    again(kiosk)

    assert kiosk.state(payment) is PaymentState.CONFIRMED
    assert len(provider(kiosk).asked) == len(behaviours) + 1
    assert {request.reference for request in provider(kiosk).asked} == {payment.payment_id}
    assert_whole(kiosk)


def test_d7_an_explicit_no_gives_the_debit_back(kiosk: Shop) -> None:
    """The reason is kept, the card has its money, and nothing is asked again."""
    provider(kiosk).will("refuse")
    payment = opened(kiosk)
    kiosk.pay(payment)

    again(kiosk)

    assert kiosk.state(payment) is PaymentState.REVERSED
    assert kiosk.rows("SELECT credit, action_code, mobile_sealed FROM top_up") == [("refused", "number_unknown", None)]
    assert len(provider(kiosk).asked) == 1
    assert kiosk.balances() == {}
    assert_whole(kiosk)


@pytest.mark.parametrize(("behaviour", "ends"), [("lost", PaymentState.REVERSED), ("silent", PaymentState.CONFIRMED)])
@pytest.mark.parametrize("silent_cancellations", [0, 3])
def test_d7_past_the_deadline_only_an_answer_frees_the_debit(
    kiosk: Shop, behaviour: str, ends: PaymentState, silent_cancellations: int
) -> None:
    """Cancelled gives it back, delivered completes it; silence does neither, and no delivery is asked for anew."""
    provider(kiosk).will(*[behaviour] * 20)
    provider(kiosk).silent_cancellations = silent_cancellations
    payment = opened(kiosk)
    kiosk.pay(payment)
    kiosk.work()
    past_deadline(kiosk)
    asked = len(provider(kiosk).asked)
    for _ in range(silent_cancellations):
        again(kiosk, 1)
        assert kiosk.state(payment) is PaymentState.AUTHORISED
        assert legs(kiosk) == [("reversing", False, True)]

    again(kiosk)

    assert kiosk.state(payment) is ends
    assert len(provider(kiosk).asked) == asked
    assert_whole(kiosk)


@pytest.mark.parametrize("behaviour", ["dies_before", "dies_after"])
def test_f5_a_worker_that_dies_delivers_once(kiosk: Shop, behaviour: str) -> None:
    """Before it asked, or after the provider delivered and before anything was written."""
    provider(kiosk).will(behaviour)
    payment = opened(kiosk)
    kiosk.pay(payment)
    with pytest.raises(SystemExit):
        kiosk.work()
    again(kiosk)

    assert kiosk.state(payment) is PaymentState.CONFIRMED
    assert list(provider(kiosk).book.values()) == ["delivered"]
    assert_whole(kiosk)


def test_d2_nothing_is_delivered_before_the_debit_is_sure(kiosk: Shop) -> None:
    """No answer: inquired first; a debit that was lost is voided, one that stands is delivered for."""
    kiosk.switch.will(debit_but_silent, lost)
    one, other = opened(kiosk, order_id="one"), opened(kiosk, order_id="two")
    assert [kiosk.pay(one), kiosk.pay(other)] == [Checking(), Checking()]
    assert provider(kiosk).asked == []

    again(kiosk)

    assert [kiosk.state(one), kiosk.state(other)] == [PaymentState.CONFIRMED, PaymentState.OPEN]
    assert [request.reference for request in provider(kiosk).asked] == [one.payment_id]
    assert_whole(kiosk)


def test_a_no_of_the_bank_delivers_nothing_and_may_be_tried_again(kiosk: Shop) -> None:
    """The second card pays for the same top-up, once."""
    kiosk.switch.will(decline("116"))
    payment = opened(kiosk)
    assert isinstance(kiosk.pay(payment), Refused)

    kiosk.pay(payment)
    again(kiosk)

    assert kiosk.state(payment) is PaymentState.CONFIRMED
    assert len(provider(kiosk).asked) == 1
    assert_whole(kiosk)


def test_a_top_up_has_no_time_until_which_anybody_confirms_or_reverses_it(kiosk: Shop) -> None:
    """Its merchant is shown neither, on its way and complete; a purchase has both."""

    def shown(payment: PaymentRecord) -> PaymentOut:
        record = get_payment(kiosk.gateway, kiosk.caller, payment.payment_id)
        return payment_out(record, kiosk.gateway.settings)

    payment = opened(kiosk)
    kiosk.pay(payment)
    assert (shown(payment).state, shown(payment).confirm_before) == ("authorised", None)
    kiosk.work()
    assert (shown(payment).state, shown(payment).confirm_before) == ("confirmed", None)
    assert shown(payment).reverse_before is None

    bought = kiosk.paid()
    kiosk.confirm(bought)
    assert None not in (shown(bought).confirm_before, shown(bought).reverse_before)


def test_nobody_confirms_reverses_or_refunds_a_top_up(kiosk: Shop) -> None:
    """What the operator decides no merchant does; no window gives it back."""
    payment = opened(kiosk)
    kiosk.pay(payment)
    for deed in (
        lambda: confirm(kiosk.gateway, kiosk.caller, payment.payment_id, Rial(AMOUNT), None),
        lambda: reverse(kiosk.gateway, kiosk.caller, payment.payment_id, None),
    ):
        with pytest.raises(NotPossible) as refused:
            deed()
        assert (type(refused.value), refused.value.state) == (NotPossible, "authorised")
    kiosk.change("UPDATE payment SET authorised_at = authorised_at - interval '2 hours'")
    kiosk.sweep()
    assert kiosk.state(payment) is PaymentState.AUTHORISED
    again(kiosk)
    with pytest.raises(NotPossible) as refused:
        reverse(kiosk.gateway, kiosk.caller, payment.payment_id, None)
    assert (type(refused.value), refused.value.state) == (NotPossible, "confirmed")
    with pytest.raises(RefundNotOffered):
        kiosk.refund(payment, AMOUNT, "r-1")


@pytest.mark.parametrize(
    ("changes", "field", "reason"),
    [
        ({"mobile": "0912123456"}, "mobile", "number"),
        ({"mobile": "02188888888"}, "mobile", "number"),
        ({"mobile": "09311234567"}, "operator", "needed"),
        ({"operator": "nobody"}, "operator", "unknown"),
        ({"amount": Rial(12_345)}, "amount", "not_sold"),
    ],
)
def test_what_cannot_be_topped_up_is_refused(kiosk: Shop, changes: dict[str, object], field: str, reason: str) -> None:
    """Before a card is asked for."""
    with pytest.raises(InvalidTopUp) as refused:
        opened(kiosk, **changes)

    assert (refused.value.field, refused.value.reason) == (field, reason)


def test_an_operator_that_is_not_connected_is_not_offered(kiosk: Shop) -> None:
    """By its prefix or by choice; nor is any without somebody who delivers."""
    assert list(offers(kiosk.gateway)) == ["mci", "irancell"]
    for changes in ({"mobile": "09201234567"}, {"operator": "shatel"}):
        with pytest.raises(OperatorNotOffered):
            opened(kiosk, **changes)
    settings = kiosk.gateway.settings.model_copy(update={"top_up_url": None})
    kiosk.gateway = dataclasses.replace(kiosk.gateway, settings=settings)
    assert offers(kiosk.gateway) == {}
    with pytest.raises(OperatorNotOffered):
        opened(kiosk)
    with pytest.raises(RefusedRow, match="mci"):
        add_operator(kiosk.gateway, "nobody", MERCHANT.merchant_id)


def test_d21_the_same_key_gets_the_first_answer(kiosk: Shop) -> None:
    """Another body under it is refused, and so is another top-up for the same order."""
    key = Idempotency("k", b"1" * 32)
    first = open_top_up(kiosk.gateway, kiosk.caller, wanted(), key)

    assert open_top_up(kiosk.gateway, kiosk.caller, wanted(), key) == first
    with pytest.raises(IdempotencyMismatch):
        open_top_up(kiosk.gateway, kiosk.caller, wanted(), Idempotency("k", b"2" * 32))
    with pytest.raises(DuplicateOrder):
        opened(kiosk)


def test_d43_a_number_is_forgotten_where_nothing_came_of_it(kiosk: Shop) -> None:
    """Expired or cancelled: the sweeper wipes it; the mask stays."""
    payment = opened(kiosk)
    shown = page_of(kiosk.gateway, payment.page_token).top_up
    assert shown is not None
    assert shown.number == NUMBER
    kiosk.change("UPDATE payment SET page_expires_at = house_now() - interval '1 second'")

    kiosk.sweep()

    assert kiosk.rows("SELECT mobile_sealed, mobile_masked FROM top_up") == [(None, "0912***4567")]


def test_the_gateways_own_page_has_a_terminal_of_its_own(kiosk: Shop) -> None:
    """Without one there is no such page."""
    payment = open_own(kiosk.gateway, "+98 912 123 4567", None, Rial(AMOUNT))
    assert page_of(kiosk.gateway, payment.page_token).kind is Kind.TOP_UP
    settings = kiosk.gateway.settings.model_copy(update={"top_up_terminal_id": None})
    closed = dataclasses.replace(kiosk.gateway, settings=settings)
    assert own_terminal(closed) is None
    with pytest.raises(LookupError, match="GATEWAY_TOP_UP_TERMINAL_ID"):
        open_own(closed, NUMBER, None, Rial(AMOUNT))
