"""Who acts: merchants and shoppers. Each action is one call of a real use case; refusals are results."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Callable
from dataclasses import dataclass, field

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.card import CardEntry
from gateway.domain.errors import (
    AmountMismatch,
    AttemptInProgress,
    DuplicateOrder,
    GatewayError,
    IdempotencyMismatch,
    NotPossible,
    TooManyAttempts,
)
from gateway.domain.transfer import Consent
from gateway.domain.transfer_errors import HolderQuestionChallenged, InvalidDestination, TransferLimit
from gateway.services.authorise import NOTHING_SEEN, Checking, Paid, Refused, pay
from gateway.services.bills import OpenBills, open_bills
from gateway.services.cancel import cancel
from gateway.services.confirm import CONFIRMED, confirm
from gateway.services.extend import extend
from gateway.services.gateway import Gateway
from gateway.services.open_payment import Idempotency, OpenPurchase, PaymentRecord, open_payment
from gateway.services.request_pin import request_pin
from gateway.services.reverse import GOING_BACK, reverse
from gateway.services.show_page import page_of
from gateway.store.directory import Caller
from otp.services.bank import Bank
from sandbox.simulator.bills import some_bills
from sandbox.simulator.cashiers import Cashiers
from sandbox.simulator.check import require
from sandbox.simulator.hooks import Developer
from sandbox.simulator.invariants import WAITING
from sandbox.simulator.memory import instant
from sandbox.simulator.mirror import Mirror
from sandbox.simulator.network import Network
from sandbox.simulator.sale import Sale, SimulatedCard
from sandbox.simulator.senders import Senders
from sandbox.simulator.stage import EXPIRY, ISSUERS
from sandbox.simulator.wallets import Wallets

SALES_MOST = 12
COIN = 0.5
BILLED, SENT = 0.2, 0.4
"""Shares of payments that are for bills, and that send money to another card."""

NO_TRANSFER = (InvalidDestination, TransferLimit, HolderQuestionChallenged)
CALLBACK = "http://localhost:8200/back"
LIVE = frozenset({"open", "paying", "unknown", "authorised", "confirmed", "settled", "reversing", "disputed"})
CONFIRMABLE = ("authorised", "confirmed")
MOMENT_SECONDS = 0.000_001


@dataclass
class Cast:
    """Merchants and shoppers, and what they remember."""

    dice: random.Random
    network: Network
    gateway: Gateway
    caller: Caller
    banks: dict[str, Bank]
    codes: dict[str, list[str]]
    developer: Developer
    mirror: Mirror
    sales: list[Sale] = field(default_factory=list)
    paying: list[Sale] = field(default_factory=list)
    opened: int = 0

    def __post_init__(self) -> None:
        self.wallets = Wallets(self.dice, self.network, self.banks)
        self.cashiers = Cashiers(self.dice, self.network, self.gateway, self.caller, self.mirror)
        self.senders = Senders(self.dice, self.network, self.gateway, self.caller, self.banks, self.mirror)

    def actions(self) -> dict[str, tuple[int, Callable[[], object]]]:
        """Return every action with its weight."""
        return {
            "merchant opens": (8, self.open),
            "merchant opens again": (1, self.open_again),
            "merchant opens the order anew": (1, self.open_order_anew),
            "merchant confirms": (8 + 10 * len(self.developer.merchants.serving), self.confirm),
            "merchant confirms at the last moment": (3, self.confirm_at_the_last_moment),
            "merchant confirms another sum": (1, self.confirm_another_sum),
            "merchant reverses": (2, self.reverse),
            **self.cashiers.actions(self.sales),
            "shopper requests PIN": (12, self.request_pin),
            "shopper pays": (18, self.pay),
            "shopper cancels": (2, lambda: cancel(self.gateway, (self._given_up() or self.sale()).page_token)),
            "shopper extends": (1, lambda: extend(self.gateway, self.sale().page_token)),
            "shopper looks": (1, self.look),
            "bank closes a card": (1, lambda: self.senders.bank_closes(self.sales)),
        }

    def sale(self, *states: str) -> Sale:
        """Pick a sale: most often one in such a state, now and then one that is just being paid."""
        luck = self.dice.random()
        if self.paying and luck < 0.25:  # noqa: PLR2004 - a quarter
            return self.dice.choice(self.paying)
        fitting = [each for each in self.sales if self.mirror.state(each.payment_id) in states] if luck < 0.9 else []  # noqa: PLR2004 - mostly
        return self.dice.choice(fitting or self.sales)

    def open(self) -> str:
        """Open a payment, and repeat the call until it is known to have been opened."""
        self.sales = [each for each in self.sales if self.mirror.state(each.payment_id) in LIVE or each in self.paying]
        if len(self.sales) >= SALES_MOST:
            self.sales.pop(0)
        self.opened += 1
        guesses = self.dice.random() < 0.06  # noqa: PLR2004 - a few do not have the phone
        cards = self.wallets.cards
        card = cards[-1 - (len(cards) - 1) % 10] if guesses and cards else self.wallets.card()
        sale = self._sale(card, guesses=guesses)
        self.sales.append(sale)
        try:
            return self._open(sale, sale.amount)
        except NO_TRANSFER:
            if len(self.sales) > 1:
                self.sales.remove(sale)
            raise

    def _sale(self, card: SimulatedCard, *, guesses: bool) -> Sale:
        """Choose what is paid: goods, bills, or somebody else's card; a poor card spends what it was sent."""
        sale = Sale(self.opened, self.dice.randrange(1_000, 30_000_000), card, f"open-{self.opened}", guesses=guesses)
        luck = self.dice.random()
        if luck < BILLED:
            sale.bills = some_bills(self.dice, self.opened)
            sale.amount = sum(bill.amount.amount for bill in sale.bills)
        elif luck < BILLED + SENT and (chosen := self.senders.choose(card, self.wallets.cards)):
            sale.destination, sale.amount = chosen
        elif card.card_id in self.senders.got:
            sale.amount = self.senders.got[card.card_id]
        return sale

    def open_again(self) -> str:
        """Repeat an opening under its key; with another body it must be refused (I10)."""
        sale = self.sale()
        if self.dice.random() < COIN or not sale.payment_id:
            return self._open(sale, sale.amount)
        self._refused(lambda: self._open(sale, sale.amount + 1), IdempotencyMismatch, "I10: another body was answered")
        return f"{sale.number} refused"

    def open_order_anew(self) -> str:
        """Open an order a second time under another key: refused while the first payment lives (D42)."""
        sale = self.sale()
        self.opened += 1
        new = sale.anew(f"open-{self.opened}")
        try:
            self._open(new, sale.amount)
        except DuplicateOrder:
            return f"{sale.number} refused"
        lives = sale.payment_id and self.mirror.state(sale.payment_id) in LIVE  # not before: opening may take its time
        require(not lives, f"D42: order {sale.number} has two payments")
        self.sales.append(new)
        return f"{sale.number} anew"

    def _open(self, sale: Sale, amount: int) -> str:
        idempotency = Idempotency(sale.key, str(amount).encode().ljust(32))
        record = self._opened(sale, amount, idempotency)
        require(sale.payment_id in {"", record.payment_id}, "I10: the same key opened another payment")
        self._same(sale, "open", record)
        sale.payment_id, sale.page_token = record.payment_id, record.page_token
        return f"{sale.number}"

    def _opened(self, sale: Sale, amount: int, idempotency: Idempotency) -> PaymentRecord:
        order = f"order-{sale.number}"
        if sale.destination:
            return self.senders.open(sale, amount, order, CALLBACK, idempotency)
        if not sale.bills:
            return open_payment(self.gateway, self.caller, OpenPurchase(Rial(amount), order, CALLBACK), idempotency)
        return open_bills(self.gateway, self.caller, OpenBills(sale.bills, order, CALLBACK), idempotency)

    def confirm(self, sale: Sale | None = None) -> str:
        """Confirm, with one of two keys or none; at most one of them is told that it was the first (I8)."""
        told = [each for each in self.sales if each.payment_id in self.developer.merchants.serving]
        sale = sale or (self.dice.choice(told) if told and self.dice.random() < COIN else self.sale(*CONFIRMABLE))
        key = self.dice.choice((None, "a", "b"))
        replay = key is not None and f"confirm-{key}" in sale.answers
        if replay and self.dice.random() < 0.2:  # noqa: PLR2004 - one in five
            other = Idempotency(f"confirm-{sale.payment_id}-{key}", b"x" * 32)
            self._refused(lambda: self._confirm(sale, other), IdempotencyMismatch, "I10: another body was answered")
            return f"{sale.number} refused"
        idempotency = Idempotency(f"confirm-{sale.payment_id}-{key}", bytes(32)) if key else None
        done = confirm(self.gateway, self.caller, sale.payment_id, Rial(sale.amount), idempotency)
        require(done.record.state in CONFIRMED, f"I8: {sale.number} is {done.record.state} and was confirmed")
        if done.first_time:
            require(sale.first_by is None or (sale.first_by == key and key), f"I8: {sale.number} confirmed first twice")
            sale.first_by = key or "nobody"
        if key:
            self._same(sale, f"confirm-{key}", done)
        if sale.payment_id in self.developer.merchants.serving:
            self.network.saw("confirmed while its webhook was under way")
        require(sale.rrn in {None, done.record.rrn}, f"I8: {sale.number} has two reference numbers")
        sale.rrn = done.record.rrn
        return f"{sale.number} by {key}, first {done.first_time}"

    def _confirm(self, sale: Sale, idempotency: Idempotency) -> object:
        return confirm(self.gateway, self.caller, sale.payment_id, Rial(sale.amount), idempotency)

    def confirm_at_the_last_moment(self) -> str:
        """Confirm within a microsecond of the end of the window, before or after it, while a sweeper may come too."""
        sale = self.sale("authorised")
        row = self.mirror.payments.get(sale.payment_id, {})
        if row.get("state") != "authorised" or sale.destination:
            return "nothing to confirm"
        ends = instant(row["authorised_at"]) + dt.timedelta(seconds=row["confirm_window_seconds"])
        left = (ends - self.network.clock.now("gateway")).total_seconds()
        moment = self.dice.choice((-MOMENT_SECONDS, -MOMENT_SECONDS, 0.0, MOMENT_SECONDS))
        if left + moment < 0:
            return "too late anyway"
        self.network.clock.seconds += left + moment
        if self.dice.random() < COIN:
            self.network.wait()
        try:
            said = self.confirm(sale)
        except NotPossible:
            self.network.saw("confirmed too late")
            raise
        self.network.saw("confirmed in the last moment")
        return said

    def confirm_another_sum(self) -> str:
        """Confirm a sum that is not the payment's: it must be refused and change nothing."""
        sale = self.sale(*CONFIRMABLE)
        wrong = lambda: confirm(self.gateway, self.caller, sale.payment_id, Rial(sale.amount + 1), None)  # noqa: E731 - one call, named
        self._refused(wrong, AmountMismatch, "I3: another sum was confirmed")
        return f"{sale.number} refused"

    def reverse(self) -> str:
        """Give the money back."""
        sale = self.sale(*CONFIRMABLE)
        key = f"reverse-{sale.payment_id}"
        if "reverse" in sale.answers and self.dice.random() < COIN:
            other = lambda: reverse(self.gateway, self.caller, sale.payment_id, Idempotency(key, b"x" * 32))  # noqa: E731 - named
            self._refused(other, IdempotencyMismatch, "I10: another body was answered")
            return f"{sale.number} refused"
        idempotency = Idempotency(key, bytes(32)) if self.dice.random() < COIN else None
        record = reverse(self.gateway, self.caller, sale.payment_id, idempotency)
        require(record.state in GOING_BACK, f"I8: {sale.number} is {record.state} and was reversed")
        if idempotency:
            self._same(sale, "reverse", record)
        return f"{sale.number} {record.state}"

    def request_pin(self) -> str:
        """Ask for a code, most often with card proof, now and then with card data that are not right."""
        waiting = [each for each in self.sales if each.guesses or not self.codes.get(each.card.mobile)]
        sale = self.dice.choice(waiting) if waiting and self.dice.random() < COIN else self.sale("open")
        sale = self._given_up() or sale
        luck = self.dice.random()
        cvv2 = "000" if luck > 0.99 else sale.card.cvv2  # noqa: PLR2004 - one in a hundred
        entry = CardEntry(sale.card.pan, Sensitive(cvv2), Sensitive(EXPIRY))
        if luck < 0.05:  # noqa: PLR2004 - one in twenty
            entry = CardEntry(sale.card.pan)
        return f"{sale.number} {type(request_pin(self.gateway, sale.page_token, entry)).__name__}"

    def pay(self) -> str:
        """Submit the card page with a right, an older, another sale's, or a made-up code."""
        sale = self._given_up() or self._ready()
        codes = self.codes.get(sale.card.mobile, [])
        if not codes and not sale.guesses and self.dice.random() < 0.95:  # noqa: PLR2004 - few people guess
            return f"{sale.number} waits for a code"
        cvv2 = "000" if self.dice.random() < 0.03 else sale.card.cvv2  # noqa: PLR2004 - a typing error
        code = self._code(sale, codes)
        entry = CardEntry(sale.card.pan, Sensitive(cvv2), Sensitive(EXPIRY), Sensitive(code))
        busy = sale in self.paying
        self.paying.append(sale)
        try:
            result = pay(self.gateway, sale.page_token, entry, self._consent(sale))
            self.network.point("gateway.before_response")
        except AttemptInProgress:
            if busy:
                self.network.saw("second tab refused")
            raise
        except TooManyAttempts:
            sale.gives_up = True
            raise
        finally:
            self.paying.remove(sale)
        if code in codes and self.dice.random() < 0.85:  # noqa: PLR2004 - most people know a used code from a new one
            codes.remove(code)
        self._judge(sale, result)
        return f"{sale.number} {type(result).__name__}"

    def _consent(self, sale: Sale) -> Consent:
        """Look at a transfer's page, and tick that the payee's name is right."""
        if sale.destination is None:
            return NOTHING_SEEN
        return Consent(page_of(self.gateway, sale.page_token).reference, checked=True)

    def _given_up(self) -> Sale | None:
        """Pick now and then a sale that can be paid again although somebody still waits for its first answer."""
        free = [each for each in self.paying if self.mirror.state(each.payment_id) == "open"]
        return self.dice.choice(free) if free and self.dice.random() < COIN else None

    def _ready(self) -> Sale:
        """Pick a sale to pay: most often one whose shopper has a code, or needs none."""
        sale = self.sale("open")
        ready = [
            each
            for each in (*self.sales, *2 * [guesser for guesser in self.sales if guesser.guesses])
            if (each.guesses or self.codes.get(each.card.mobile))
            and not each.gives_up
            and self.mirror.state(each.payment_id) == "open"
            and each.payment_id
        ]
        return self.dice.choice(ready) if ready and sale not in self.paying else sale

    def _code(self, sale: Sale, codes: list[str]) -> str:
        luck = self.dice.random()
        if not codes or sale.guesses or luck < 0.05:  # noqa: PLR2004 - a typing error
            return f"{self.dice.randrange(10**6):06}"
        return self.dice.choice(codes[-4:]) if luck < 0.2 else codes[-1]  # noqa: PLR2004 - perhaps another sale's

    def _judge(self, sale: Sale, result: object) -> None:
        """Count a purchase at one bank while the other hangs, and check that nobody is told less or more (I6)."""
        others = [issuer_id for issuer_id, _ in ISSUERS if issuer_id != sale.card.issuer_id]
        if isinstance(result, Paid) and any(map(self.network.hangs, others)):
            self.network.saw("paid while another bank hung")
        require(isinstance(result, (Paid, Refused, Checking)), "I6: the shopper was told nothing")

    def look(self) -> str:
        """Look at the page: what nobody knows yet is not shown as an end (I6)."""
        sale = self.sale("unknown", "reversing")
        view = page_of(self.gateway, sale.page_token)
        row = self.mirror.payments[sale.payment_id]
        own = self.mirror.attempts.get(row["attempt_id"] or "", {})
        if own.get("state") in WAITING and not own["late"]:
            wrong = view.last_decline is not None or view.last_voided or view.receipt is not None
            said_failed = str(view.state) == "unknown" and wrong
            require(not said_failed, f"I6: the page of {sale.number} shows an end while nobody knows")
            require(view.state != "unknown" or view.decided_by, f"I6: the page of {sale.number} promises no hour")
        return f"{sale.number} {view.state}"

    def _refused(self, call: Callable[[], object], error: type[GatewayError], what: str) -> None:
        try:
            call()
        except error:
            return
        require(False, what)  # noqa: FBT003 - it was not refused

    def _same(self, sale: Sale, key: str, answer: object) -> None:
        """Check I10: the same key and body are given the first answer again."""
        require(sale.answers.setdefault(key, answer) == answer, f"I10: {sale.number} {key} was answered otherwise")
