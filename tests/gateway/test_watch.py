"""The monitor looks once a minute whoever asks, as somebody who can only read, and says aloud what is broken."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from foundation import checks
from foundation.checks import Check, Inspector, Report, Rules, Severity
from foundation.database import Database
from foundation.monitor import last_look, look, open_reader
from foundation.outbox import Outbox
from foundation.settings import InvalidSettings
from foundation.worker import Worker
from gateway.services.watch import look_at_everything, watch
from gateway.store.checks import RULES
from gateway.worker import periodics
from tests.fakes.counting import counting
from tests.fakes.shop import Shop


@pytest.fixture
def reader(gateway_urls: dict[str, str]) -> Iterator[Database]:
    """The monitor's own way in."""
    database = open_reader(gateway_urls["reader"], "tests-monitor")
    yield database
    database.close()


@pytest.fixture
def watched(shop: Shop, reader: Database) -> Shop:
    """A gateway with a monitor."""
    shop.gateway = replace(shop.gateway, reader=reader)
    return shop


def page(shop: Shop) -> str:
    """Write the page of numbers."""
    return shop.gateway.meters.metrics.page().decode()


def test_a_round_is_kept_and_shown(watched: Shop) -> None:
    """All rules, asked once, in one row and on the page."""
    watched.confirm(watched.paid())

    watch(watched.gateway)

    kept = last_look(watched.gateway.database)
    assert kept is not None
    assert kept.report.clean
    assert [verdict.name for verdict in kept.report.verdicts] == [check.name for check in RULES.checks]
    said = page(watched)
    assert 'gateway_violations{check="I2_one_debit"} 0.0' in said
    assert "gateway_unexplained_rial 0.0" in said
    assert 'gateway_outbox_waiting{topic="webhook"} 2.0' in said
    (shown,) = re.findall(r"^gateway_monitor_ended_timestamp_seconds (.+)$", said, re.MULTILINE)
    assert float(shown) == kept.at


def test_a_violation_is_one_error_line_and_a_number(watched: Shop) -> None:
    """The line names rule, money and example, and nothing secret."""
    payment = watched.paid()
    watched.forge("UPDATE posting SET amount_rial = amount_rial - 7 WHERE destination LIKE 'pending\\:%'")

    with capture_logs() as said:
        watch(watched.gateway)

    errors = [line for line in said if line["log_level"] == "error"]
    assert {line["check"] for line in errors} == {"I3_kept", "I4_whole"}
    kept = next(line for line in errors if line["check"] == "I3_kept")
    assert (kept["event"], kept["severity"], kept["rial"]) == ("invariant_violated", "money", 7)
    assert kept["examples"] == [payment.payment_id]
    assert 'gateway_violations{check="I3_kept"} 1.0' in page(watched)
    assert "gateway_unexplained_rial 14.0" in page(watched)


def test_of_many_workers_one_looks_in_a_minute(watched: Shop, reader: Database) -> None:
    """Eight ask at once; one round is taken, all know what was found; a minute later comes the next."""
    inspector = Inspector(reader, RULES)
    with capture_logs() as said, ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: look(watched.gateway.database, inspector), range(8)))
    assert [line["event"] for line in said].count("monitor_looked") == 1

    watched.later(61)
    with capture_logs() as said:
        watch(watched.gateway)
    assert [line["event"] for line in said].count("monitor_looked") == 1


def test_a_clock_set_back_stops_no_monitor(watched: Shop) -> None:
    """A round begun in the future is no reason to wait for it."""
    watched.later(7_200)
    watch(watched.gateway)
    watched.later(0)

    with capture_logs() as said:
        watch(watched.gateway)

    assert [line["event"] for line in said].count("monitor_looked") == 1


def asked_about(shop: Shop, reader: Database) -> list[str]:
    """Take a round; return the payments it asked the first scoped rule about."""
    subjects: list[str] = []

    class Listening(Inspector):
        def _ask(self, check: Check, values: Any) -> Any:
            if check.name == "I3_kept":
                subjects.extend(values["subjects"])
            return super()._ask(check, values)

    look(shop.gateway.database, Listening(reader, RULES))
    return subjects


