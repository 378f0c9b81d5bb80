"""F1, F2, F3, F24, F25 on real servers: a process dies or freezes at a named place, the money is told the truth about.

After every test gateway, bank and shop are compared to the rial (:func:`tests.e2e.conftest.books_agree`).
"""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
import requests

from sandbox.banks import BANK_ONE
from sandbox.cards import APPROVE
from sandbox.crashes import POINTS
from sandbox.merchant import Merchant
from sandbox.shopper import Shopper
from tests.world import RunningWorld, wait_for

RECOVERY_SECONDS = 90.0
CHECKING = "دوباره پرداخت نکنید"


@dataclass(frozen=True)
class Books:
    """One organisation's database, read as its owner."""

    world: RunningWorld
    organisation: str

    def one(self, query: str, *values: object) -> object:
        """Return the one value that a query finds now."""
        url = self.world.world.database_url(self.organisation, "owner").replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            row = connection.execute(query.encode(), values).fetchone()
        return row[0] if row else None

    def wait(self, wanted: object, query: str, *values: object) -> None:
        """Return when a query finds ``wanted``."""
        wait_for(lambda: self.one(query, *values) == wanted, f"{wanted} from {query}", RECOVERY_SECONDS)


@pytest.fixture
def gateway(world: RunningWorld) -> Books:
    """The gateway's books."""
    return Books(world, "gateway")


@pytest.fixture
def bank(world: RunningWorld) -> Books:
    """The bank's books."""
    return Books(world, "bank_two")


@pytest.fixture
def buying(world: RunningWorld) -> Iterator[Callable[..., tuple[Shopper, str]]]:
    """Give a function that brings a shopper to the pay button, with a code; nothing stays armed afterwards."""

    def bring(behaviour: str | None = None) -> tuple[Shopper, str]:
        shopper = Shopper(world, world.card(behaviour) if behaviour else world.fresh_card())
        shopper.check_out("soap")
        return shopper, shopper.request_pin()

    yield bring
    assert world.armed_at is None, "the armed place was never passed"


STATE = "SELECT state FROM payment WHERE page_token = %s"
ATTEMPTS = "SELECT count(*) FROM attempt JOIN payment USING (payment_id) WHERE page_token = %s AND attempt.state = %s"
CREDITS = "SELECT count(*) FROM posting WHERE destination LIKE 'card:%%'"
GIVEN = "SELECT coalesce(sum(amount_rial), 0) FROM posting WHERE destination LIKE 'card:%%'"
SENT = "SELECT amount_rial FROM authorisation WHERE kind = 'transfer' ORDER BY authorisation_id DESC LIMIT 1"
DEBITS = "SELECT count(*) FROM posting WHERE source LIKE 'card:%%'"


@pytest.mark.parametrize("point", ["gateway.after_issuer_call", "bank.after_debit_before_answer"])
def test_f1_killed_after_the_debit_and_before_the_record(
    world: RunningWorld, gateway: Books, bank: Books, buying: Callable[..., tuple[Shopper, str]], point: str
) -> None:
    """F1, D2: the page says that we are still asking; the inquiry finds the debit, and the shop gets its order paid."""
    shopper, code = buying()
    before = bank.one(DEBITS)
    world.crash_at(point)

    pay_whatever_happens(shopper, code)

    world.wait_for_crash()
    assert CHECKING in shown(shopper)
    gateway.wait("confirmed", STATE, shopper.page_token)
    assert bank.one(DEBITS) == int(str(before)) + 1


@pytest.mark.parametrize("point", ["gateway.before_issuer_call", "bank.before_commit"])
def test_f2_killed_before_the_debit(
    world: RunningWorld, gateway: Books, bank: Books, buying: Callable[..., tuple[Shopper, str]], point: str
) -> None:
    """F2, D1: the bank never had it, which a tombstone makes final; the shopper pays again and is debited once."""
    shopper, code = buying()
    before = bank.one(DEBITS)
    world.crash_at(point)

    pay_whatever_happens(shopper, code)

    world.wait_for_crash()
    gateway.wait(1, ATTEMPTS, shopper.page_token, "voided")
    assert bank.one(DEBITS) == before
    shopper.page = shopper.browser.get(payment_page(shopper))
    shopper.pay(code)
    gateway.wait("confirmed", STATE, shopper.page_token)
    assert bank.one(DEBITS) == int(str(before)) + 1


def test_f3_killed_after_the_record_and_before_the_page(
    world: RunningWorld, gateway: Books, bank: Books, buying: Callable[..., tuple[Shopper, str]]
) -> None:
    """F3: pressing the button again shows the same result; the card is debited once."""
    shopper, code = buying()
    before, page = bank.one(DEBITS), shopper.page
    world.crash_at("gateway.before_response")

    pay_whatever_happens(shopper, code)

    world.wait_for_crash()
    shopper.page = page
    assert "پرداخت انجام شد" in shopper.pay(code).text
    gateway.wait("confirmed", STATE, shopper.page_token)
    assert bank.one(DEBITS) == int(str(before)) + 1


