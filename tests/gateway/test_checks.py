"""Each invariant of the gateway is planted as broken, in a database without its constraints, and found (I1 to I18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from foundation.checks import LIST_MAX, Inspector, Report, Verdict
from foundation.database import Database
from foundation.monitor import open_reader
from gateway.domain.clearing import LATE_DAYS
from gateway.domain.outcome import Declined, Unknown
from gateway.ports import Route
from gateway.services.approve import approve as agree
from gateway.services.audit_trail import seal_trail
from gateway.services.cancel import cancel
from gateway.services.enrol import add_issuer
from gateway.services.ibans import add_iban
from gateway.services.ledger import seal_ledger
from gateway.services.reconcile import import_file
from gateway.services.settle import returned, settle
from gateway.store.checks import RULES
from sandbox.postgres import Cluster, Roles
from tests.fakes.clearing import Clearing, days
from tests.fakes.loose import loosen
from tests.fakes.shop import MERCHANT, ONE, Shop
from tests.fakes.switch import approve, debit_but_silent, give_but_silent, give_no
from tests.gateway.services.test_top_ups import AMOUNT as TOPPED
from tests.gateway.services.test_top_ups import kiosk as kiosk
from tests.gateway.services.test_top_ups import opened as top_up_opened
from tests.gateway.services.test_transfers import AMOUNT, FAR, NEAR, opened

IBAN = "IR062960000000100324200001"
BATCH = "INSERT INTO settlement_batch (business_day, value_day, cut_off_at, opened_at)"
LINE = "INSERT INTO settlement_line (batch_id, merchant_id, payment_id, gross_rial, fee_rial, net_rial)"


@pytest.fixture(scope="session")
def gateway_urls(cluster: Cluster, fresh_database: Callable[[str, str], str], worker_name: str) -> dict[str, str]:
    """A database of this module alone, where anything can be planted."""
    roles, name = Roles("gateway"), fresh_database("gateway", f"gateway_loose_{worker_name}")
    loosen(cluster.url(name, roles.owner))
    return {
        "owner": cluster.url(name, roles.owner),
        "application": cluster.url(name, roles.application),
        "reader": cluster.url(name, roles.reader),
    }


@pytest.fixture
def reader(gateway_urls: dict[str, str]) -> Iterator[Database]:
    """The monitor's own way in."""
    database = open_reader(gateway_urls["reader"], "tests-monitor")
    yield database
    database.close()


@pytest.fixture
def look(shop: Shop, reader: Database) -> Callable[[], Report]:
    """Ask every rule about everything; what was done to set the shop up is chained."""
    seal_trail(shop.gateway)
    return Inspector(reader, RULES).everything


def broken(report: Report) -> set[str]:
    """Name the rules that do not hold."""
    assert not [verdict for verdict in report.verdicts if verdict.failed]
    return {verdict.name for verdict in report.verdicts if not verdict.holds}


def noticed(report: Report, name: str) -> Verdict:
    """Return what a rule says that does not hold."""
    assert name in broken(report)
    return next(verdict for verdict in report.verdicts if verdict.name == name)


def lived_in(shop: Shop) -> None:
    """Let payments go every ordinary way, and rest: confirmed, given back, unknown then paid or not, left alone."""
    shop.confirm(shop.paid(), key="k-1")
    shop.paid()
    shop.open()
    cancel(shop.gateway, shop.open().page_token)
    refunded = shop.paid()
    shop.confirm(refunded)
    for number, amount in enumerate((100_000, 90_000, 60_000)):
        shop.refund(refunded, amount, f"r-{number}")
    shop.switch.givings.extend([give_but_silent, give_no("118")])
    shop.switch.will(debit_but_silent)
    shop.pay(shop.open())
    shop.settle_down()
    shop.settle_down(after=5_000)


def test_a_world_that_was_lived_in_breaks_no_rule(shop: Shop, look: Callable[[], Report]) -> None:
    """While money is under way and after all came to rest, every rule holds and nothing is unexplained."""
    shop.switch.will(debit_but_silent)
    shop.pay(shop.open())
    shop.paid()
    assert broken(look()) == set()
    lived_in(shop)

    report = look()

    assert broken(report) == set()
    assert report.clean
    assert report.lines[-1] == "unexplained: 0 rial"
    assert report.measures["under_way"] == {"submitted": 0, "unknown": 0, "voiding": 0, "disputed": 0}


