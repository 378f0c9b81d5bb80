"""A code for a transfer that its holder typed into the bank's app, from the gateway's switch to the host (D24, D37)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.outcome import Approved, Declined
from gateway.domain.transfer import card_name
from gateway.ports import Kind, Order, Route
from tests.contracts.test_iso8583_link import ORDER, PAN, Link
from tests.contracts.test_iso8583_link import link as link
from tests.otp.host.conftest import HostWorld
from tests.otp.host.test_app_codes import phone_for

FEE = 7_200


def transfer_to(digits: str, route: Route) -> Order:
    """Make the order of a transfer of a million rials."""
    name, key = card_name(digits[-4:]), "ab" * 32
    return replace(ORDER, kind=Kind.CARD_TRANSFER, fee=Rial(FEE), payee_name=name, payee_key=key, route=route)


@pytest.mark.parametrize("route", [Route.INSIDE, Route.OUT])
def test_d24_a_transfer_is_paid_by_what_its_holder_typed(link: Link, route: Route) -> None:
    """Total with fee and the last eight digits, to a card of the same bank and of another; to no other card."""
    bank = HostWorld(link.desk)
    phone = phone_for(bank, PAN)
    meant, other = bank.card(balance=0), bank.card(balance=0)
    code = Sensitive(phone.bound(f"typed-v1|total={1_000_000 + FEE}|destination={meant.reveal()[-8:]}"))

    def sent(destination: Pan) -> object:
        order = transfer_to(destination.reveal(), route)
        return link.client.authorise(link.issuer, link.request(order=order, pin=code, destination=destination))

    assert sent(other) == Declined("117")
    assert isinstance(sent(meant), Approved)
