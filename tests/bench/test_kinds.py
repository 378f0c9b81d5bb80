"""What the benchmarks of kinds and merchants are made of: bills that can be paid, and who sells when."""

from __future__ import annotations

from http.client import HTTPConnection

import pytest

from bench.balances import sizes
from bench.buyers import Card, Customer, Seller, Shop
from bench.kinds import bill_of
from foundation.rial import Rial
from gateway.domain.bills import Bill
from sandbox.bills import BILLERS


def test_every_number_is_another_bill_of_a_company_that_the_sandbox_knows() -> None:
    """Each with right check digits, of the same amount as a purchase."""
    bills = [bill_of(number) for number in range(10_000_000, 10_000_060)]

    known = {(bill.service, bill.company) for biller in BILLERS for bill in biller.bills}
    assert len({(bill.bill_id, bill.payment_id) for bill in bills}) == 60
    assert {(bill.service, bill.company) for bill in bills} == known
    assert {bill.amount for bill in bills} == {Rial(250_000)}
    assert [Bill.parse(bill.bill_id, bill.payment_id) for bill in bills] == bills


def test_merchants_sell_in_turn_and_one_sells_alone() -> None:
    """However many buyers there are, each purchase is the next merchant's."""
    sellers = tuple(Seller(f"key {number}", "/") for number in range(3))
    many, one = (Shop("http://localhost", some, iter(()), lambda _: "") for some in (sellers, sellers[:1]))

    assert [many.seller() for _ in range(7)] == [*sellers, *sellers, sellers[0]]
    assert [one.seller() for _ in range(3)] == [sellers[0]] * 3


def test_whoever_comes_has_the_next_card() -> None:
    """A shop may have customers of another kind."""
    seen: list[Card] = []

    def comes(gateway: str, server: HTTPConnection, seller: Seller, card: Card) -> Customer:
        seen.append(card)
        return Customer(gateway, server, seller, card)

    shop = Shop("http://localhost", (Seller("key", "/"),), iter([{"pan": "1"}, {"pan": "2"}]), lambda _: "", comes)
    server = HTTPConnection("localhost")

    assert [shop.customer(server, shop.seller()).card for _ in range(2)] == seen == [{"pan": "1"}, {"pan": "2"}]


@pytest.mark.parametrize(
    ("most", "wanted"), [(1, [10_000]), (1_000_000, [10_000, 100_000, 1_000_000]), (999_999, [10_000, 100_000])]
)
def test_ledgers_grow_tenfold_up_to_the_largest(most: int, wanted: list[int]) -> None:
    """The smallest is what all others are compared with."""
    assert list(sizes(most)) == wanted
