"""A gateway and a bank as they are wired in production, on one real link: key files, databases, host processes."""

from __future__ import annotations

import base64
import itertools
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Keyring
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway import wiring
from gateway.config import Settings
from gateway.domain import purposes as gateway_purposes
from gateway.domain.card import CardEntry
from gateway.domain.issuers import Issuer
from gateway.services.authenticate import authenticate
from gateway.services.enrol import add_issuer, add_merchant
from gateway.services.gateway import Gateway
from gateway.services.keys import new_key
from gateway.services.open_payment import OpenPurchase, PaymentRecord, open_payment
from gateway.switch.client import SwitchClient
from otp.config import HostPeer
from otp.domain import purposes
from otp.domain.binding import Binding, TransactionType
from otp.domain.cvv2 import cvv2_of
from otp.domain.spending import Limits
from otp.host.peers import peers_of
from otp.host.server import HostServer
from otp.services.desk import Desk
from tests.fakes.shop import ISSUER, MERCHANT, SECRET_KEY

ACQUIRER = "581672"
EXPIRY = "2012"
CODE = "246813"
PEER = HostPeer(mac_in=["gw-mac-1"], mac_out="bank-mac-1", pin=["gw-pin-1"], kek=["kek-1"])
SHARED = (("gw-pin-1", "iso-pin", 24), ("gw-mac-1", "iso-mac-in", 16), ("bank-mac-1", "iso-mac-out", 16))
AT_GATEWAY = {"iso-pin": "iso-pin:two", "iso-mac-in": "iso-mac-out:two", "iso-mac-out": "iso-mac-in:two"}


def write_keys(path: Path, rows: list[tuple[str, str, bytes]]) -> Path:
    """Write a key file."""
    keys = [{"id": name, "purpose": use, "material": base64.b64encode(raw).decode()} for name, use, raw in rows]
    path.write_text(json.dumps({"keys": keys}))
    path.chmod(0o600)
    return path