def test_f30_a_restart_in_mid_payment_loses_no_page(
    world: RunningWorld, gateway: Books, buying: Callable[..., tuple[Shopper, str]]
) -> None:
    """F30: SIGTERM while the bank takes its time, as at a rolling restart: the successor's page tells the outcome."""
    shopper, code = buying("bank_slow")
    pid = world.pid_of("gateway")
    with ThreadPoolExecutor(1) as pool:
        paying = pool.submit(pay_whatever_happens, shopper, code)
        gateway.wait(1, ATTEMPTS, shopper.page_token, "submitted")
        os.kill(pid, signal.SIGTERM)
        paying.result()

    wait_for(lambda: world.pid_of("gateway") != pid, "the gateway's successor")
    gateway.wait("confirmed", STATE, shopper.page_token)
    assert "پرداخت انجام شد" in shown(shopper)


def test_killed_after_the_bank_accepted_a_pin_request(world: RunningWorld, gateway: Books) -> None:
    """The code arrives although the page broke; it pays."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    page, before = shopper.page, len(shopper.messages())
    world.crash_at("gateway.after_pin_request")
    with pytest.raises(requests.ConnectionError):
        shopper.press("request_pin")

    texts = wait_for(lambda: shopper.messages()[: len(shopper.messages()) - before], "the code")
    shopper.page = page
    shopper.pay(texts[0]["code"])

    gateway.wait("confirmed", STATE, shopper.page_token)
    assert world.armed_at is None


def test_f24_killed_after_an_sms(world: RunningWorld, gateway: Books, bank: Books) -> None:
    """F24: the message is sent again under the same reference, so the phone shows it once; its code pays."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("soap")
    before = len(shopper.messages())
    world.crash_at("worker.after_sms_before_mark")

    code = shopper.request_pin()

    world.wait_for_crash()
    last = "FROM outbox ORDER BY id DESC LIMIT 1"
    bank.wait("done", f"SELECT CASE WHEN done_at IS NOT NULL THEN 'done' END {last}")
    assert bank.one(f"SELECT fence {last}") == 2
    assert len(shopper.messages()) == before + 1
    shopper.pay(code)
    gateway.wait("confirmed", STATE, shopper.page_token)


def test_f24_killed_after_a_webhook(
    world: RunningWorld, gateway: Books, buying: Callable[..., tuple[Shopper, str]]
) -> None:
    """F24: the shop hears the same event again, by the same id, and has one paid order."""
    shopper, code = buying()
    world.crash_at("worker.after_webhook_before_mark")

    shopper.pay(code)

    world.wait_for_crash()
    events = "FROM webhook_delivery JOIN payment USING (payment_id) WHERE page_token = %s"
    open_ = f"SELECT count(*) {events} AND webhook_delivery.state = 'waiting'"
    gateway.wait("confirmed", STATE, shopper.page_token)
    gateway.wait(0, open_, shopper.page_token)
    assert gateway.one(f"SELECT max(fence) {events}", shopper.page_token) == 2


def test_f24_killed_after_a_refund(world: RunningWorld, gateway: Books, bank: Books) -> None:
    """F24, D11: the refund is sent again as a repeat; the card gets its money once."""
    _, payment_id = paid_to_a_merchant(world)
    before = bank.one(CREDITS)
    world.crash_at("worker.after_refund_before_record")

    Merchant(world.info).refund(payment_id, 150_000)

    world.wait_for_crash()
    gateway.wait("refunded", "SELECT state FROM payment WHERE payment_id = %s", payment_id)
    assert bank.one(CREDITS) == int(str(before)) + 1


@pytest.mark.parametrize("point", ["worker.before_reversal", "worker.after_reversal_before_record"])
def test_f24_killed_during_a_reversal(world: RunningWorld, gateway: Books, bank: Books, point: str) -> None:
    """F24, D8: the reversal is sent again under its own new number; the bank gives the money back once."""
    shopper, payment_id = paid_to_a_merchant(world)
    before = bank.one(CREDITS)
    world.crash_at(point)

    Merchant(world.info).reverse(payment_id)

    world.wait_for_crash()
    gateway.wait("reversed", STATE, shopper.page_token)
    assert bank.one(CREDITS) == int(str(before)) + 1


@pytest.mark.parametrize("point", ["worker.before_credit", "worker.after_credit_before_record"])
def test_f24_killed_around_the_credit_of_a_transfer(world: RunningWorld, gateway: Books, point: str) -> None:
    """F24, D7: the credit is sent again under its one number, and the other bank gives the money once."""
    sender, other = sender_of_money(world), Books(world, BANK_ONE.organisation)
    code, before = sender.request_pin(), other.one(CREDITS)
    world.crash_at(point)

    sender.pay(code)

    world.wait_for_crash()
    gateway.wait("confirmed", STATE, sender.page_token)
    assert other.one(CREDITS) == int(str(before)) + 1


