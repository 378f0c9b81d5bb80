"""The gateway's switch and a bank's host about transfers: names, credits, and what cannot be undone (D7, D28)."""

from __future__ import annotations

import datetime as dt
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Key, Keyring
from foundation.pan import Pan, with_check_digit
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, Declined, HolderNamed, HolderRefused, NotReversed, Reversed, Unknown
from gateway.ports import CreditRequest, HolderInquiry, Kind, Order, ReversalRequest, Route, Trace
from gateway.switch.client import SwitchClient
from otp.config import HostPeer
from otp.domain import purposes
from otp.domain.holder import card_name, holder_place
from otp.domain.spending import Limits
from otp.host.peers import peers_of
from otp.host.server import HostServer
from otp.services.desk import Desk
from tests.contracts.test_iso8583_link import ISSUER, PAN, SHARED

STRANGER = Pan.parse(with_check_digit("999002999999999"))


@dataclass
class Ends:
    """Both ends, and makers of what the gateway asks."""

    client: SwitchClient
    server: HostServer
    desk: Desk
    number: int = 0

    @property
    def issuer(self) -> Issuer:
        """The bank, as the gateway knows it."""
        return replace(ISSUER, switch_port=self.server.port)

    def sql(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Run one statement at the bank."""
        with self.desk.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def trace(self) -> Trace:
        """Make a key of its own."""
        self.number += 1
        (now,) = self.sql("SELECT house_now()")[0]
        assert isinstance(now, dt.datetime)
        local = now.astimezone(TEHRAN).strftime("%y%m%d%H%M%S")
        return Trace("581672", "T0000001", f"{self.number:06}", f"{self.number:012}", local)

    def credit(self, amount: int = 1_000_000, pan: Pan = PAN) -> CreditRequest:
        """Make a credit."""
        name, key = card_name(pan.masked[-4:]), "ab" * 32
        order = Order(
            Kind.CARD_TRANSFER, Rial(amount), Rial(0), "581672", "123", "T0000001", name, key, "A" * 16, Route.CREDIT
        )
        return CreditRequest(order, self.trace(), pan, repeat=False)

    def undo(self, request: CreditRequest) -> ReversalRequest:
        """Make the reversal of a credit."""
        own = self.trace()
        return ReversalRequest(request.order, request.trace, own.stan, own.local_time, request.pan)

    def question(self, pan: Pan = PAN) -> HolderInquiry:
        """Make a question for a name."""
        return HolderInquiry(self.trace(), "123", pan, "cd" * 32)

    def balance(self) -> object:
        """Return what is on the card."""
        return self.sql("SELECT balance_rial FROM card")[0][0]


@pytest.fixture
def ends(bank_database: Database) -> Iterator[Ends]:
    """Give a host that lets the gateway give five millions a day, with one card, and a switch that knows it."""
    rows = (("card-token-1", purposes.CARD_TOKEN), ("pan-seal-1", purposes.PAN_SEAL))
    own = [Key(name, purpose, Sensitive(secrets.token_bytes(32))) for name, purpose in rows]
    shared = (("gw-pin-1", "pin"), ("gw-mac-1", "in"), ("bank-mac-1", "out"))
    theirs = {"pin": "iso-pin", "in": "iso-mac-in", "out": "iso-mac-out"}
    ours = {"pin": "iso-pin:two", "in": "iso-mac-out:two", "out": "iso-mac-in:two"}
    keys = Keyring([*own, *(Key(name, theirs[kind], Sensitive(SHARED[kind])) for name, kind in shared)])
    desk = Desk(bank_database, keys, Limits(Rial(50_000_000), Rial(80_000_000)))
    row = HostPeer(mac_in=["gw-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"], credit_day_rial=5_000_000)
    server = HostServer(desk, peers_of({"581672": row}, keys), host="127.0.0.1", port=0)
    server.start()
    client = SwitchClient(Keyring([Key(name, ours[kind], Sensitive(SHARED[kind])) for name, kind in shared]), "581672")
    made, token = Ends(client, server, desk), desk.card_tokens(PAN)[0]
    made.sql(
        "INSERT INTO card (card_token, pan_sealed, expiry, balance_rial, opened_rial, holder_name_sealed)"
        " VALUES (:token, 'x', '0812', 0, 0, :name)",
        token=token,
        name=keys.seal(purposes.PAN_SEAL, "مریم رضایی".encode(), bound_to=holder_place(token)),
    )
    yield made
    client.close()
    server.stop()


def test_d28_a_name_crosses_the_wire_masked(ends: Ends) -> None:
    """And a card that is not there has none."""
    assert ends.client.ask_holder(ends.issuer, ends.question()) == HolderNamed("م*** ر***")
    assert ends.client.ask_holder(ends.issuer, ends.question(STRANGER)) == HolderRefused("118")


def test_d7_a_credit_and_its_repeats_give_once(ends: Ends) -> None:
    """The 1201 gets the answer of the 1200, whichever of them arrived."""
    request = ends.credit()
    first = ends.client.credit(ends.issuer, request)
    again = ends.client.credit(ends.issuer, replace(request, repeat=True))

    assert isinstance(first, Approved)
    assert again == first
    assert ends.balance() == 1_000_000
    assert isinstance(ends.client.credit(ends.issuer, replace(ends.credit(), repeat=True)), Approved)
    assert ends.balance() == 2_000_000


def test_d7_explicit_refusals_of_a_credit_are_a_no(ends: Ends) -> None:
    """No such card, and more than the day allows."""
    assert ends.client.credit(ends.issuer, ends.credit(pan=STRANGER)) == Declined("118")
    assert ends.client.credit(ends.issuer, ends.credit(5_000_001)) == Declined("121")


def test_d3_answers_about_the_message_conclude_nothing_about_a_credit(ends: Ends) -> None:
    """A key used for another credit is 913, and only repeated."""
    request = ends.credit()
    ends.client.credit(ends.issuer, request)
    other = replace(request, order=replace(request.order, amount=Rial(5)))
    assert ends.client.credit(ends.issuer, other) == Unknown("action code 913")


def test_d7_a_credit_is_taken_back_where_it_still_is(ends: Ends) -> None:
    """Once it is gone from the card, never; one that never came is a tombstone."""
    request, spent, unseen = ends.credit(), ends.credit(), ends.credit()
    ends.client.credit(ends.issuer, request)
    assert ends.client.reverse(ends.issuer, ends.undo(request)) == Reversed()
    given = ends.client.credit(ends.issuer, spent)
    assert isinstance(given, Approved)
    ends.sql("UPDATE card SET balance_rial = 0")
    assert ends.client.reverse(ends.issuer, ends.undo(spent)) == NotReversed(given.capture_date)
    assert ends.client.reverse(ends.issuer, ends.undo(unseen)) == Reversed()
    assert ends.client.credit(ends.issuer, unseen) == Declined("184")


def test_d2_a_silent_or_missing_bank_is_unknown(ends: Ends) -> None:
    """Whether anything was sent or not: a credit is repeated, a name is asked for another time."""
    issuer = replace(ISSUER, switch_port=1, switch_timeout_ms=300)
    assert isinstance(ends.client.credit(issuer, ends.credit()), Unknown)
    assert isinstance(ends.client.ask_holder(issuer, ends.question()), Unknown)
