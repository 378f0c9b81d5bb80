"""Sets the stage: two fresh databases on the embedded cluster, and both organisations wired around them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
from pydantic import SecretStr

from foundation.flood import FloodControl
from foundation.keys import Key, Keyring
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.signatures import Signer
from foundation.wake import Wake
from gateway import migrations as gateway_migrations
from gateway.bulkhead import Gates
from gateway.config import Settings as GatewaySettings
from gateway.domain import purposes as gateway_purposes
from gateway.domain.issuers import Issuer
from gateway.ports import Callbacks, Harim, Switch
from gateway.services.enrol import NewMerchant, add_merchant
from gateway.services.gateway import Gateway
from gateway.services.owed import add_biller
from gateway.store.directory import Caller, Directory, put_issuer
from gateway.top_ups.client import NoTopUps
from otp import migrations as bank_migrations
from otp.config import HostPeer
from otp.config import Settings as BankSettings
from otp.domain import purposes
from otp.domain.cvv2 import cvv2_of
from otp.domain.psp import Psp
from otp.domain.spending import Limits
from otp.host.key_sets import KeySets
from otp.host.peers import Peer, peers_of
from otp.host.respond import Responder
from otp.ports import SmsProvider
from otp.services.bank import Bank
from otp.services.desk import Desk
from otp.services.open_card import NewCard, open_card
from otp.services.register_psp import register_psp
from otp.store.psps import PspDirectory
from sandbox.cards import luhn_digit
from sandbox.postgres import Cluster, Roles
from sandbox.simulator import invariants
from sandbox.simulator.bills import (
    BILLER_HOOK_SECRET,
    BILLER_HOOK_URL,
    BILLER_ID,
    BILLER_TERMINAL_ID,
    COMPANY,
    SERVICE,
)
from sandbox.simulator.faults import READ_CLOCK, Clock, Fuse, SimulatedDatabase
from sandbox.simulator.sale import SimulatedCard
from sandbox.world import ACQUIRER_ID, BANK_BIN, BANK_NAME, ISSUER_ID, MERCHANT_ID, PSP_ID, TERMINAL_ID

FOREVER_SECONDS = 1e9
EXPIRY = "0812"
HOLDER = "مریم رضایی"
HOOK_URL = "http://localhost:8200/hook"
HOOK_SECRET = "whsec_c2ltdWxhdGVk"  # noqa: S105 - of a simulated server
HOOKS = ((HOOK_URL, HOOK_SECRET), (BILLER_HOOK_URL, BILLER_HOOK_SECRET))
CREDIT_SECONDS = 30
FOUR_EYES_RIAL = 20_000_000
CREDIT_DAY_RIAL = 10**12
LIMITS = Limits(
    Rial(10**9),
    Rial(2 * 10**9),
    transfer_max=Rial(10**9),
    transfer_day_max=Rial(2 * 10**9),
    holder_questions_per_hour=1_000_000,
    terminal_wrong_per_hour=1_000_000,
)
DISABLE_AFTER_DAYS = 2
"""Shorter than an event is tried, so that runs meet endpoints that are disabled while something waits for them."""

ISSUERS = ((ISSUER_ID, BANK_BIN), ("bank-three", "999004"))
"""Two banks, each with a wire, a database and a clock of its own, so that one can hang while the other is well."""

BANKS = tuple(issuer_id for issuer_id, _ in ISSUERS)
NUMBERS_APART = 10**9
"""Each bank counts its rows from a multiple of this, so that one memory holds the rows of all."""

WATCHED = {
    "gateway": (
        *("payment", "payment_event", "attempt", "bill", "transfer", "refund", "settlement_line", "clearing_file"),
        *("posting", "outbox"),
        *("webhook_endpoint", "webhook_event", "webhook_delivery"),
    ),
    "bank": ("card", "challenge", "authorisation", "posting", "outbox"),
}
WATCH = """
CREATE UNLOGGED TABLE simulator_change (number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, kind text NOT NULL,
  before jsonb, after jsonb);
GRANT SELECT ON simulator_change TO PUBLIC;
CREATE FUNCTION simulator_note() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$BEGIN
  INSERT INTO simulator_change (kind, before, after) VALUES (TG_TABLE_NAME,
    CASE WHEN TG_OP = 'INSERT' THEN NULL ELSE to_jsonb(OLD) END,
    CASE WHEN TG_OP = 'DELETE' THEN NULL ELSE to_jsonb(NEW) END);
  RETURN NULL;
END$$;
"""
NOTE = (
    "CREATE TRIGGER simulator_note AFTER INSERT OR UPDATE OR DELETE ON {} "
    "FOR EACH ROW EXECUTE FUNCTION simulator_note()"
)
COUNT_FROM = """
DO $$DECLARE counted record; BEGIN
  FOR counted IN SELECT sequencename FROM pg_sequences WHERE schemaname = 'public' AND max_value > {first} LOOP
    EXECUTE format('ALTER SEQUENCE %I RESTART WITH {first}', counted.sequencename);
  END LOOP;
