"""A small world around the gateway: a merchant, an issuer, cards, a clock that can be moved, books that can be read."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import text

from foundation.database import Database
from foundation.keys import Key, Keyring
from foundation.outbox import Outbox
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.worker import Worker
from gateway.api.events import renderer
from gateway.domain import purposes
from gateway.domain.card import CardEntry
from gateway.domain.issuers import Issuer
from gateway.domain.payment import PaymentState
from gateway.domain.transfer import Consent
from gateway.services.authenticate import authenticate
from gateway.services.authorise import PayResult, pay
from gateway.services.confirm import Confirmed, confirm
from gateway.services.deliver import deliver_due
from gateway.services.enrol import NewMerchant, add_issuer, add_merchant
from gateway.services.gateway import Gateway
from gateway.services.keys import new_key
from gateway.services.open_payment import Idempotency, OpenPurchase, PaymentRecord, open_payment
from gateway.services.refund import AskedRefund, RefundRecord, refund
from gateway.services.show_page import page_of
from gateway.store.directory import Caller
from gateway.worker import periodics, topics
from tests.fakes.callbacks import FakeCallbacks
from tests.fakes.harim import FakeHarim
from tests.fakes.loose import unguarded
from tests.fakes.switch import FakeSwitch

PAN = with_check_digit("999002000000123")
SECRET_KEY = "sk_test_" + "A" * 40
WEBHOOK_SECRET = "whsec_" + "c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"
MERCHANT = NewMerchant(
    merchant_id="000000000000001",
    terminal_id="00000001",
    name_fa="کتاب‌سرای آزمون",
    name_en="Test Bookshop",
    payee_name="کتاب سرا",
    site="http://localhost:8200",
    webhook_url="http://localhost:8200/webhooks",
    webhook_secret=WEBHOOK_SECRET,
)
ISSUER = Issuer(
    issuer_id="two",
    name_fa="بانک دو",
    name_en="Bank Two",
    harim_dialect="harim-v1-rest",
    harim_url="http://localhost:8102",
    harim_key_id="bank-two",
    harim_public_key=bytes(32),
    harim_timeout_ms=2_000,
    switch_host="localhost",
    switch_port=8182,
    switch_timeout_ms=2_000,
    code_life_seconds=120,
    resend_wait_seconds=60,
    keeps_tombstones=True,
    recovery_per_second=1_000,  # tests ask at will; the pace has tests of its own
    recovery_burst=1_000,
)
ONE = replace(ISSUER, issuer_id="one", name_fa="بانک یک", name_en="Bank One", switch_port=8181)


def keyring() -> Keyring:
    """Make a key for every purpose of the gateway."""
    rows = [
        Key(f"{purpose}-1", purpose, Sensitive(bytes([number + 1]) * 32)) for number, purpose in enumerate(purposes.ALL)
    ]
    return Keyring(rows)


def card(pan: str = PAN, pin: str | None = "123456") -> CardEntry:
    """Make a complete entry."""
    typed = None if pin is None else Sensitive(pin)
    return CardEntry(Pan.parse(pan), cvv2=Sensitive("123"), expiry=Sensitive("0812"), pin=typed)


_SECONDS_TO_NOON = """
SELECT extract(epoch FROM date_trunc('day', house_now(), 'Asia/Tehran') + interval '12 hours' - house_now())
"""


@dataclass
class Shop:
    """What a test drives; ``owner`` is the database as its owner."""

    gateway: Gateway
    switch: FakeSwitch
    harim: FakeHarim
    callbacks: FakeCallbacks
    owner: Database
    caller: Caller = field(init=False)
    _orders: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _ahead: float = 0.0

    def __post_init__(self) -> None:
        add_merchant(self.gateway, MERCHANT)
        add_issuer(self.gateway, ISSUER, ("999002",))
        new_key(self.gateway, MERCHANT.terminal_id, secret=SECRET_KEY)
        self.caller = authenticate(self.gateway, SECRET_KEY)

    def open(self, amount: int = 250_000, *, order_id: str | None = None, key: str | None = None) -> PaymentRecord:
        """Open a payment."""
        purchase = OpenPurchase(Rial(amount), order_id or f"order-{next(self._orders)}", "http://localhost:8200/back")
        idempotency = None if key is None else Idempotency(key, f"{amount} {order_id}".encode().ljust(32))
        return open_payment(self.gateway, self.caller, purchase, idempotency)

    def pay(self, payment: PaymentRecord, entry: CardEntry | None = None) -> PayResult:
        """Submit the card page."""
        return pay(self.gateway, payment.page_token, entry or card())

    def send(self, payment: PaymentRecord, entry: CardEntry | None = None, *, checked: bool = True) -> PayResult:
        """Submit the card page of a transfer as it stands now, its payee ticked or not."""
        consent = Consent(page_of(self.gateway, payment.page_token).reference, checked)
        return pay(self.gateway, payment.page_token, entry or card(), consent)

    def paid(self, amount: int = 250_000) -> PaymentRecord:
        """Open a payment and pay it."""
        payment = self.open(amount)
        self.pay(payment)
        return payment

    def confirm(self, payment: PaymentRecord, *, amount: int | None = None, key: str | None = None) -> Confirmed:
        """Confirm a payment."""
        idempotency = None if key is None else Idempotency(key, payment.payment_id.encode().ljust(32))
        wanted = Rial(amount or payment.amount_rial)
        return confirm(self.gateway, self.caller, payment.payment_id, wanted, idempotency)

    def refund(self, payment: PaymentRecord, amount: int, refund_id: str, *, key: str | None = None) -> RefundRecord:
        """Ask for a refund."""
        idempotency = None if key is None else Idempotency(key, f"{refund_id} {amount}".encode().ljust(32))
        asked = AskedRefund(refund_id, Rial(amount))
        return refund(self.gateway, self.caller, payment.payment_id, asked, idempotency)

    def state(self, payment: PaymentRecord) -> PaymentState:
        """Say where the payment stands."""
        return page_of(self.gateway, payment.page_token).state

    def rows(self, query: str, **values: Any) -> list[tuple[Any, ...]]:
        """Read the books."""
        with self.owner.single() as connection:
            return [tuple(row) for row in connection.execute(text(query), values)]

    def change(self, statement: str, **values: Any) -> None:
        """Do by hand what no program may."""
        with self.owner.single() as connection:
            connection.execute(text(statement), values)

    def forge(self, statement: str, **values: Any) -> None:
        """Do by hand what the tables refuse to their owner too."""
        with self.owner.begin() as connection, unguarded(connection.exec_driver_sql, statement):
            connection.execute(text(statement), values)

    def balances(self) -> dict[str, int]:
        """Add up every account that is not zero."""
        query = """SELECT account, CAST(sum(amount) AS bigint) FROM (
            SELECT source AS account, -amount_rial AS amount FROM posting
            UNION ALL SELECT destination, amount_rial FROM posting) AS rows
            GROUP BY account HAVING sum(amount) <> 0"""
        return dict(self.rows(query))  # type: ignore[arg-type]  # rows of two

    def at_noon(self) -> None:
        """Let it be noon in Tehran: what a test shows of hours and days then hangs on no midnight near by."""
        self.in_the_present()
        self._ahead = float(self.rows(_SECONDS_TO_NOON)[0][0])
        self.later(0)

    def in_the_present(self) -> None:
        """Put the house clock right."""
        self._ahead = 0.0
        self.later(0)

    def later(self, seconds: float) -> None:
        """Move the house clock forward, in all."""
        body = f"SELECT clock_timestamp() + interval '{self._ahead + seconds} seconds'"
        self.change(f"CREATE OR REPLACE FUNCTION house_now() RETURNS timestamptz LANGUAGE sql VOLATILE AS $$ {body} $$")

    def sweep(self) -> None:
        """Run every sweeper once."""
        for periodic in periodics(self.gateway):
            periodic.run()

    def work(self) -> int:
        """Do the jobs and send the webhooks that are due now, each once; return how many."""
        outbox = Outbox(self.gateway.database)
        done = 0
        for topic in topics(self.gateway):
            with ThreadPoolExecutor(1) as pool:
                before = self.rows("SELECT coalesce(sum(tries), 0) FROM outbox")[0][0]
                Worker(outbox, [topic]).tick(pool)
                done += self.rows("SELECT coalesce(sum(tries), 0) FROM outbox")[0][0] - before
        return int(done) + deliver_due(self.gateway, renderer(self.gateway.settings))

    def settle_down(self, *, after: float = 0.0, rounds: int = 60) -> None:
        """From ``after`` seconds on, let time pass and the worker work until nothing is left to do."""
        seconds = after
        for _ in range(rounds):
            seconds += 20
            self.later(seconds)
            self.sweep()
            self.work()
            if not self.rows(
                "SELECT 1 FROM outbox WHERE done_at IS NULL AND dead_at IS NULL "
                "UNION ALL SELECT 1 FROM webhook_delivery WHERE state = 'waiting' LIMIT 1"
            ):
                return
        raise AssertionError("the worker does not come to rest")