def test_a_round_asks_about_what_changed_and_passes_slowly_over_all(
    watched: Shop, reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old payments come two at a time, what changed comes at once, and the pass begins again at its end."""
    monkeypatch.setattr(checks, "ROLL_MAX", 2)
    old = sorted(watched.open().payment_id for _ in range(3))
    watched.later(7_200)
    assert asked_about(watched, reader) == old[:2]
    watched.later(7_300)
    new = watched.open().payment_id
    rest = sorted([*old, new])
    rest = rest[rest.index(old[1]) + 1 :][:2]
    assert set(asked_about(watched, reader)) == {new, *rest}
    seen = set()
    for minute in range(4):
        watched.later(14_000 + 100 * minute)
        seen |= set(asked_about(watched, reader))
    assert seen == {*old, new}


def test_a_question_that_fails_is_said_and_the_others_are_asked(watched: Shop, reader: Database) -> None:
    """A slow or broken check is given up by the time-out; it counts as not asked, never as holding."""
    slow = Check("X_slow", "it never ends", Severity.MONEY, "SELECT 'x', 0 FROM pg_sleep(60)")
    fine = Check("X_fine", "nothing is wrong", Severity.MONEY, "SELECT 'x', 0 WHERE false")
    with reader.single() as connection:
        connection.execute(text("SET statement_timeout = 100"))
    with capture_logs() as said:
        look(watched.gateway.database, Inspector(reader, Rules((slow, fine), (), ())))

    found = last_look(watched.gateway.database)
    assert found is not None
    assert [(verdict.name, verdict.holds) for verdict in found.report.verdicts] == [("X_slow", False), ("X_fine", True)]
    assert not found.report.clean
    assert [(line["event"], line["check"]) for line in said if line["log_level"] == "error"] == [
        ("check_not_asked", "X_slow")
    ]
    assert "not asked X_slow: OperationalError" in found.report.lines


def test_f16_the_monitors_role_can_write_nothing(reader: Database, gateway_owner_database: Database) -> None:
    """F16: no table grants it a change, and its connection refuses before that; money is read, never decided, there."""
    query = (
        "SELECT count(*) FILTER (WHERE has_table_privilege('gateway_reader', oid, 'SELECT')), count(*) FILTER (WHERE "
        "has_table_privilege('gateway_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')) FROM pg_class "
        "WHERE relkind IN ('r', 'v') AND relnamespace = CAST('public' AS regnamespace) AND relname <> 'alembic_version'"
    )
    with gateway_owner_database.single() as connection:
        readable, writable = connection.execute(text(query)).one()
    assert (readable > 10, writable) == (True, 0)
    with pytest.raises(DBAPIError, match="read-only transaction"), reader.single() as connection:
        connection.execute(text("UPDATE payment SET state = 'confirmed'"))
    for statement in ("UPDATE payment SET state = 'confirmed'", "DELETE FROM posting", "DELETE FROM monitor"):
        with pytest.raises(DBAPIError, match="permission denied"):
            insist(reader, statement)


def insist(reader: Database, statement: str) -> None:
    """Try to write in a transaction that says it may."""
    with reader.begin() as connection:
        connection.execute(text("SET TRANSACTION READ WRITE"))
        connection.execute(text(statement))


def test_the_questions_are_asked_as_the_reader_alone(watched: Shop) -> None:
    """The application's connections see the round's claim, its end and its reading: three statements."""
    watched.paid()

    with counting(watched.gateway.database) as counted:
        watch(watched.gateway)

    assert len(counted.statements) == 3


def test_the_worker_looks_beside_its_jobs(watched: Shop) -> None:
    """The monitor is a sweeper of its own thread; without a reader there is none, and asking for it is refused."""
    (monitor,) = [periodic for periodic in periodics(watched.gateway) if periodic.name == "monitor"]
    assert (monitor.aside, monitor.every_seconds) == (True, 60.0)
    worker = Worker(Outbox(watched.gateway.database), (), (monitor,))
    with ThreadPoolExecutor(1) as pool:
        worker.tick(pool)
    for thread in worker._aside.values():  # noqa: SLF001 - waited for, not looked into
        thread.join(timeout=20)
    assert last_look(watched.gateway.database) is not None

    without = replace(watched.gateway, reader=None)
    assert "monitor" not in {periodic.name for periodic in periodics(without)}
    with pytest.raises(InvalidSettings, match="GATEWAY_READER_DATABASE_URL"):
        look_at_everything(without)


def test_a_report_reads_back_as_it_was_written(watched: Shop) -> None:
    """What is kept as JSON is the same report."""
    watched.paid()
    report = look_at_everything(watched.gateway)

    assert Report.of_json(json.loads(json.dumps(report.as_json()))) == report
