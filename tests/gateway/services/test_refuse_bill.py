"""A biller's later no refunds that bill alone, once, and frees it when the money is back (D12, D11, I15)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import Barrier

import pytest

from foundation.checks import Report
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain import purposes
from gateway.domain.bill_errors import BillAlreadyPaid, BillNotFound, RefusalNotSigned
from gateway.domain.bill_refusal import refund_id_of, refusal_text, signature_of
from gateway.domain.bills import Bill
from gateway.domain.errors import GatewayError, IdempotencyMismatch, InvalidText, NotPossible, RequestInProgress
from gateway.domain.payment import PaymentState
from gateway.domain.refund import RefundState
from gateway.domain.refund_errors import PayableTooLow, RefundNotOffered, RefundWindowOver
from gateway.services.approve_refund import approve_refund, refuse_refund, waiting_refunds
from gateway.services.authenticate import authenticate
from gateway.services.authorise import Paid
from gateway.services.bills import look_up
from gateway.services.endpoints import Wish, add_endpoint, rotate_secret, secret_place
from gateway.services.idempotency import Asked, Idempotency
from gateway.services.keys import new_key
from gateway.services.open_payment import PaymentRecord
from gateway.services.refund import AskedRefund, refund, refunds_of
from gateway.services.refuse_bill import BillRefusal, refuse_bill
from gateway.services.show_page import page_of
from gateway.store.directory import Caller
from gateway.store.refunds import RefundRecord
from tests.fakes.shop import MERCHANT, WEBHOOK_SECRET, Shop
from tests.fakes.switch import give_but_silent, give_no
from tests.gateway.services.test_bills import PHONE, PHONE_CO, WATER, WATER_CO, opened
from tests.gateway.services.test_bills import town as town
from tests.gateway.services.test_refund import states, told, work_on
from tests.gateway.test_checks import broken
from tests.gateway.test_checks import look as look
from tests.gateway.test_checks import reader as reader

TOGETHER = 12
WATER_LATER = Bill("2050327604613", "2070123")
KEYS = itertools.count(1)


@dataclass
class Waterworks:
    """A biller with a key, and a webhook secret to sign with."""

    town: Shop
    caller: Caller

    def refuse(
        self,
        payment: PaymentRecord,
        bill: Bill = WATER,
        *,
        secret: str = WEBHOOK_SECRET,
        key: str | None = None,
        reason: str | None = None,
    ) -> RefundRecord:
        """Say no to a bill."""
        code = self.code(payment)
        refusal = BillRefusal(code, bill, signature_of(Sensitive(secret), refusal_text(code, bill)), reason)
        idempotency = None if key is None else Idempotency(key, repr(refusal).encode()[-32:].ljust(32))
        return refuse_bill(self.town.gateway, self.caller, refusal, idempotency)

    def code(self, payment: PaymentRecord) -> str:
        """Return the tracking code that the biller was told."""
        found: str = self.town.rows("SELECT tracking_code FROM payment WHERE payment_id = :id", id=payment.payment_id)[
            0
        ][0]
        return found


def caller_of(town: Shop, terminal_id: str) -> Caller:
    """Give a biller a key of its own."""
    secret = f"sk_test_{next(KEYS):040}"
    new_key(town.gateway, terminal_id, secret=secret)
    return authenticate(town.gateway, secret)


@pytest.fixture
def water(town: Shop) -> Waterworks:
    """Give the waterworks a key."""
    return Waterworks(town, caller_of(town, "20000202"))


@pytest.fixture
def paid(town: Shop) -> PaymentRecord:
    """Let two bills be paid with one code."""
    payment = opened(town, PHONE, WATER)
    assert town.pay(payment) == Paid()
    return payment


def lines(town: Shop, payment: PaymentRecord) -> list[tuple[str, str | None]]:
    """Read what the receipt says of each bill's refund."""
    return [(line.bill.bill_id, line.refund_said) for line in page_of(town.gateway, payment.page_token).bills]


def heard_by_billers(town: Shop) -> list[tuple[str, str]]:
    """Read who was told how a bill's refund ended."""
    query = "SELECT merchant_id, type FROM webhook_event WHERE type LIKE 'bill.refund%' ORDER BY number"
    return [(row[0], row[1]) for row in town.rows(query)]