def test_a_world_that_was_paid_out_breaks_no_rule(shop: Shop, look: Callable[[], Report]) -> None:
    """I13, I14: compared, paid out, one payout sent back and paid again: every rule holds all the while."""
    request = add_iban(shop.gateway, MERCHANT.merchant_id, IBAN, parts=1, by="sara", reason="letter of the merchant")
    agree(shop.gateway, request, by="ali")
    clearing = Clearing(shop)
    payments = [shop.paid(), shop.paid()]
    for payment in payments:
        shop.confirm(payment, key=payment.payment_id)
    clearing.capture()
    content = clearing.written(*(clearing.line(payment) for payment in payments))
    shop.later(days(6))
    import_file(shop.gateway, "two", content)
    assert settle(shop.gateway) == 2
    seal_ledger(shop.gateway)
    shop.settle_down(after=days(6))
    assert broken(look()) == set()
    agree(shop.gateway, returned(shop.gateway, 1, by="sara", reason="account is closed")[0], by="ali")
    shop.later(days(13))
    assert settle(shop.gateway) == 1
    seal_ledger(shop.gateway)
    seal_trail(shop.gateway)

    assert broken(look()) == set()


def test_d7_a_credit_or_refund_that_is_compared_with_no_file_is_found(shop: Shop, look: Callable[[], Report]) -> None:
    """I14: missing from the files of their day they are listed; not listed either, the rule is broken."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    clearing = Clearing(shop)
    payments = [opened(shop, FAR), shop.paid()]
    shop.send(payments[0])
    shop.confirm(payments[1])
    shop.refund(payments[1], 100_000, "r-1")
    shop.work()
    clearing.capture()
    shop.later(days(1))
    import_file(shop.gateway, "two", clearing.written(*(clearing.line(payment) for payment in payments)))
    import_file(shop.gateway, "one", clearing.written())
    seal_ledger(shop.gateway)
    assert "I14_compared" not in broken(look())

    shop.change("DELETE FROM clearing_exception WHERE difference = 'credit_missing_there'")

    (verdict,) = [each for each in look().verdicts if each.name == "I14_compared"]
    assert (verdict.holds, verdict.rial) == (False, AMOUNT + 100_000)


POST = "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
EVENT = (
    "INSERT INTO webhook_event (event_id, merchant_id, payment_id, type, facts) SELECT 'evt_' || "
    "left(encode(sha256(convert_to('payment.reversed:' || payment_id, 'UTF8')), 'hex'), 32), merchant_id, payment_id, "
    "'payment.reversed', '{}' FROM payment WHERE state <> 'reversed'"
)
FORGET = (
    "WITH tries AS (DELETE FROM webhook_attempt), sent AS (DELETE FROM webhook_delivery) "
    "DELETE FROM webhook_event WHERE type = 'payment.confirmed'"
)
OWED = "UPDATE transfer SET credit = 'owed', destination_sealed = 'x', owed_at = house_now(),"
REFUND = (
    "INSERT INTO refund (terminal_id, refund_id, payment_id, attempt_id, merchant_id, issuer_id, acquirer_id, "
    "payee_name, amount_rial, fee_rial, state, asked_by, asked_at, decided_at) "
    "SELECT '00000001', 'r-1', payment_id, attempt_id, merchant_id, 'two', '581672', 'x', 7, 0, '{state}', 'key x', "
    "house_now() - interval '25 hours', house_now() FROM payment"
)
TODAY = "CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date)"
FILE_LATE = (
    "WITH captured AS (UPDATE attempt SET capture_date = to_char({today} - {ago}, 'MMDD'), "
    "submitted_at = submitted_at - interval '{ago} days' RETURNING acquirer_id) "
    "INSERT INTO clearing_file (issuer_id, acquirer_id, day, sha256, lines, sum_rial) "
    "SELECT 'two', acquirer_id, {today}, sha256('x'), 0, 0 FROM captured"
)
FOLDED = "INSERT INTO account_snapshot (account, upto, balance_rial) "
NOTED = "INSERT INTO account_checkpoint (account, upto, balance_rial) "
PLANTS = [
    ("I1_snapshot", FOLDED + "VALUES ('payable:000000000000001', 99, 250003), ('fees', 99, -250003)", 3),
    ("I1_checkpoint", NOTED + "VALUES ('payable:000000000000001', 99, 250003)", 3),
    ("I1_folded_sum", FOLDED + "VALUES ('payable:000000000000001', 99, 250000)", 250_000),
    ("I1_locked", "INSERT INTO account_lock VALUES ('issuer:two')", 0),
    ("I4_refunds", "UPDATE payment SET refunded_rial = 9", 9),
    ("I4_refunds", REFUND.format(state="done"), 7),
    ("I4_refund_booked", REFUND.format(state="done"), 7),
    ("I4_refund_booked", REFUND.format(state="unknown"), 7),
    ("I4_refund_card", "UPDATE attempt SET refunding = 1", 0),
    ("I4_refund_card", REFUND.format(state="waiting"), 0),
    ("I5_refund_past_promise", REFUND.format(state="unknown"), 7),
    ("I11_refund_worked_on", REFUND.format(state="sent"), 7),
    ("I11_refund_told", REFUND.format(state="refused"), 7),
    ("I3_payable_floor", FOLDED + "VALUES ('payable:somebody', 1, -9), ('fees', 1, 9)", 9),
    ("I1_own_accounts", POST + "SELECT payment_id, attempt_id, 'x', 'fees', 'payable:somebody', 7 FROM attempt", 7),
    (
        "I2_one_debit",
        (
            "INSERT INTO attempt SELECT (jsonb_populate_record(a, "
            """'{"attempt_id": "att_2", "number": 2, "stan": "999999"}')).* FROM attempt a"""
        ),
        250_000,
    ),
    ("I3_kept", "DELETE FROM posting WHERE destination LIKE 'payable:%'", 500_000),
    ("I3_kept", "UPDATE posting SET amount_rial = amount_rial - 1 WHERE destination LIKE 'payable:%'", 2),
    ("I3_kept", "UPDATE payment SET confirmed_at = NULL", 1),
    ("I3_amounts", "UPDATE attempt SET amount_rial = amount_rial + 5", 5),
    ("I4_whole", POST + "SELECT payment_id, attempt_id, 'x', destination, source, 5 FROM posting LIMIT 1", 5),
    ("I4_whole", "UPDATE attempt SET state = 'declined'", 250_000),
    ("I5_lost", "UPDATE attempt SET state = 'submitted', answer_due_at = house_now() - interval '2 minutes'", 250_000),
    (
        "I5_past_promise",
        (
            "WITH moved AS (UPDATE attempt SET state = 'unknown') "
            "UPDATE payment SET state = 'unknown', decided_by = house_now() - interval '1 second'"
        ),
        250_000,
    ),
    (
        "I5_past_promise",
        "UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now() - interval '25 hours'",
        250_000,
    ),
    ("I5_disputed", "UPDATE attempt SET state = 'disputed'", 250_000),
    ("I6_pairs", "UPDATE attempt SET state = 'unknown'", 250_000),
    ("I6_pairs", "UPDATE payment SET state = 'paying'", 250_000),
    ("I7_moves", "UPDATE payment SET state = 'settled'", 0),
    ("I7_moves", "UPDATE payment_event SET state = 'open' WHERE event = 'attempt_approved'", 0),
    ("I7_moves", "DELETE FROM payment_event WHERE event = 'opened'", 0),
    ("I7_moves", "DELETE FROM payment_event", 0),
    ("I7_attempts", "UPDATE payment SET attempts = 3", 0),
    (
        "I8_confirmed_once",
        (
            "INSERT INTO payment_event (payment_id, event, state) "
            "SELECT payment_id, 'payee_confirmed', 'confirmed' FROM payment"
        ),
        250_000,
    ),
    (
        "I8_confirmed_once",
        (
            "INSERT INTO payment_event (payment_id, event, state) "
            "SELECT payment_id, 'confirm_window_elapsed', 'reversing' FROM payment"
        ),
        250_000,
    ),
    ("I8_confirmed_once", "UPDATE payment SET confirmed_at = confirmed_at + interval '1 hour'", 250_000),
    ("I10_answer_kept", "DELETE FROM idempotency", 0),
    ("I10_answer_kept", """UPDATE idempotency SET answer = answer || '{"payment_id": "pay_other"}'""", 0),
    ("I11_owed", FORGET, 0),
    ("I11_untrue", EVENT, 0),
    ("I11_worked_on", "UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now()", 250_000),
    (
        "I11_webhook_overdue",
        "UPDATE webhook_delivery SET state = 'waiting', give_up_at = house_now() + interval '65 hours'",
        0,
    ),
    ("I12_webhook", "DELETE FROM webhook_attempt", 0),
    ("I13_paid_out", "UPDATE payment SET state = 'settled'", 250_000),
    ("I13_paid_out", f"{LINE} SELECT 1, merchant_id, payment_id, 300000, 0, 300000 FROM payment", 300_000),
    (
        "I13_billers",
        (
            "INSERT INTO bill (payment_id, number, bill_id, pay_id, biller_id, amount_rial) "
            "SELECT payment_id, 1, '7777777', '7777777', merchant_id, 250000 FROM payment"
        ),
        250_000,
    ),
    (
        "I13_billers",
        (
            "WITH sent AS (INSERT INTO bill (payment_id, number, bill_id, pay_id, biller_id, amount_rial) "
            "SELECT payment_id, 1, '7777777', '7777777', merchant_id, 17000 FROM payment RETURNING *) "
            "INSERT INTO settlement_line (batch_id, merchant_id, payment_id, bill, gross_rial, fee_rial, net_rial) "
            "SELECT 1, '000000000000009', payment_id, 1, 16000, 0, 16000 FROM sent"
        ),
        33_000,
    ),
    (
        "I13_batch",
        (
            "INSERT INTO settlement_batch (business_day, value_day, cut_off_at, closed_at, lines, gross_rial, "
            "fee_rial, net_rial, payouts) SELECT current_date, current_date + 1, now(), now(), 1, 5, 0, 5, 1"
        ),
        10,
    ),
    ("I13_batch_late", f"{BATCH} SELECT {TODAY} - 1, {TODAY}, house_now(), house_now() - interval '61 minutes'", 0),
    (
        "I14_compared",
        (
            f"WITH captured AS (UPDATE attempt SET capture_date = to_char({TODAY}, 'MMDD') RETURNING acquirer_id) "
            "INSERT INTO clearing_file (issuer_id, acquirer_id, day, sha256, lines, sum_rial) "
            f"SELECT 'two', acquirer_id, {TODAY}, sha256('x'), 0, 0 FROM captured"
        ),
        250_000,
    ),
    (
        "I14_exceptions",
        (
            "INSERT INTO clearing_exception (file_id, attempt_id, difference, rial, found_at) "
            "SELECT 1, attempt_id, 'missing_there', 7, house_now() - interval '73 hours' FROM attempt"
        ),
        7,
    ),
    (
        "I18_trail",
        """INSERT INTO audit_entry (writer, counter, at, actor, action, subject, reason, details, key_id, row_mac)
        VALUES ('w', 1, house_now() - interval '3 minutes', 'a', 'b', '', '', '{}', 'k', sha256(''))""",
        0,
    ),
    ("I18_chained", "UPDATE posting SET at = at - interval '121 seconds'", 0),
    *(("I14_file_late", FILE_LATE.format(today=TODAY, ago=ago), 0) for ago in (2, LATE_DAYS)),
    ("I15_bills", f"UPDATE payment SET kind = 'BILL_PAYMENT', payee_key = '{'0' * 64}'", 250_000),
    (
        "I18_jobs",
        "INSERT INTO outbox (topic, payload, due_at) VALUES ('switch.x', '{}', house_now() - interval '3 minutes')",
        0,
    ),
    ("I18_swept", "UPDATE payment SET state = 'authorised', authorised_at = house_now() - interval '1 hour'", 250_000),
    ("I18_swept", "UPDATE payment SET state = 'open', page_expires_at = house_now() - interval '3 minutes'", 0),
]


@pytest.mark.parametrize(("name", "plant", "rial"), PLANTS, ids=[f"{row[0]}-{at}" for at, row in enumerate(PLANTS)])
def test_what_is_planted_is_found(shop: Shop, look: Callable[[], Report], name: str, plant: str, rial: int) -> None:
    """One confirmed payment; its books are broken by hand, and the rule says so with the money it is about."""
    payment = shop.paid()
    shop.confirm(payment, key="k-1")
    shop.work()
    assert broken(look()) == set()

    shop.change(plant.replace(":", "\\:"))

    report = look()
    verdict = noticed(report, name)
    assert (verdict.rial, verdict.number >= 1, len(verdict.examples) >= 1) == (rial, True, True)
    assert not report.clean


TRANSFER_PLANTS = [
    ("I4_transfer", "DELETE FROM posting WHERE event = 'credit_given'", 2 * AMOUNT),
    ("I4_transfer", "UPDATE posting SET amount_rial = amount_rial - 1 WHERE destination = 'fees'", 1),
    ("I4_transfer", "UPDATE transfer SET credit = 'refused'", 1),
    ("I4_transfer", "UPDATE payment SET state = 'authorised'", 2 * AMOUNT),
    ("I5_credit", f"{OWED} deadline_at = house_now() - interval '61 minutes'", AMOUNT),
    ("I11_credit", f"{OWED} deadline_at = house_now()", AMOUNT),
    ("I18_wiped", "UPDATE transfer SET destination_sealed = 'x', decided_at = house_now() - interval '3 minutes'", 0),
]


@pytest.mark.parametrize(
    ("name", "plant", "rial"), TRANSFER_PLANTS, ids=[f"{row[0]}-{at}" for at, row in enumerate(TRANSFER_PLANTS)]
)
def test_d7_what_is_planted_in_a_transfer_is_found(
    shop: Shop, look: Callable[[], Report], name: str, plant: str, rial: int
) -> None:
    """One complete transfer between two banks breaks no rule; broken by hand, it does."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    shop.send(opened(shop))
    assert broken(look()) == set(), "while its credit is owed"
    shop.work()
    assert broken(look()) == set()

    shop.change(plant.replace(":", "\\:"))

    verdict = noticed(look(), name)
    assert (verdict.rial, verdict.number) == (rial, 1)


