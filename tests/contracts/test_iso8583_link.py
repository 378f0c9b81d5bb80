"""The gateway's switch and the bank's host on one real link: what the two say to each other about money."""

from __future__ import annotations

import datetime as dt
import secrets
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, Declined, NotFound, Reversed
from gateway.ports import AuthorisationRequest, InquiryRequest, Kind, Order, ReversalRequest, Trace
from gateway.switch.client import SwitchClient
from otp.config import HostPeer
from otp.domain import purposes
from otp.domain.binding import Binding, TransactionType
from otp.domain.cvv2 import cvv2_of
from otp.domain.spending import Limits
from otp.host.peers import peers_of
from otp.host.server import HostServer
from otp.services.desk import Desk
from tests.fakes.certificates import ACQUIRER, Authority

PAN = Pan.parse("9990021234567898")
EXPIRY = "2012"
CODE = "246813"
SHARED = {"pin": secrets.token_bytes(24), "in": secrets.token_bytes(16), "out": secrets.token_bytes(16)}
ISSUER = Issuer("two", "دو", "Two", "harim-v1-rest", "", "", b"", 1000, "127.0.0.1", 0, 5000, 120, 60, True)  # noqa: FBT003 - by position, as its fields stand

ORDER = Order(Kind.PURCHASE, Rial(1_000_000), Rial(0), "581672", "000000000000123", "T0000001", "فروشگاه", "", "A" * 16)


@dataclass
class Link:
    """Both ends, and makers of what the gateway asks."""

    client: SwitchClient
    issuer: Issuer
    desk: Desk
    number: int = 0

    def sql(self, statement: str, **values: object) -> list[tuple[object, ...]]:
        """Run one statement at the bank."""
        with self.desk.database.begin() as connection:
            result = connection.execute(text(statement), values)
            return [tuple(row) for row in result] if result.returns_rows else []

    def balance(self) -> int:
        """Return what is on the card."""
        return int(str(self.sql("SELECT balance_rial FROM card")[0][0]))

    def request(self, **changes: object) -> AuthorisationRequest:
        """Make a purchase of a million rials with a new trace."""
        self.number += 1
        (now,) = self.sql("SELECT house_now()")[0]
        assert isinstance(now, dt.datetime)
        trace = Trace(
            "581672",
            "T0000001",
            f"{self.number:06}",
            f"{self.number:012}",
            now.astimezone(TEHRAN).strftime("%y%m%d%H%M%S"),
        )
        cvv2 = cvv2_of(self.desk.keys.material("cvk-1").reveal(), PAN, EXPIRY)
        request = AuthorisationRequest(ORDER, trace, PAN, Sensitive(EXPIRY), Sensitive(cvv2), Sensitive(CODE))
        return replace(request, **changes)  # type: ignore[arg-type]  # fields by name

    def issue(self, code: str = CODE, order: Order = ORDER) -> None:
        """Issue a code for that purchase, or for something else."""
        binding = Binding(
            TransactionType(order.kind),
            order.amount,
            order.fee,
            order.acquirer_id,
            order.merchant_id,
            order.terminal_id,
            order.payee_name,
            order.payee_key,
            order.transaction_ref,
        )
        self.sql(
            "INSERT INTO challenge (correlation_id, card_id, psp_id, transaction_ref, nonce, canonical, binding_digest,"
            " code_mac, key_id, code_length, proven, issued_at, sent_at, expires_at) SELECT gen_random_uuid(), card_id,"
            " 'pooya', :ref, :nonce, :canonical, :digest, :mac, 'k', :length, true, house_now(), house_now(),"
            " house_now() + interval '2 minutes' FROM card",
            ref="A" * 16,
            nonce=secrets.token_bytes(16),
            canonical=binding.canonical(),
            digest=binding.digest(),
            mac=self.desk.code_macs(self.desk.card_tokens(PAN)[0], code)[0],
            length=len(code),
        )

    def reversal(self, request: AuthorisationRequest) -> ReversalRequest:
        """Make the reversal of a purchase."""
        return ReversalRequest(request.order, request.trace, f"{self.number + 500:06}", request.trace.local_time, PAN)

    def inquiry(self, request: AuthorisationRequest) -> InquiryRequest:
        """Make the inquiry about a purchase."""
        return InquiryRequest(request.order, request.trace, f"{self.number + 700:06}", request.trace.local_time, PAN)