def test_d12_a_no_gives_back_just_that_bill(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report]
) -> None:
    """The card gets the water bill's money, the telephone company keeps its own; payer, merchant and books know."""
    asked = water.refuse(paid, reason="این قبض باطل شده است")

    assert (asked.state, asked.amount_rial, asked.bill) == (RefundState.REQUESTED, 10_000, 2)
    assert asked.refund_id == refund_id_of(paid.payment_id, 2)
    assert town.balances() == {"issuer:two": -27_000, f"payable:{PHONE_CO}": 17_000, f"refunding:{WATER_CO}": 10_000}
    assert lines(town, paid) == [(PHONE.bill_id, None), (WATER.bill_id, "pending")]
    work_on(town)

    assert states(town) == ["done"]
    assert town.balances() == {"issuer:two": -17_000, f"payable:{PHONE_CO}": 17_000}
    assert (town.state(paid), lines(town, paid)[1]) == (PaymentState.CONFIRMED, (WATER.bill_id, "done"))
    (sent,) = town.switch.refunds
    assert (sent.order.merchant_id, sent.order.amount, sent.order.fee) == (MERCHANT.merchant_id, Rial(10_000), Rial(0))
    assert told(town) == [("payment.refunded", asked.refund_id)]
    assert town.rows("SELECT merchant_id FROM webhook_event WHERE type = 'payment.refunded'") == [
        (MERCHANT.merchant_id,)
    ]
    assert [each.bill for each in refunds_of(town.gateway, town.caller, paid.payment_id)] == [2]
    assert heard_by_billers(town) == [(WATER_CO, "bill.refunded")]
    assert broken(look()) == set()


def test_d12_a_repeated_no_changes_nothing(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """Before and after the end, with and without a key, by another key of the biller's: one refund for ever."""
    first = water.refuse(paid, key="n-1")
    assert water.refuse(paid, key="n-1") == first
    assert water.refuse(paid).number == first.number
    with pytest.raises(IdempotencyMismatch):
        water.refuse(paid, key="n-1", reason="another")
    work_on(town)

    other = replace(water, caller=caller_of(town, "20000202"))
    assert water.refuse(paid, key="n-1") == first, "the first answer to the same key"
    assert water.refuse(paid, key="n-2", reason="again").state is RefundState.DONE
    assert other.refuse(paid).state is RefundState.DONE
    work_on(town)
    assert sum(town.switch.returned.values()) == 10_000
    assert town.rows("SELECT count(*) FROM refund") == [(1,)]


def test_i15_the_bill_is_free_only_when_its_money_is_back(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report]
) -> None:
    """While the bank is silent nobody pays it again; then anybody may, and may be refused again."""
    town.switch.givings.extend([give_but_silent] * 2)
    water.refuse(paid)
    town.work()
    assert states(town) == ["unknown"]
    with pytest.raises(BillAlreadyPaid):
        look_up(town.gateway, (WATER,))

    work_on(town)

    with pytest.raises(BillAlreadyPaid):
        look_up(town.gateway, (PHONE,))
    again = opened(town, WATER, order="b-2")
    assert town.pay(again) == Paid()
    assert broken(look()) == set()
    assert water.refuse(paid).state is RefundState.DONE
    assert water.refuse(again).state is RefundState.REQUESTED
    work_on(town)
    assert (town.state(again), states(town)) == (PaymentState.REFUNDED, ["done", "done"])
    assert broken(look()) == set()


def test_a_bank_that_says_no_leaves_money_and_bill_where_they_were(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report]
) -> None:
    """The waterworks are owed the money again, and the bill is paid: it is theirs to settle with the payer."""
    town.switch.givings.append(give_no("118"))
    water.refuse(paid)
    work_on(town)

    assert water.refuse(paid).state is RefundState.REFUSED
    assert town.balances()[f"payable:{WATER_CO}"] == 10_000
    assert lines(town, paid)[1] == (WATER.bill_id, "refused")
    assert [kind for kind, _ in told(town)] == ["payment.refund_refused"]
    assert heard_by_billers(town) == [(WATER_CO, "bill.refund_refused")]
    with pytest.raises(BillAlreadyPaid):
        look_up(town.gateway, (WATER,))
    assert broken(look()) == set()