END$$
"""


@dataclass(frozen=True, slots=True)
class Outside:
    """What is simulated for the gateway: the wires and their gates, the merchants' servers and Redis."""

    switch: Switch
    harim: Harim
    callbacks: Callbacks
    wake: Wake
    gates: tuple[Gates, ...]


@dataclass(frozen=True, slots=True)
class Databases:
    """All databases as their applications see them, and readers of what was written, by organisation."""

    gateway: SimulatedDatabase
    banks: Mapping[str, SimulatedDatabase]
    readers: Mapping[str, psycopg.Connection[tuple[object, ...]]]


class SimulatedHost(Responder):
    """A host's desk that knows the key file only: how long key sets are remembered depends on the machine's clock."""

    def __init__(self, desk: Desk, peers: Mapping[str, Peer]) -> None:
        super().__init__(desk, peers)
        self._sets = KeySets(peers, lambda _: ())


@contextmanager
def databases(cluster: Cluster, clock: Clock, fuses: dict[str, Fuse]) -> Iterator[Databases]:
    """Make all databases with simulated clocks and a record of every change; drop them afterwards."""
    names = {each: f"simulated_{each.replace('-', '_')}_{os.getpid()}" for each in ("gateway", *BANKS)}
    for organisation, name in names.items():
        _create(cluster, organisation, name)
    opened = {
        organisation: SimulatedDatabase(
            cluster.url(name, _roles(organisation).application), organisation, clock, fuses[organisation]
        )
        for organisation, name in names.items()
    }
    readers = {
        organisation: psycopg.connect(
            cluster.url(name, _roles(organisation).reader).replace("+psycopg", ""), autocommit=True
        )
        for organisation, name in names.items()
    }
    try:
        yield Databases(opened["gateway"], {each: opened[each] for each in BANKS}, readers)
    finally:
        for organisation, name in names.items():
            opened[organisation].close()
            readers[organisation].close()
            with cluster.superuser() as connection:
                connection.execute(f"DROP DATABASE {name}".encode())


def _roles(organisation: str) -> Roles:
    return Roles(_kind(organisation))


def _kind(organisation: str) -> str:
    return "bank" if organisation in BANKS else organisation


def _create(cluster: Cluster, organisation: str, name: str) -> None:
    """Make an empty database from a template that is migrated once per cluster and process."""
    kind = _kind(organisation)
    roles, template = cluster.create_roles(kind), f"{name}_template"
    if cluster.create_database(template, roles):
        migrate = {"gateway": gateway_migrations.migrate, "bank": bank_migrations.migrate}[kind]
        url = cluster.url(template, roles.owner)
        migrate(url, application_role=roles.application, reader_role=roles.reader)
        first = NUMBERS_APART * BANKS.index(organisation) if organisation in BANKS else 0
        numbers = [COUNT_FROM.format(first=first)] if first else []
        with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as owner:
            for statement in (READ_CLOCK, *numbers, WATCH, *(NOTE.format(table) for table in WATCHED[kind])):
                owner.execute(statement.encode())
    with cluster.superuser() as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {name}".encode())
    cluster.create_database(name, roles, template=template)


def keyring(*rows: tuple[str, str, int]) -> Keyring:
    """Make keys of fixed bytes from rows of id, purpose and size: nothing here is secret."""
    return Keyring([Key(key_id, purpose, Sensitive(_bytes(purpose, size))) for key_id, purpose, size in rows])


def _bytes(purpose: str, size: int) -> bytes:
    return (purpose.partition(":")[0].replace("-in", "").replace("-out", "") * size).encode()[:size]


def gateway_keys() -> Keyring:
    """Make the gateway's keys, those it shares with each issuer among them."""
    rows = [(f"{purpose}-1", purpose, 32) for purpose in gateway_purposes.ALL]
    for issuer_id, prefix in ISSUERS:
        rows += [
            (f"mac-out-{prefix}", f"iso-mac-out:{issuer_id}", 16),
            (f"mac-in-{prefix}", f"iso-mac-in:{issuer_id}", 16),
            (f"pin-{prefix}", f"iso-pin:{issuer_id}", 24),
        ]
    return keyring(*rows)


