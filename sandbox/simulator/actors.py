"""Who acts: merchants, shoppers and workers. Each action is one call of a real use case; refusals are results."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from foundation.outbox import Job, Outbox
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.worker import Periodic, Topic, Worker
from gateway import worker as gateway_worker
from gateway.api.events import renderer
from gateway.domain.card import CardEntry
from gateway.domain.errors import IdempotencyMismatch
from gateway.services.authorise import pay
from gateway.services.cancel import cancel
from gateway.services.confirm import confirm
from gateway.services.deliver import deliver_due
from gateway.services.extend import extend
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, OpenPurchase, open_payment
from gateway.services.request_pin import request_pin
from gateway.services.reverse import reverse
from gateway.store.directory import Caller
from otp.services import deliver
from otp.services.bank import Bank
from otp.store.deliveries import CODE_TOPIC, LAST_TRY_TOPIC
from sandbox.simulator.invariants import Mirror, require
from sandbox.simulator.network import Phones
from sandbox.simulator.stage import EXPIRY, open_simulated_card

SALES_MOST = 12
NEW_CARDS = 0.8
CARDS_AT_ONCE = 5
CALLBACK = "http://localhost:8200/back"


@dataclass
class Sale:
    """One purchase as merchant and shopper remember it."""

    number: int
    amount: int
    pan: Pan
    cvv2: str
    mobile: str
    payment_id: str = ""
    page_token: str = ""
    first_by: str | None = None
    rrn: str | None = None


class OneJob(Outbox):
    """Leases one job at a time."""

    def claim(self, topics: Any, *, batch: int, lease_seconds: float) -> list[Job]:
        """Lease at most one."""
        return super().claim(topics, batch=min(batch, 1), lease_seconds=lease_seconds)


class Inline(ThreadPoolExecutor):
    """A pool without threads."""

    def map(self, fn: Any, *iterables: Any, timeout: float | None = None, chunksize: int = 1) -> Any:  # noqa: ARG002
        """Do it here and now."""
        return map(fn, *iterables)


@dataclass
class Cast:
    """Everybody who acts, and what they remember."""

    dice: random.Random
    gateway: Gateway
    caller: Caller
    bank: Bank
    phones: Phones
    mirror: Mirror
    sales: list[Sale] = field(default_factory=list)
    cards: list[tuple[Pan, str, str]] = field(default_factory=list)
    opened: int = 0
    failures: list[str] = field(default_factory=list)

    def actions(self) -> dict[str, tuple[int, Callable[[], object]]]:
        """Return every action with its weight."""
        return {
            "merchant opens": (9, self.open),
            "merchant opens again": (1, self.open_again),
            "merchant confirms": (9, self.confirm),
            "merchant reverses": (2, self.reverse),
            "shopper requests PIN": (10, self.request_pin),
            "shopper pays": (15, self.pay),
            "shopper cancels": (1, lambda: cancel(self.gateway, self.sale().page_token)),
            "shopper extends": (1, lambda: extend(self.gateway, self.sale().page_token)),
        }

    def sale(self, *states: str) -> Sale:
        """Pick a sale, most often one in such a state."""
        fitting = [each for each in self.sales if self.state(each) in states] if self.dice.random() < 0.85 else []  # noqa: PLR2004
        return self.dice.choice(fitting or self.sales)

    def state(self, sale: Sale) -> str:
        """Say where a sale's payment stands."""
        return str(self.mirror.payments.get(sale.payment_id, {}).get("state"))

    def open(self) -> str:
        """Open a payment, and repeat the call until it is known to have been opened."""
        self.sales = [each for each in self.sales if self.state(each) not in {"reversed", "cancelled", "expired"}]
        if len(self.sales) >= SALES_MOST:
            self.sales.pop(0)
        pan, cvv2, mobile = self._card()
        self.opened += 1
        sale = Sale(self.opened, self.dice.randrange(1_000, 30_000_000), pan, cvv2, mobile)
        self.sales.append(sale)
        return self._open(sale)

    def open_again(self) -> str:
        """Repeat an opening under its key; with another body it must be refused (I10)."""
        sale = self.sale()
        if self.dice.random() < 0.5 or not sale.payment_id:  # noqa: PLR2004
            return self._open(sale)
        try:
            self._open(replace(sale, amount=sale.amount + 1))
        except IdempotencyMismatch:
            return "refused, as it must"
        require(False, "I10: another body under the same key was answered")  # noqa: FBT003
        return ""

    def _open(self, sale: Sale) -> str:
        purchase = OpenPurchase(Rial(sale.amount), f"order-{sale.number}", CALLBACK)
        key = Idempotency(f"open-{sale.number}", str(sale.amount).encode().ljust(32))
        record = open_payment(self.gateway, self.caller, purchase, key)
        require(sale.payment_id in {"", record.payment_id}, "I10: the same key opened another payment")
        sale.payment_id, sale.page_token = record.payment_id, record.page_token
        return f"{sale.number}"

    def _card(self) -> tuple[Pan, str, str]:
        if len(self.cards) < CARDS_AT_ONCE or self.dice.random() < NEW_CARDS:
            number = len(self.cards) + 1
            poor = number % 10 == 0
            pan, cvv2 = open_simulated_card(self.bank, number, 500_000 if poor else 1_500_000_000)
            self.cards.append((pan, cvv2, f"0912{number:07d}"))
            return self.cards[-1]
        return self.dice.choice(self.cards[-CARDS_AT_ONCE:])

    def confirm(self) -> str:
        """Confirm, with one of two keys or none; at most one of them is told that it was the first (I8)."""
        sale = self.sale("authorised", "confirmed")
        key = self.dice.choice((None, "a", "b"))
        idempotency = Idempotency(f"confirm-{sale.number}-{key}", bytes(32)) if key else None
        done = confirm(self.gateway, self.caller, sale.payment_id, Rial(sale.amount), idempotency)
        if done.first_time:
            require(sale.first_by is None or (sale.first_by == key and key), f"I8: {sale.number} confirmed first twice")
            sale.first_by = key or "nobody"
        require(sale.rrn in {None, done.record.rrn}, f"I8: {sale.number} has two reference numbers")
        sale.rrn = done.record.rrn
        return f"{sale.number} by {key}, first {done.first_time}"

    def reverse(self) -> str:
        """Give the money back."""
        sale = self.sale("authorised", "confirmed")
        idempotency = Idempotency(f"reverse-{sale.number}", bytes(32)) if self.dice.random() < 0.5 else None  # noqa: PLR2004
        return f"{sale.number} {reverse(self.gateway, self.caller, sale.payment_id, idempotency).state}"

    def request_pin(self) -> str:
        """Ask for a code, most often with card proof."""
        sale = self.sale("open")
        entry = CardEntry(sale.pan, Sensitive(sale.cvv2), Sensitive(EXPIRY))
        if self.dice.random() < 0.05:  # noqa: PLR2004
            entry = CardEntry(sale.pan)
        return f"{sale.number} {type(request_pin(self.gateway, sale.page_token, entry)).__name__}"

    def pay(self) -> str:
        """Submit the card page with a right, an older, another sale's, or a made-up code."""
        sale = self.sale("open")
        codes = self.phones.codes.get(sale.mobile, [])
        pin = codes[-1] if codes else "000000"
        luck = self.dice.random()
        if not codes and luck > 0.05:  # noqa: PLR2004 - few people guess
            return f"{sale.number} waits for a code"
        if luck < 0.08:  # noqa: PLR2004 - a typing error
            pin = f"{self.dice.randrange(10**6):06}"
        elif luck < 0.25 and codes:  # noqa: PLR2004 - an older code, perhaps another sale's
            pin = self.dice.choice(codes[-4:])
        cvv2 = "000" if self.dice.random() < 0.02 else sale.cvv2  # noqa: PLR2004
        entry = CardEntry(sale.pan, Sensitive(cvv2), Sensitive(EXPIRY), Sensitive(pin))
        result = pay(self.gateway, sale.page_token, entry)
        return f"{sale.number} {type(result).__name__}"

    def jobs(self) -> tuple[tuple[str, Callable[[], object]], ...]:
        """Return every queue of both workers, each done one job at a time."""
        gateway = Outbox(self.gateway.database)
        bank_topics = (
            Topic(CODE_TOPIC, lambda job: deliver.send_code(self.bank, job), (1.0, 2.0, 4.0), None, 20),
            Topic(LAST_TRY_TOPIC, lambda job: deliver.send_last_try_warning(self.bank, job), (5.0, 30.0), 10, 20),
        )
        rows = [(gateway, topic) for topic in gateway_worker.topics(self.gateway)]
        rows += [(Outbox(self.bank.database), topic) for topic in bank_topics]
        webhooks = partial(deliver_due, self.gateway, renderer(self.gateway.settings), most=1)
        return (*((topic.name, self._tick(outbox, topic)) for outbox, topic in rows), ("webhook", webhooks))

    def _tick(self, outbox: Outbox, topic: Topic) -> Callable[[], object]:
        def watched(job: Job) -> Any:
            try:
                return topic.handler(job)
            except Exception as error:
                self.failures.append(f"{topic.name}: {type(error).__name__}: {error}")
                raise

        worker = Worker(OneJob(outbox._database), [replace(topic, handler=watched)])  # noqa: SLF001 - same table
        return lambda: worker.tick(Inline(1))

    def sweeps(self) -> tuple[Periodic, ...]:
        """Return every sweeper of both workers."""
        own = (Periodic("expire challenges", 5, lambda: deliver.expire_challenges(self.bank)),)
        return (*gateway_worker.periodics(self.gateway), *own)