def test_f24_killed_while_a_transfer_is_given_back(world: RunningWorld, gateway: Books, bank: Books) -> None:
    """F24, D7: the other bank refused the money; the sender's bank gives it back once, whoever dies over it."""
    sender, other = sender_of_money(world), Books(world, BANK_ONE.organisation)
    code, before, there = sender.request_pin(), bank.one(GIVEN), other.one(CREDITS)
    world.crash_at("worker.after_reversal_before_record")

    with closed_cards(other):
        sender.pay(code)
        world.wait_for_crash()
        gateway.wait("reversed", STATE, sender.page_token)

    assert bank.one(GIVEN) == int(str(before)) + int(str(bank.one(SENT))), "principal and fee"
    assert other.one(CREDITS) == there


def test_f24_killed_after_an_inquiry(
    world: RunningWorld, gateway: Books, buying: Callable[..., tuple[Shopper, str]]
) -> None:
    """F24: what became of a purchase whose answer was lost is asked again, and recorded once."""
    shopper, code = buying("answer_lost")
    world.crash_at("worker.after_inquiry_before_record")

    shopper.pay(code)

    world.wait_for_crash()
    gateway.wait("confirmed", STATE, shopper.page_token)


def test_f25_a_worker_that_was_frozen_past_its_lease_writes_nothing(world: RunningWorld, gateway: Books) -> None:
    """F25: another worker took over and finished the job; what the first one knows is refused by its fence number."""
    shopper, payment_id = paid_to_a_merchant(world)
    world.crash_at("worker.after_reversal_before_record:1:stop")
    Merchant(world.info).reverse(payment_id)
    world.wait_for_crash()

    with ExitStack() as stack:
        stack.callback(world.signal, "gateway-worker", signal.SIGCONT)
        stack.enter_context(second_worker(world))
        gateway.wait("reversed", STATE, shopper.page_token)

    wait_for(lambda: "job_lease_lost" in (world.world.logs / "gateway-worker.log").read_text(), "the fence to hold")


def test_every_place_is_tried() -> None:
    """No named place is without a test here."""
    text = Path(__file__).read_text()

    assert [point for point in POINTS if point not in text] == []


def pay_whatever_happens(shopper: Shopper, code: str) -> None:
    """Press the button; the gateway may die under it, and a shopper sees a broken page."""
    address = shopper.page.url
    try:
        shopper.pay(code)
    except requests.ConnectionError:
        shopper.page.url = address


def payment_page(shopper: Shopper) -> str:
    """Return the address of the payment page."""
    return f"{shopper.world.info['gateway']}/pay/{shopper.page_token}"


def shown(shopper: Shopper) -> str:
    """Return what the payment page says now."""
    return shopper.browser.get(payment_page(shopper)).text


def paid_to_a_merchant(world: RunningWorld) -> tuple[Shopper, str]:
    """Pay a merchant who keeps no shop, and confirm it; returns the shopper and the payment's id."""
    merchant, shopper = Merchant(world.info), Shopper(world, world.fresh_card())
    payment = merchant.open(150_000)
    shopper.go_to(payment["page_url"])
    shopper.pay(shopper.request_pin())
    merchant.confirm(payment["id"], 150_000)
    return shopper, str(payment["id"])


def sender_of_money(world: RunningWorld) -> Shopper:
    """Bring somebody of bank two to the pay button of a transfer to bank one."""
    cards = [card for card in world.info["cards"] if (card["bank"], card["behaviour"]) == (BANK_ONE.name_en, APPROVE)]
    sender = Shopper(world, world.fresh_card())
    sender.go_to(f"{world.info['gateway']}/transfer")
    named = {"pan": sender.card["pan"], "destination_pan": cards[0]["pan"], "amount": "2000000"}
    sender.submit({**named, "action": "continue"})
    return sender


@contextmanager
def closed_cards(bank: Books) -> Iterator[None]:
    """Let a bank have closed every card for a while, so that it refuses money for any."""
    closed = "UPDATE card SET status = 'blocked', held_by_bank = true WHERE status = 'active' RETURNING card_id"
    numbers = bank.one(f"WITH closed AS ({closed}) SELECT array_agg(card_id) FROM closed")
    try:
        yield
    finally:
        opened = "UPDATE card SET status = 'active', held_by_bank = false WHERE card_id = ANY(%s) RETURNING card_id"
        bank.one(opened, numbers)


@contextmanager
def second_worker(world: RunningWorld) -> Iterator[None]:
    """Run another worker of the gateway beside the first."""
    environment = world.world.environment("gateway")
    with subprocess.Popen([sys.executable, "-m", "gateway", "worker"], env=environment) as process:
        try:
            yield
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=30)