def gateway_of(database: SimulatedDatabase, keys: Keyring, outside: Outside) -> tuple[Gateway, Caller]:
    """Wire the gateway and enrol one merchant and the issuers."""
    settings = GatewaySettings(  # type: ignore[call-arg]  # mypy does not see positional defaults of Field
        database_url=SecretStr("postgresql+psycopg://simulated"),
        key_file=Path("none"),
        public_url="http://localhost:8000",
        mode="sandbox",
        psp_id=PSP_ID,
        acquirer_id=ACQUIRER_ID,
        signing_key_id="none",
        dispute_after_seconds=int(invariants.DISPUTE_AFTER.total_seconds()),
        directory_seconds=FOREVER_SECONDS,
        webhook_disable_after_days=DISABLE_AFTER_DAYS,
        transfer_credit_seconds=CREDIT_SECONDS,
        refund_four_eyes_rial=FOUR_EYES_RIAL,
    )
    gateway = Gateway(
        settings=settings,
        database=database,
        keyring=keys,
        directory=Directory(database, seconds=FOREVER_SECONDS),
        harim=outside.harim,
        switch=outside.switch,
        callbacks=outside.callbacks,
        top_ups=NoTopUps(),
        flood=FloodControl(None, workers=1),
        gates=outside.gates,
        wake=outside.wake,
    )
    names = {"name_fa": "فروشگاه", "name_en": "Shop", "payee_name": "فروشگاه", "site": "http://localhost:8200"}
    hooks = {"webhook_url": HOOK_URL, "webhook_secret": HOOK_SECRET}
    add_merchant(gateway, NewMerchant(merchant_id=MERCHANT_ID, terminal_id=TERMINAL_ID, **names, **hooks))
    hooks = {"webhook_url": BILLER_HOOK_URL, "webhook_secret": BILLER_HOOK_SECRET}
    add_merchant(gateway, NewMerchant(merchant_id=BILLER_ID, terminal_id=BILLER_TERMINAL_ID, **names, **hooks))
    add_biller(gateway, BILLER_ID, SERVICE, COMPANY)
    with database.begin() as connection:
        for issuer_id, prefix in ISSUERS:
            put_issuer(connection, _issuer(issuer_id), (prefix,))
    return gateway, Caller("key", "test", frozenset(), TERMINAL_ID, MERCHANT_ID, "http://localhost:8200")


def _issuer(issuer_id: str) -> Issuer:
    return Issuer(
        issuer_id=issuer_id,
        name_fa=BANK_NAME[0],
        name_en=BANK_NAME[1],
        harim_dialect="harim-v1-rest",
        harim_url="http://localhost:8102",
        harim_key_id="none",
        harim_public_key=bytes(32),
        harim_timeout_ms=8_000,
        switch_host="localhost",
        switch_port=8182,
        switch_timeout_ms=10_000,
        code_life_seconds=120,
        resend_wait_seconds=60,
        keeps_tombstones=True,
    )


def bank_of(issuer_id: str, database: SimulatedDatabase, sms: SmsProvider, wake: Wake) -> tuple[Bank, Responder]:
    """Wire one bank and its authorisation host, and register the gateway as a PSP."""
    prefix = dict(ISSUERS)[issuer_id]
    rows = [(f"{purpose}-1", purpose, 32) for purpose in purposes.SYMMETRIC]
    rows += [
        ("cvk-1", purposes.CARD_VERIFICATION, 16),
        (f"mac-out-{prefix}", "iso-mac-in", 16),
        (f"mac-in-{prefix}", "iso-mac-out", 16),
        (f"pin-{prefix}", "iso-pin", 24),
    ]
    keys = keyring(*rows)
    settings = BankSettings(  # type: ignore[call-arg]  # the same
        database_url=SecretStr("postgresql+psycopg://simulated"),
        key_file=Path("none"),
        public_url="http://localhost:8102",
        mode="sandbox",
        bank_name_fa=BANK_NAME[0],
        bank_name_en=BANK_NAME[1],
        disclosure="open",
        directory_seconds=FOREVER_SECONDS,
        terminal_requests_per_hour=1_000_000,
        code_length=6,
    )
    psps = PspDirectory(database, seconds=FOREVER_SECONDS)
    bank = Bank(settings, database, keys, Signer("none", bytes(32)), psps, FloodControl(None, workers=1), wake, sms)
    register_psp(bank, Psp(PSP_ID, "Pooya", ACQUIRER_ID, {"none": bytes(32)}, disclosure="open"))
    desk = Desk(database, keys, LIMITS)
    peer = HostPeer(
        mac_in=[f"mac-out-{prefix}"],
        mac_out=f"mac-in-{prefix}",
        pin=[f"pin-{prefix}"],
        credit_day_rial=CREDIT_DAY_RIAL,
    )
    return bank, SimulatedHost(desk, peers_of({ACQUIRER_ID: peer}, keys))


def open_simulated_card(bank: Bank, number: int, prefix: str, balance: int) -> SimulatedCard:
    """Open one more card."""
    body = f"{prefix}{300_000_000 + number:09d}"
    pan = Pan.parse(body + luhn_digit(body))
    mobile = f"0912{number:07d}"
    card_id = open_card(bank, NewCard(pan, EXPIRY, mobile, Rial(balance), holder=HOLDER))
    issuer_id = next(issuer_id for issuer_id, its in ISSUERS if its == prefix)
    return SimulatedCard(pan, cvv2_of(bank.keys.material("cvk-1").reveal(), pan, EXPIRY), mobile, issuer_id, card_id)