DUE = "UPDATE top_up SET credit = 'owed', mobile_sealed = 'x', decided_at = NULL,"
TOP_UP_PLANTS = [
    ("I4_top_up", "DELETE FROM posting WHERE event = 'top_up_delivered'", 2 * TOPPED),
    ("I4_top_up", "UPDATE top_up SET credit = 'refused'", 1),
    ("I4_top_up", "UPDATE payment SET state = 'authorised'", 2 * TOPPED),
    ("I13_billers", f"{LINE} SELECT 1, '000000000000009', payment_id, 200000, 0, 200000 FROM payment", TOPPED),
    ("I5_top_up", f"{DUE} deadline_at = house_now() - interval '61 minutes'", TOPPED),
    ("I11_top_up", f"{DUE} deadline_at = house_now()", TOPPED),
    ("I18_number", "UPDATE top_up SET mobile_sealed = 'x', decided_at = house_now() - interval '3 minutes'", 0),
]


@pytest.mark.parametrize(
    ("name", "plant", "rial"), TOP_UP_PLANTS, ids=[f"{row[0]}-{at}" for at, row in enumerate(TOP_UP_PLANTS)]
)
def test_d7_what_is_planted_in_a_top_up_is_found(
    kiosk: Shop, look: Callable[[], Report], name: str, plant: str, rial: int
) -> None:
    """One delivered top-up breaks no rule; broken by hand, it does."""
    kiosk.pay(top_up_opened(kiosk))
    assert broken(look()) == set(), "while it is owed"
    kiosk.work()
    assert broken(look()) == set()

    kiosk.change(plant.replace(":", "\\:"))

    verdict = noticed(look(), name)
    assert (verdict.rial, verdict.number) == (rial, 1)