@dataclass
class Pair:
    """Both ends; ``gateway`` is one process's, ``another_gateway`` and ``host`` stand for further processes."""

    settings: Settings
    bank_database: Database
    bank_keys: Keyring
    gateway: Gateway = field(init=False)
    issuer: Issuer = field(init=False)
    hosts: list[HostServer] = field(default_factory=list)
    gateways: list[Gateway] = field(default_factory=list)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.gateway = self.another_gateway()
        self.issuer = replace(ISSUER, switch_host="127.0.0.1", switch_port=self.host().port, switch_timeout_ms=5_000)
        add_merchant(self.gateway, replace(MERCHANT, webhook_url=None, webhook_secret=None))
        add_issuer(self.gateway, self.issuer, ("999002",))
        new_key(self.gateway, MERCHANT.terminal_id, secret=SECRET_KEY)

    def another_gateway(self) -> Gateway:
        """Build the gateway of one more process: nothing is known to it but key file and database."""
        self.gateways.append(wiring.build(self.settings))
        return self.gateways[-1]

    def host(self) -> HostServer:
        """Start one more process of the bank's host: nothing is known to it but key file and database."""
        desk = Desk(self.bank_database, self.bank_keys, Limits(Rial(50_000_000), Rial(800_000_000)))
        server = HostServer(desk, peers_of({ACQUIRER: PEER}, self.bank_keys), host="127.0.0.1", port=0)
        server.start()
        self.hosts.append(server)
        return server

    def at(self, server: HostServer) -> Issuer:
        """Return the issuer's row with this host's address."""
        return replace(self.issuer, switch_port=server.port)

    def bank(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """Run one statement at the bank."""
        with self.bank_database.begin() as connection:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

    def books(self, statement: str, **values: object) -> list[dict[str, Any]]:
        """Read the gateway's books."""
        with self.gateway.database.begin() as connection:
            return [dict(row) for row in connection.execute(text(statement), values).mappings()]

    def order(self, amount: int = 250_000) -> tuple[PaymentRecord, CardEntry]:
        """Open a payment, and a card at the bank with a code for exactly this payment."""
        number = next(self._numbers)
        caller = authenticate(self.gateway, SECRET_KEY)
        purchase = OpenPurchase(Rial(amount), f"order-{number}", "http://localhost:8200/back")
        payment = open_payment(self.gateway, caller, purchase, None)
        pan = Pan.parse(with_check_digit(f"999002{number:09}"))
        desk = Desk(self.bank_database, self.bank_keys, Limits(Rial(0), Rial(0)))
        self.bank(
            "INSERT INTO card (card_token, pan_sealed, expiry, balance_rial, opened_rial)"
            " VALUES (:token, 'x', :expiry, 90000000, 90000000)",
            token=desk.card_tokens(pan)[0],
            expiry=EXPIRY,
        )
        self._issue(desk, payment, pan)
        cvv2 = cvv2_of(self.bank_keys.material("cvk-1").reveal(), pan, EXPIRY)
        return payment, CardEntry(pan, cvv2=Sensitive(cvv2), expiry=Sensitive(EXPIRY), pin=Sensitive(CODE))

    def _issue(self, desk: Desk, payment: PaymentRecord, pan: Pan) -> None:
        query = "SELECT reference, fee_rial FROM payment WHERE payment_id = :payment_id"
        (row,) = self.books(query, payment_id=payment.payment_id)
        binding = Binding(
            TransactionType.PURCHASE,
            Rial(payment.amount_rial),
            Rial(row["fee_rial"]),
            ACQUIRER,
            MERCHANT.merchant_id,
            MERCHANT.terminal_id,
            MERCHANT.payee_name,
            "",
            row["reference"],
        )
        self.bank(
            "INSERT INTO challenge (correlation_id, card_id, psp_id, transaction_ref, nonce, canonical, binding_digest,"
            " code_mac, key_id, code_length, proven, issued_at, sent_at, expires_at) SELECT gen_random_uuid(), card_id,"
            " 'pooya', :ref, :nonce, :canonical, :digest, :mac, 'k', :length, true, house_now(), house_now(),"
            " house_now() + interval '5 minutes' FROM card WHERE card_token = :token",
            ref=row["reference"],
            nonce=secrets.token_bytes(16),
            canonical=binding.canonical(),
            digest=binding.digest(),
            mac=desk.code_macs(desk.card_tokens(pan)[0], CODE)[0],
            length=len(CODE),
            token=desk.card_tokens(pan)[0],
        )


@contextmanager
def paired(folder: Path, gateway_url: str, bank_database: Database) -> Iterator[Pair]:
    """Wire both ends and take them down again."""
    shared = [(name, purpose, secrets.token_bytes(size)) for name, purpose, size in SHARED]
    kek = secrets.token_bytes(32)
    own = [(f"{purpose}-1", purpose, secrets.token_bytes(32)) for purpose in (*gateway_purposes.ALL, "harim-signing")]
    ours = [(name, AT_GATEWAY[purpose], raw) for name, purpose, raw in shared]
    bank = [(f"{purpose}-1", purpose, secrets.token_bytes(32)) for purpose in purposes.SYMMETRIC]
    cvk = ("cvk-1", purposes.CARD_VERIFICATION, secrets.token_bytes(16))
    settings = Settings(
        database_url=SecretStr(gateway_url),
        key_file=write_keys(folder / "gateway.json", [*own, *ours, ("kek-1", "iso-kek:two", kek)]),
        public_url="http://localhost:8000",
        mode="sandbox",
        psp_id="pooya",
        acquirer_id=ACQUIRER,
        signing_key_id="harim-signing-1",
        database_pool_size=16,
    )
    bank_keys = Keyring.from_file(write_keys(folder / "bank.json", [*bank, *shared, cvk, ("kek-1", "iso-kek", kek)]))
    with bank_database.begin() as connection:
        add = "INSERT INTO psp (psp_id, name, acquirer_id, public_keys) VALUES ('pooya', 'Pooya', '581672', '{}')"
        connection.execute(text(add))
    pair = Pair(settings, bank_database, bank_keys)
    try:
        yield pair
    finally:
        for gateway in pair.gateways:
            wired_switch(gateway).close()
            gateway.database.close()
        for server in pair.hosts:
            server.stop()


def wired_switch(gateway: Gateway) -> SwitchClient:
    """Return the client that the wiring put behind the meters."""
    client = gateway.switch._switch  # type: ignore[attr-defined]  # noqa: SLF001 - the meters hide it on purpose
    assert isinstance(client, SwitchClient)
    return client
