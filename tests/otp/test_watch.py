"""The bank's monitor and its page of numbers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import psycopg
import pytest

from foundation.database import Database
from foundation.monitor import last_look, open_reader
from foundation.settings import InvalidSettings
from otp import config, worker
from otp.__main__ import main
from otp.app import create_app
from otp.ports import SmsRefused, SmsUnanswered
from otp.services.watch import look_at_everything, watch


@pytest.fixture
def reader(bank_urls: dict[str, str]) -> Iterator[Database]:
    """The monitor's own way in."""
    database = open_reader(bank_urls["reader"], "tests-monitor")
    yield database
    database.close()


@pytest.fixture
def watched(make_bank: Callable[..., Any], reader: Database) -> Any:
    """A bank with a monitor, whose numbers an operator may read."""
    here = make_bank(metrics_from=(ip_network("127.0.0.1/32"),))
    here.bank = replace(here.bank, reader=reader)
    return here


def page(here: Any) -> str:
    """Read the page as an operator."""
    text: str = create_app(bank=here.bank).test_client().get("/metrics").get_data(as_text=True)
    return text


def work(here: Any) -> None:
    """Let the worker do what is due, the monitor included."""
    made = worker.make(here.bank)
    with ThreadPoolExecutor(2) as pool:
        made.tick(pool)
    for thread in made._aside.values():  # noqa: SLF001 - waited for, not looked into
        thread.join(timeout=20)


def test_messages_are_counted_by_what_became_of_them(watched: Any) -> None:
    """Accepted, refused, unanswered, and dropped because the code was about to die."""
    watched.phone.answers += [SmsRefused("no"), SmsUnanswered("silent")]
    for number in range(3):
        watched.ask(watched.card(mobile=f"0912123456{number}"))
    work(watched)
    watched.ask(watched.card(mobile="09121234568"))
    watched.age(110)
    work(watched)

    said = page(watched)

    assert 'bank_sms_total{kind="code",outcome="refused"} 1.0' in said
    assert 'bank_sms_total{kind="code",outcome="unanswered"} 1.0' in said
    assert 'bank_sms_total{kind="code",outcome="accepted"} 1.0' in said
    assert 'bank_sms_total{kind="code",outcome="dropped"} 1.0' in said
    assert "0912123" not in said


def test_a_round_is_kept_and_shown(watched: Any) -> None:
    """The worker looks beside its jobs; rules and queue stand on the page."""
    watched.ask(watched.card())

    work(watched)

    kept = last_look(watched.bank.database)
    assert kept is not None
    assert kept.report.clean
    watch(watched.bank)
    said = page(watched)
    assert 'bank_violations{check="I1_balances"} 0.0' in said
    assert "bank_live_codes 1.0" in said
    assert 'bank_sms_budget_used{proof="proven"} 1.0' in said
    assert 'bank_sms_budget_used{proof="unproven"} 0.0' in said
    assert 'bank_outbox_waiting{topic="sms.last_try"} 0.0' in said
    assert "bank_monitor_ended_timestamp_seconds 1." in said


def test_only_operators_find_the_page(watched: Any) -> None:
    """A PSP, a proxied request and a bank without the setting: there is no such page."""
    client = create_app(bank=watched.bank).test_client()

    assert client.get("/metrics").status_code == 200
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 404
    assert client.get("/metrics", headers={"Via": "1.1 proxy"}).status_code == 404
    settings = watched.bank.settings.model_copy(update={"metrics_from": ()})
    closed = create_app(bank=replace(watched.bank, settings=settings)).test_client()
    assert closed.get("/metrics").status_code == 404


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, settings: config.Settings, bank_urls: dict[str, str]) -> None:
    """Give the environment of a bank's process with a reader."""
    given = {
        "DATABASE_URL": bank_urls["application"],
        "READER_DATABASE_URL": bank_urls["reader"],
        "KEY_FILE": str(settings.key_file),
        "BANK_NAME_FA": "بانک نمونه",
        "BANK_NAME_EN": "Sample Bank",
        "PUBLIC_URL": "http://bank.test",
    }
    for name, value in given.items():
        monkeypatch.setenv(f"OTP_{name}", value)


@pytest.mark.usefixtures("environment")
def test_the_monitor_is_a_command(here: Any, bank_urls: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    """Text for people, JSON for programs, 0 while all rules hold and 1 when one does not."""
    here.card()
    assert main(["monitor"]) == 0
    assert "holds     I1_balances" in capsys.readouterr().out
    here.sql("UPDATE card SET balance_rial = balance_rial + 5")

    assert main(["monitor", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["clean"], told["unexplained_rial"]) == (False, 5)
    assert bank_urls


@pytest.mark.usefixtures("environment")
def test_no_monitor_without_the_reader(
    here: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """D39: nobody asks as another role; a live worker does not start without this one."""
    monkeypatch.delenv("OTP_READER_DATABASE_URL")

    assert main(["monitor"]) == 2
    assert "OTP_READER_DATABASE_URL" in capsys.readouterr().err
    monkeypatch.setenv("OTP_MODE", "live")
    assert main(["worker"]) == 2
    assert "OTP_READER_DATABASE_URL" in capsys.readouterr().err
    with pytest.raises(InvalidSettings):
        look_at_everything(here.bank)


def test_f16_the_monitors_role_can_write_nothing(bank_urls: dict[str, str], bank_database: Database) -> None:
    """F16: no table grants it a change, and its connection refuses before that."""
    assert bank_database.ping()
    with psycopg.connect(bank_urls["owner"].replace("+psycopg", "")) as owner:
        found = owner.execute(
            "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v') "
            "AND has_table_privilege('bank_reader', oid, 'INSERT, UPDATE, DELETE, TRUNCATE')"
        ).fetchone()
    assert found == (0,)


def test_a_bank_without_a_key_is_not_ready(here: Any) -> None:
    """Each symmetric purpose needs an active key; the part is named, the process is up."""
    lacking = replace(here.bank, keys=type(here.bank.keys)([]))
    client = create_app(bank=lacking).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.get_json()["parts"] == {"database": True, "keys": False, "directory": True}
    assert client.get("/healthz").status_code == 200