def test_d11_the_fee_goes_back_with_a_bill_that_is_the_whole_payment(town: Shop, look: Callable[[], Report]) -> None:
    """As with every refund: all of it with the whole, nothing with a part."""
    water = Waterworks(town, caller_of(town, "20000202"))
    alone, both = opened(town, WATER), opened(town, PHONE, WATER_LATER, order="b-2")
    for payment in (alone, both):
        town.change("UPDATE payment SET fee_rial = 900 WHERE payment_id = :id", id=payment.payment_id)
        assert town.pay(payment) == Paid()

    assert water.refuse(alone).fee_rial == 900
    assert water.refuse(both, WATER_LATER).fee_rial == 0
    work_on(town)
    assert town.balances() == {"issuer:two": -17_900, f"payable:{PHONE_CO}": 17_000, "fees": 900}
    assert broken(look()) == set()


def test_d35_large_ones_wait_for_a_second_person(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report]
) -> None:
    """Reserved at once, sent to nobody; all refunds of the payment count together; a refused one gives it back."""
    settings = town.gateway.settings.model_copy(update={"refund_four_eyes_rial": 10_001})
    town.gateway = replace(town.gateway, settings=settings)
    phone = Waterworks(town, caller_of(town, "20000201"))
    town.change(
        "INSERT INTO webhook_endpoint (endpoint_id, merchant_id, url, secret_sealed) "
        "SELECT 'whe_phone', :merchant, url, :sealed FROM webhook_endpoint LIMIT 1",
        merchant=PHONE_CO,
        sealed=town.gateway.keyring.seal(
            purposes.WEBHOOK_SECRET, WEBHOOK_SECRET.encode(), bound_to=secret_place(PHONE_CO)
        ),
    )
    assert water.refuse(paid).state is RefundState.REQUESTED
    held = phone.refuse(paid, PHONE)
    assert (held.state, lines(town, paid)[0]) == (RefundState.WAITING, (PHONE.bill_id, "waiting"))
    work_on(town)
    assert sum(town.switch.returned.values()) == 10_000
    (waits,) = waiting_refunds(town.gateway)
    assert (waits.merchant_id, waits.amount_rial) == (PHONE_CO, 17_000)

    approve_refund(town.gateway, waits.number, Rial(17_000), by="sara")
    work_on(town)
    assert (town.state(paid), town.balances()) == (PaymentState.REFUNDED, {})
    assert broken(look()) == set()