@pytest.mark.parametrize("answer", [Declined("118"), Unknown("silent")])
def test_d7_transfers_that_went_back_or_stood_break_no_rule(
    shop: Shop, look: Callable[[], Report], answer: Declined | Unknown
) -> None:
    """Refused, taken back, and within one bank not to be undone."""
    add_issuer(shop.gateway, ONE, ("999001",))
    shop.gateway.directory.forget()
    shop.switch.credit_answers.extend([answer] * 100)
    shop.switch.will(approve, debit_but_silent)
    shop.switch.stands.add(Route.INSIDE)
    shop.switch.silent_inquiries = 99
    shop.send(opened(shop))
    shop.send(opened(shop, NEAR))
    shop.settle_down(after=901)
    states = shop.rows("SELECT state FROM payment ORDER BY created_at")
    assert states == [("reversed",), ("confirmed",)]

    assert broken(look()) == set()


def test_every_rule_is_planted_once() -> None:
    """No rule without a proof that it can be broken and noticed."""
    assert {name for name, *_ in (*PLANTS, *TRANSFER_PLANTS, *TOP_UP_PLANTS)} == {check.name for check in RULES.checks}


def test_a_rule_looks_at_lists_of_a_bounded_length(
    shop: Shop, reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More payments than fit into one list are all looked at, in several statements."""
    monkeypatch.setattr("foundation.checks.LIST_MAX", 2)
    payments = [shop.paid() for _ in range(5)]
    for payment in payments:
        shop.confirm(payment)
    shop.change("DELETE FROM posting WHERE destination LIKE 'payable\\:%'")

    report = Inspector(reader, RULES).everything()

    assert LIST_MAX > 2
    verdict = next(verdict for verdict in report.verdicts if verdict.name == "I3_kept")
    assert verdict.number == 5