@pytest.fixture
def link(bank_database: Database, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Link]:
    """Give a running host with one card, and a switch that knows it; ``tls`` as parameter gives both certificates."""
    root = Authority(tmp_path) if getattr(request, "param", None) == "tls" else None
    purposes_of_its_own = (purposes.CARD_TOKEN, purposes.CODE_MAC, purposes.DEVICE_SEAL)
    rows = [(f"{purpose}-1", purpose, 32) for purpose in purposes_of_its_own]
    own = [Key(name, purpose, Sensitive(secrets.token_bytes(size))) for name, purpose, size in rows]
    shared = (("gw-pin-1", "pin"), ("gw-mac-1", "in"), ("bank-mac-1", "out"))
    at_bank = [
        Key(name, f"iso-{'mac-' if kind != 'pin' else ''}{kind}", Sensitive(SHARED[kind])) for name, kind in shared
    ]
    ours = {"pin": "iso-pin:two", "in": "iso-mac-out:two", "out": "iso-mac-in:two"}
    at_gateway = [Key(name, ours[kind], Sensitive(SHARED[kind])) for name, kind in shared]
    cvk = Key("cvk-1", purposes.CARD_VERIFICATION, Sensitive(secrets.token_bytes(16)))
    keys = Keyring([*own, *at_bank, cvk])
    limits = Limits(
        Rial(50_000_000), Rial(80_000_000), transfer_max=Rial(40_000_000), transfer_day_max=Rial(60_000_000)
    )
    desk = Desk(bank_database, keys, limits)
    peers = peers_of({"581672": HostPeer(mac_in=["gw-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"])}, keys)
    server_tls = root and root.host().server_context()
    server = HostServer(desk, peers, host="127.0.0.1", port=0, tls=server_tls)
    server.start()
    client = SwitchClient(Keyring(at_gateway), "581672", tls=root and root.acquirer(ACQUIRER).client_context())
    made = Link(client, replace(ISSUER, switch_port=server.port), desk)
    made.sql("INSERT INTO psp (psp_id, name, acquirer_id, public_keys) VALUES ('pooya', 'Pooya', '581672', '{}')")
    made.sql(
        "INSERT INTO card (card_token, pan_sealed, expiry, balance_rial, opened_rial)"
        " VALUES (:token, 'x', :expiry, 5000000, 5000000)",
        token=desk.card_tokens(PAN)[0],
        expiry=EXPIRY,
    )
    yield made
    client.close()
    server.stop()


@pytest.mark.parametrize("link", ["plain", "tls"], indirect=True)
def test_d37_a_purchase_its_inquiry_and_its_reversal(link: Link) -> None:
    """Approved, told so again by an inquiry (D9c), given back once (D2), and told reversed."""
    link.issue()
    request = link.request()

    outcome = link.client.authorise(link.issuer, request)

    assert isinstance(outcome, Approved)
    assert link.balance() == 4_000_000
    assert link.client.inquire(link.issuer, link.inquiry(request)) == outcome
    assert link.client.reverse(link.issuer, link.reversal(request)) == Reversed()
    assert link.client.reverse(link.issuer, link.reversal(request)) == Reversed()
    assert link.balance() == 5_000_000
    assert link.client.inquire(link.issuer, link.inquiry(request)) == Reversed()


def test_d18_wrong_code_and_wrong_card_data_are_one_decline(link: Link) -> None:
    """Over the wire too the two cannot be told apart; the right code still pays."""
    link.issue()

    wrong_code = link.client.authorise(link.issuer, link.request(pin=Sensitive("111111")))
    wrong_data = link.client.authorise(link.issuer, link.request(cvv2=Sensitive("0000")))

    assert wrong_code == wrong_data == Declined("117")
    assert isinstance(link.client.authorise(link.issuer, link.request()), Approved)


def test_d2_a_reversal_that_overtakes_its_purchase(link: Link) -> None:
    """The tombstone ends the reversal; the purchase that comes later takes nothing."""
    link.issue()
    request = link.request()

    assert link.client.inquire(link.issuer, link.inquiry(request)) == NotFound()
    assert link.client.reverse(link.issuer, link.reversal(request)) == Reversed()

    assert link.client.authorise(link.issuer, request) == Declined("184")
    assert link.balance() == 5_000_000


def test_d4_twelve_purchases_with_one_code_on_one_link(link: Link) -> None:
    """Twelve threads share the link and the code: one is paid, eleven are told that it is used."""
    link.issue()
    requests = [link.request() for _ in range(12)]
    outcomes: list[object] = []
    threads = [
        threading.Thread(target=lambda one=one: outcomes.append(link.client.authorise(link.issuer, one)))
        for one in requests
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert Counter(type(outcome).__name__ for outcome in outcomes) == {"Approved": 1, "Declined": 11}
    assert {outcome for outcome in outcomes if isinstance(outcome, Declined)} == {Declined("181")}
    assert link.balance() == 4_000_000


def test_d22_another_pin_key_opens_nothing(link: Link) -> None:
    """A PIN block under a key of the same name but other bytes is declined, and nothing is counted on the card."""
    link.issue()
    keys = [
        Key("gw-pin-1", "iso-pin:two", Sensitive(bytes(range(24)))),
        Key("gw-mac-1", "iso-mac-out:two", Sensitive(SHARED["in"])),
        Key("bank-mac-1", "iso-mac-in:two", Sensitive(SHARED["out"])),
    ]
    stranger = SwitchClient(Keyring(keys), "581672")

    outcome = stranger.authorise(link.issuer, link.request())
    stranger.close()

    assert outcome == Declined("126")
    assert link.sql("SELECT pin_failures, card_data_failures FROM card") == [(0, 0)]


def test_d22_another_mac_key_is_not_signed_on(link: Link) -> None:
    """Keys that do not agree show before any card is sent."""
    keys = [
        Key("gw-pin-1", "iso-pin:two", Sensitive(SHARED["pin"])),
        Key("gw-mac-1", "iso-mac-out:two", Sensitive(bytes(16))),
        Key("bank-mac-1", "iso-mac-in:two", Sensitive(SHARED["out"])),
    ]
    stranger = SwitchClient(Keyring(keys), "581672")

    assert stranger.authorise(link.issuer, link.request()) == Declined("912")
    assert link.sql("SELECT 1 FROM authorisation") == []
    stranger.close()