def test_d35_a_second_person_may_say_no(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """Then the money is the biller's again, and the no stays answered for ever."""
    settings = town.gateway.settings.model_copy(update={"refund_four_eyes_rial": 1})
    town.gateway = replace(town.gateway, settings=settings)
    refuse_refund(town.gateway, water.refuse(paid).number, by="sara")
    assert water.refuse(paid).state is RefundState.REFUSED
    assert town.balances()[f"payable:{WATER_CO}"] == 10_000


def test_only_the_biller_says_no_and_signs_it(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """Another's secret, no secret at all, another's bill and another receipt are refused; nothing is written."""
    with pytest.raises(RefusalNotSigned):
        water.refuse(paid, secret="whsec_" + "b3RoZXJvdGhlcm90aGVyb3RoZXI=")
    with pytest.raises(BillNotFound):
        water.refuse(paid, PHONE)
    with pytest.raises(BillNotFound):
        Waterworks(town, town.caller).refuse(paid)
    with pytest.raises(RefusalNotSigned):
        Waterworks(town, caller_of(town, "20000201")).refuse(paid, PHONE)
    other = opened(town, WATER_LATER, order="b-2")
    assert town.pay(other) == Paid()
    signed = signature_of(Sensitive(WEBHOOK_SECRET), refusal_text(water.code(other), WATER))
    with pytest.raises(RefusalNotSigned):
        refuse_bill(town.gateway, water.caller, BillRefusal(water.code(paid), WATER, signed), None)
    with pytest.raises(InvalidText):
        water.refuse(paid, reason="x" * 121)
    assert town.rows("SELECT count(*) FROM refund") == [(0,)]


def test_an_old_secret_signs_as_long_as_it_overlaps(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """As with webhooks, both are good while a secret is changed, and the old one no longer."""
    (endpoint,) = town.rows("SELECT endpoint_id FROM webhook_endpoint WHERE merchant_id = :id", id=WATER_CO)[0]
    new = rotate_secret(town.gateway, WATER_CO, endpoint, overlap_seconds=3_600).secret
    assert water.refuse(paid).number == water.refuse(paid, secret=new).number
    town.later(3_601)
    with pytest.raises(RefusalNotSigned):
        water.refuse(paid)
    assert water.refuse(paid, secret=new).bill == 2


def test_a_stolen_key_alone_gives_nothing_away(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """A secret that an API key made, new or by rotating one, signs no refusal for two days; the old one does."""
    asked = Asked(water.caller, None)
    (endpoint,) = town.rows("SELECT endpoint_id FROM webhook_endpoint WHERE merchant_id = :id", id=WATER_CO)[0]
    made = add_endpoint(town.gateway, WATER_CO, "http://localhost:8200/strange", Wish(), asked=asked)
    again = rotate_secret(town.gateway, WATER_CO, made.endpoint.endpoint_id, overlap_seconds=604_800, asked=asked)
    new = rotate_secret(town.gateway, WATER_CO, endpoint, overlap_seconds=172_800, asked=asked).secret
    for seconds in (0, 47 * 3_600):
        town.later(seconds)
        for secret in (made.secret, again.secret, new):
            with pytest.raises(RefusalNotSigned):
                water.refuse(paid, secret=secret)
    town.later(47 * 3_600 + 3_000)
    assert water.refuse(paid).bill == 2
    town.later(48 * 3_600 + 60)
    for secret in (made.secret, again.secret, new):
        assert water.refuse(paid, secret=secret).bill == 2
    with pytest.raises(RefusalNotSigned):
        water.refuse(paid)


def test_what_is_owed_no_more_is_not_given_back(town: Shop, water: Waterworks, paid: PaymentRecord) -> None:
    """Paid out already, given back, too long ago: a sentence, and nothing is written."""
    town.change("UPDATE attempt SET pan_sealed = NULL")
    with pytest.raises(RefundWindowOver):
        water.refuse(paid)
    town.change("UPDATE attempt SET pan_sealed = 'x'")
    town.change("UPDATE payment SET state = 'reversing'")
    with pytest.raises(NotPossible):
        water.refuse(paid)
    town.change("UPDATE payment SET state = 'confirmed'")
    town.change(
        "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
        "SELECT payment_id, attempt_id, 'settled_in_batch', :source, 'bank:settlement', 1 FROM attempt",
        source=f"payable:{WATER_CO}",
    )
    with pytest.raises(PayableTooLow):
        water.refuse(paid)
    assert town.rows("SELECT count(*) FROM refund") == [(0,)]


def test_i4_in_every_race_each_bill_is_given_back_once(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report]
) -> None:
    """I4, D11: twelve at once, half of them the merchant's own refunds of the same payment: one refund, one credit."""
    together = Barrier(TOGETHER)

    def go(number: int) -> str:
        together.wait(10)
        try:
            if number % 2:
                return str(water.refuse(paid, key=f"n-{number}").number)
            asked = AskedRefund(f"r-{number}", Rial(10_000))
            refund(town.gateway, town.caller, paid.payment_id, asked, None)
        except (RefundNotOffered, RequestInProgress) as error:
            return type(error).__name__
        except GatewayError as error:
            return f"unexpected {error!r}"
        return "refunded"

    with ThreadPoolExecutor(TOGETHER) as crowd:
        said = set(crowd.map(go, range(TOGETHER)))

    (number,) = town.rows("SELECT number FROM refund")[0]
    assert said == {str(number), "RefundNotOffered"} or said == {str(number), "RefundNotOffered", "RequestInProgress"}
    work_on(town)
    assert sum(town.switch.returned.values()) == 10_000
    assert town.balances() == {"issuer:two": -17_000, f"payable:{PHONE_CO}": 17_000}
    assert broken(look()) == set()


@pytest.mark.parametrize(("over", "claimed"), [(False, "false"), (True, "true")], ids=["too_early", "for_ever"])
def test_i15_a_claim_that_does_not_follow_its_refund_is_found(
    town: Shop, water: Waterworks, paid: PaymentRecord, look: Callable[[], Report], *, over: bool, claimed: str
) -> None:
    """Free before the money is back somebody could pay it twice; held after it, nobody could pay it."""
    water.refuse(paid)
    if over:
        work_on(town)
    town.change(f"UPDATE bill SET claimed = {claimed} WHERE number = 2")
    assert broken(look()) >= {"I15_bills"}
