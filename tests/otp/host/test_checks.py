"""Each invariant of the bank is planted as broken, in a database without its constraints, and found (I1 to I18)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from foundation.checks import Inspector, Report
from foundation.database import Database
from foundation.monitor import open_reader
from otp.services.credit import take_credit
from otp.services.reverse import reverse
from otp.store.checks import RULES
from sandbox.postgres import Cluster, Roles
from tests.fakes.loose import loosen
from tests.otp.host.test_app_codes import by_sms_for, canonical, phone_for
from tests.otp.host.test_credits import credit, refund, undo
from tests.otp.host.test_static_pins import static
from tests.otp.host.test_transfers import out, transfer

OWED = (
    "INSERT INTO outbox (topic, unique_key, payload, done_at) "
    "SELECT 'sms.code', 'sms.code\\:' || challenge_id || '\\:' || resends, '{}', house_now() FROM challenge"
)


@pytest.fixture(scope="session")
def bank_urls(cluster: Cluster, fresh_database: Callable[[str, str], str], worker_name: str) -> dict[str, str]:
    """A database of this module alone, where anything can be planted."""
    roles, name = Roles("bank"), fresh_database("bank", f"bank_loose_{worker_name}")
    loosen(cluster.url(name, roles.owner))
    return {
        "owner": cluster.url(name, roles.owner),
        "application": cluster.url(name, roles.application),
        "reader": cluster.url(name, roles.reader),
    }


@pytest.fixture
def look(bank_urls: dict[str, str], bank_database: Database) -> Iterator[Callable[[], Report]]:
    """Ask every rule about everything, as the monitor does."""
    assert bank_database.ping()
    reader = open_reader(bank_urls["reader"], "tests-monitor")
    yield Inspector(reader, RULES).everything
    reader.close()


def broken(report: Report) -> set[str]:
    """Name the rules that do not hold."""
    assert not [verdict for verdict in report.verdicts if verdict.failed]
    return {verdict.name for verdict in report.verdicts if not verdict.holds}


def lived_in(bank_world: Any) -> None:
    """Pay, pay and reverse, decline for a wrong code, and leave a tombstone."""
    pan = bank_world.card()
    for _ in range(2):
        purchase = bank_world.purchase(pan)
        bank_world.issue(purchase)
        bank_world.pay(purchase, "1234567")
    reverse(bank_world.desk, bank_world.reversal(purchase))
    wrong = bank_world.purchase(bank_world.card())
    bank_world.issue(wrong)
    bank_world.pay(wrong, "7654321")
    reverse(bank_world.desk, bank_world.reversal(bank_world.purchase(pan)))
    bank_world.sql(OWED)


def test_a_bank_that_was_lived_in_breaks_no_rule(bank_world: Any, look: Callable[[], Report]) -> None:
    """Debits, a reversal, a decline and a tombstone: every rule holds."""
    lived_in(bank_world)
    states = {row["state"] for row in bank_world.sql("SELECT state FROM authorisation")}
    assert states == {"approved", "reversed", "declined", "tombstone"}

    report = look()

    assert broken(report) == set()
    assert report.measures["live_codes"] == {"": 1}
    topics = ("code", "last_try", "activation", "notice", "mobile_code", "former_mobile")
    assert report.measures["outbox_waiting"] == {f"sms.{topic}": 0 for topic in topics}


def move_in_every_way(bank_world: Any) -> None:
    """Inside and out, in and back, declined, taken back and not to be taken back."""
    one, two = bank_world.card(), bank_world.card(balance=0)
    inside, undone = transfer(bank_world, one, two), transfer(bank_world, one, two)
    for asked in (inside, undone, out(bank_world, one)):
        assert bank_world.pay(asked).action_code == "000"
    assert reverse(bank_world.desk, bank_world.reversal(undone)).action_code == "400"
    purchase = bank_world.purchase(one)
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    given, back = credit(bank_world, two), credit(bank_world, one)
    wanted = (given, back, refund(bank_world, purchase, 250_000), credit(bank_world, two, 10**9))
    assert [take_credit(bank_world.desk, one).action_code for one in wanted] == ["000", "000", "000", "121"]
    assert undo(bank_world, back) == "400"
    bank_world.sql(OWED)


def test_d7_money_that_moved_in_every_way_breaks_no_rule(bank_world: Any, look: Callable[[], Report]) -> None:
    """Transfers, credits, refunds and their reversals: every rule holds."""
    move_in_every_way(bank_world)

    assert broken(look()) == set()


@pytest.mark.parametrize(
    ("plant", "names"),
    [
        ("UPDATE card SET balance_rial = balance_rial + 1 WHERE card_id = 2", {"I1_balances"}),
        ("DELETE FROM posting WHERE destination = 'card\\:2'", {"I1_balances", "I3_whole"}),
        ("UPDATE authorisation SET credited_card_id = 1 WHERE credited_card_id = 2 AND kind = 'credit'",
         {"I1_balances", "I1_own_accounts", "I3_whole"}),
        ("UPDATE authorisation SET fee_rial = 0 WHERE kind = 'transfer'", {"I3_whole", "I1_interbank"}),
        ("UPDATE posting SET destination = 'acquirer\\:581672' WHERE destination LIKE 'interbank%'", {"I1_interbank"}),
        ("UPDATE credit_day SET credited_rial = credited_rial - 1", {"I1_credit_sums"}),
    ],
)  # fmt: skip
def test_d7_money_that_moved_wrongly_is_found(
    bank_world: Any, look: Callable[[], Report], bank_urls: dict[str, str], plant: str, names: set[str]
) -> None:
    """A balance, a posting, an account, a fee, a day's sum."""
    move_in_every_way(bank_world)

    with psycopg.connect(bank_urls["owner"].replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(plant.replace("\\:", ":").encode())

    assert broken(look()) == names


def test_d13_a_proof_that_pays_after_its_codes_life_breaks_no_rule(
    bank_world: Any, look: Callable[[], Report], bank_urls: dict[str, str]
) -> None:
    """The proof lives on by itself: I9 asks for its life where there is one."""
    purchase = bank_world.purchase(bank_world.card())
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    bank_world.sql(OWED)
    with psycopg.connect(bank_urls["owner"].replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute("UPDATE challenge SET expires_at = house_now() - interval '30 seconds'")
        assert broken(look()) == {"I9_code_fits"}
        owner.execute("UPDATE challenge SET proof_expires_at = house_now() + interval '10 seconds'")
    assert broken(look()) == set()


def test_d6_an_unbound_code_that_paid_within_its_ceiling_breaks_no_rule(
    bank_world: Any, look: Callable[[], Report]
) -> None:
    """Its total fits; reference and terminal are open. Not to count it on the day of unbound codes breaks one."""
    purchase = bank_world.purchase(bank_world.card())
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    bank_world.sql(OWED)

    bank_world.sql(f"{UNBOUND} ceiling_rial = 1000000, transaction_ref = 'AAAAAAAAAAAAAAAA'")
    assert broken(look()) == {"I9_code_fits"}
    bank_world.sql("UPDATE authorisation SET unbound = true")

    assert broken(look()) == set()


def pay_in_every_way(bank_world: Any) -> None:
    """By the app, by a code that is bound to the purchase, by text message, by a static PIN."""
    phone = phone_for(bank_world, bank_world.card())
    assert bank_world.pay(bank_world.purchase(phone.pan, phone.code())).action_code == "000"
    bound = bank_world.purchase(phone.pan)
    assert bank_world.pay(bound, phone.bound(canonical(bound))).action_code == "000"
    other = bank_world.card()
    by_sms_for(bank_world, other, "5555555")
    assert bank_world.pay(bank_world.purchase(other, "5555555")).action_code == "000"
    static(bank_world, other)
    assert bank_world.pay(bank_world.purchase(other, "24680")).action_code == "000"


def test_every_way_of_paying_keeps_the_rules(bank_world: Any, look: Callable[[], Report]) -> None:
    """Four purchases without a code of Harim: no rule is broken."""
    pay_in_every_way(bank_world)
    bank_world.sql(OWED)

    assert broken(look()) == set()


@pytest.mark.parametrize(
    "plant",
    [
        "UPDATE authorisation SET unbound = false WHERE code_channel = 'app'",
        "UPDATE authorisation SET card_ref = NULL WHERE code_channel = 'app_bound'",
        "UPDATE device_card SET card_id = 99",
        "UPDATE challenge SET ceiling_rial = 10",
        "UPDATE authorisation SET code_channel = NULL WHERE code_channel = 'static'",
        "UPDATE authorisation SET code_channel = 'static' WHERE code_channel = 'sms'",
        "UPDATE authorisation SET code_channel = 'static', unbound = false WHERE code_channel = 'app'",
        "UPDATE authorisation SET card_ref = (SELECT card_ref FROM device_card) WHERE code_channel = 'sms'",
        "UPDATE device_card SET state = 'removed', ended_at = added_at - interval '1 minute'",
        "UPDATE device_card SET last_bound_step = 0",
    ],
)
def test_a_debit_without_its_right_code_is_found(bank_world: Any, look: Callable[[], Report], plant: str) -> None:
    """Whichever way the code is said to have come."""
    pay_in_every_way(bank_world)
    bank_world.sql(OWED)

    bank_world.sql(plant)

    assert broken(look()) == {"I9_code_fits"}


ANOTHER = (
    "INSERT INTO authorisation OVERRIDING SYSTEM VALUE SELECT (jsonb_populate_record(a, "
    """'{"authorisation_id": 77, "stan": "999999"}')).* FROM authorisation a"""
)
POST = "INSERT INTO posting (authorisation_id, event, source, destination, amount_rial) "
LESS = "v1|type=PURCHASE|total=1000000|acquirer=581672"
UNBOUND = f"UPDATE challenge SET bound = '{{type,total,acquirer}}', canonical = '{LESS}',"
DEAD_ACTIVATION = (
    "INSERT INTO activation (activation_id, card_id, channel, nonce, key_id, expires_at) "
    "SELECT '12345678', card_id, 'atm', substr(card_token, 1, 16), 'x', house_now() - interval '3 minutes' FROM card"
)
PLANTS = [
    ("I1_balances", "UPDATE card SET balance_rial = balance_rial + 5", 5),
    ("I1_balances", "DELETE FROM posting", 1_000_000),
    ("I1_own_accounts", POST + "VALUES (1, 'x', 'card:99', 'acquirer:581672', 9)", 9),
    ("I2_one_debit", ANOTHER, 1_000_000),
    ("I3_whole", "UPDATE authorisation SET state = 'reversed'", 1_000_000),
    ("I3_whole", "UPDATE posting SET amount_rial = amount_rial - 1", 1),
    ("I1_interbank", POST + "VALUES (1, 'x', 'acquirer:581672', 'interbank:581672', 9)", 9),
    (
        "I1_credit_sums",
        "INSERT INTO credit_day (acquirer_id, day, credited_rial) VALUES ('581672', current_date, 5)",
        5,
    ),
    ("I5_decided", "UPDATE authorisation SET state = 'received'", 1_000_000),
    ("I9_code_fits", "UPDATE authorisation SET challenge_id = NULL", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET state = 'issued', expires_at = house_now()", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET card_id = 99", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET transaction_ref = 'AAAAAAAAAAAAAAAA'", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET canonical = replace(canonical, 'amount=1', 'amount=2')", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET canonical = replace(canonical, 'terminal=', 'terminal=X')", 1_000_000),
    ("I9_code_fits", "UPDATE authorisation SET decided_at = decided_at + interval '1 hour'", 1_000_000),
    ("I9_code_fits", "UPDATE psp SET acquirer_id = '000001'", 1_000_000),
    ("I9_code_fits", "UPDATE challenge SET ceiling_rial = 999999", 1_000_000),
    ("I9_code_fits", f"{UNBOUND} ceiling_rial = 999999", 1_000_000),
    ("I9_code_fits", f"{UNBOUND} ceiling_rial = 2000000, card_id = 99", 1_000_000),
    ("I9_tries", "UPDATE challenge SET wrong_tries = 6, tries_max = 9", 0),
    ("I9_tries", "UPDATE challenge SET wrong_tries = 4", 0),
    ("I11_sms_owed", "DELETE FROM outbox", 0),
    ("I12_sms", "UPDATE challenge SET delivery = 'accepted', accepted_at = expires_at + interval '1 second'", 0),
    ("I12_sms", "UPDATE challenge SET delivery = 'delivered', accepted_at = expires_at + interval '1 second'", 0),
    ("I18_jobs", "UPDATE outbox SET done_at = NULL, due_at = house_now() - interval '3 minutes'", 0),
    (
        "I18_chained",
        """INSERT INTO audit_entry (writer, counter, at, actor, action, subject, reason, details, key_id, row_mac)
        VALUES ('w', 1, house_now() - interval '3 minutes', 'a', 'b', '', '', '{}', 'k', sha256(''))""",
        0,
    ),
    ("I18_swept", "UPDATE challenge SET state = 'issued', expires_at = house_now() - interval '3 minutes'", 0),
    (
        "I9_code_fits",
        "UPDATE challenge SET proof_expires_at = house_now() - interval '3 minutes'",
        1_000_000,
    ),
    (
        "I18_swept",
        "UPDATE challenge SET state = 'verified', proof_expires_at = house_now() - interval '3 minutes'",
        0,
    ),
    ("I18_swept", DEAD_ACTIVATION, 0),
]


@pytest.mark.parametrize(("name", "plant", "rial"), PLANTS, ids=[f"{row[0]}-{at}" for at, row in enumerate(PLANTS)])
def test_what_is_planted_is_found(
    bank_world: Any, look: Callable[[], Report], bank_urls: dict[str, str], name: str, plant: str, rial: int
) -> None:
    """One paid purchase; the books are broken by hand, and the rule says so with the money it is about."""
    purchase = bank_world.purchase(bank_world.card())
    bank_world.issue(purchase)
    bank_world.pay(purchase, "1234567")
    bank_world.sql(OWED)
    assert broken(look()) == set()

    with psycopg.connect(bank_urls["owner"].replace("+psycopg", ""), autocommit=True) as owner:
        owner.execute(plant.encode())

    report = look()
    assert name in broken(report)
    verdict = next(verdict for verdict in report.verdicts if verdict.name == name)
    assert (verdict.rial, verdict.number, len(verdict.examples)) == (rial, 1, 1)


def test_every_rule_is_planted_once() -> None:
    """No rule without a proof that it can be broken and noticed."""
    assert {name for name, *_ in PLANTS} == {check.name for check in RULES.checks}
