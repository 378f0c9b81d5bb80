"""What an operator does: migrate, check, register a PSP, open cards; and what each database role may not (D27, D39)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from foundation.database import Database
from foundation.keys import SealBroken
from foundation.rial import Rial
from foundation.settings import InvalidSettings
from foundation.signatures import public_key_of
from otp.__main__ import main
from otp.app import create_app
from otp.domain.errors import DuplicateCard, DuplicatePsp, InvalidExpiry, InvalidMobile, InvalidNationalCode
from otp.domain.psp import Psp
from otp.services.cards import card_tokens, open_mobile, open_pan
from otp.services.open_card import NewCard, block_card, open_card
from otp.services.register_psp import register_psp

OPTIONS = {
    "MODE": "sandbox",
    "BANK_NAME_FA": "بانک نمونه",
    "BANK_NAME_EN": "Sample Bank",
    "PUBLIC_URL": "http://bank.test",
}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, key_file: Path, bank_urls: dict[str, str]) -> pytest.MonkeyPatch:
    """Give the environment of a bank's process."""
    places = {
        "DATABASE_URL": bank_urls["application"],
        "OWNER_DATABASE_URL": bank_urls["owner"],
        "READER_DATABASE_URL": bank_urls["reader"],
        "KEY_FILE": str(key_file),
    }
    for name, value in {**OPTIONS, **places}.items():
        monkeypatch.setenv(f"OTP_{name}", value)
    return monkeypatch


APPEND_ONLY = ("posting", "harim_request", "reversal")


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("verb", ["UPDATE {} SET {} = {}", "DELETE FROM {}", "TRUNCATE {}"])
def test_d39_the_application_may_only_add_to_what_is_append_only(
    bank_database: Database, table: str, verb: str
) -> None:
    """Changing or deleting a posting, a request or a reversal is a missing right."""
    column = {"posting": "event", "harim_request": "status", "reversal": "action_code"}[table]

    with pytest.raises(DBAPIError, match="permission denied"), bank_database.begin() as connection:
        connection.execute(text(verb.format(table, column, column)))


@pytest.mark.parametrize(
    ("table", "column"),
    [("posting", "event"), ("reversal", "action_code"), ("audit_entry", "reason"), ("audit_seal", "key_id")],
)
@pytest.mark.parametrize("verb", ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0} CASCADE"])
def test_d39_not_even_the_owner_changes_what_moved_or_who_did_it(
    bank_owner_database: Database, table: str, column: str, verb: str
) -> None:
    """Behind the missing right stands a trigger."""
    with pytest.raises(DBAPIError, match="append-only"), bank_owner_database.begin() as connection:
        connection.execute(text(verb.format(table, column)))


@pytest.mark.parametrize("table", ["card", "challenge", "authorisation", "psp", "outbox"])
def test_d39_the_application_deletes_nothing_that_matters(bank_database: Database, table: str) -> None:
    """Only spent limits may be deleted."""
    with pytest.raises(DBAPIError, match="permission denied"), bank_database.begin() as connection:
        connection.execute(text(f"DELETE FROM {table}"))


def test_d39_the_reader_reads_and_does_nothing_else(bank_urls: dict[str, str], bank_database: Database) -> None:
    """The read-only role sees every table and changes none."""
    assert bank_database.ping()
    reader = Database(bank_urls["reader"], pool_size=1)
    try:
        with reader.single() as connection:
            assert connection.execute(text("SELECT count(*) FROM posting")).scalar_one() == 0
        with pytest.raises(DBAPIError, match="permission denied"), reader.begin() as connection:
            connection.execute(text("INSERT INTO quota VALUES ('x', house_now(), 1)"))
    finally:
        reader.close()


def test_d38_the_clock_of_the_house_is_the_databases(bank_database: Database) -> None:
    """``house_now()`` moves within a transaction, as a clock does."""
    with bank_database.begin() as connection:
        first = connection.execute(text("SELECT house_now() <= clock_timestamp() AND house_now() > now()")).scalar_one()

    assert first is True


def test_an_opened_card_is_found_by_its_token_and_sealed_to_its_row(here: Any) -> None:
    """PAN and mobile are in no column in clear, and open in their own row only."""
    pan = here.card(mobile="+98 912 123 4567")

    (row,) = here.sql("SELECT * FROM card")

    token = card_tokens(here.bank.keys, pan)[0]
    assert row["card_token"] == token
    assert open_pan(here.bank.keys, row["card_name"], row["pan_sealed"]) == pan
    assert open_mobile(here.bank.keys, row["card_name"], row["mobile_sealed"]).reveal() == "09121234567"
    assert (row["balance_rial"], row["opened_rial"], row["mobile_last_two"]) == (10_000_000, 10_000_000, "67")
    assert pan.reveal() not in str(row)
    with pytest.raises(SealBroken):
        open_pan(here.bank.keys, bytes(32), row["pan_sealed"])


def test_a_card_is_opened_once_and_only_with_good_data(here: Any) -> None:
    """Twice, a wrong expiry or a wrong number is refused by name."""
    pan = here.card(mobile=None)

    with pytest.raises(DuplicateCard):
        open_card(here.bank, NewCard(pan, "0812", None, Rial(0)))
    with pytest.raises(InvalidExpiry):
        open_card(here.bank, NewCard(pan, "08", None, Rial(0)))
    with pytest.raises(InvalidMobile):
        open_card(here.bank, NewCard(pan, "0812", "021", Rial(0)))
    with pytest.raises(InvalidNationalCode):
        open_card(here.bank, NewCard(pan, "0812", None, Rial(0), customer="0499370890"))


def test_d23_cards_of_one_customer_are_known_without_the_national_code(here: Any) -> None:
    """The same code, however it is written, is the same customer; the code itself is nowhere to be read."""
    for customer in ("0499370899", "۰۴۹۹۳۷۰۸۹۹", "0790419904", None):
        here.card(customer=customer)

    rows = here.sql(
        "SELECT customer_id, kind, card::text || customer::text AS whole "
        "FROM card LEFT JOIN customer USING (customer_id) ORDER BY card_id"
    )

    customers = [row["customer_id"] for row in rows]
    assert customers[0] == customers[1] != customers[2]
    assert customers[3] is None
    assert {row["kind"] for row in rows} == {"debit"}
    assert not any("0499370899" in (row["whole"] or "") for row in rows)


def test_a_blocked_card_is_blocked_and_an_unknown_one_is_said_so(here: Any) -> None:
    """Blocking tells whether there is such a card."""
    pan = here.card()

    assert block_card(here.bank, pan)
    assert here.sql("SELECT status FROM card") == [{"status": "blocked"}]
    here.sql("DELETE FROM card")
    assert not block_card(here.bank, pan)


def test_d41_a_psp_is_registered_once_and_known_by_its_key(here: Any) -> None:
    """The directory finds it by key; its id and its acquirer are taken from then on."""
    key = public_key_of(hashlib.sha256(b"another").digest())
    register_psp(here.bank, Psp("other", "دیگری", "581672099", {"other-1": key, "other-2": key}))

    now = here.bank.psps.now()

    assert now.by_key["other-2"].psp_id == "other"
    assert now.by_id["other"].disclosure == "proven"
    with pytest.raises(DuplicatePsp):
        register_psp(here.bank, Psp("third", "سوم", "581672099", {"third-1": key}))


def test_the_directory_is_read_again_after_its_seconds_only(make_bank: Callable[..., Any]) -> None:
    """A change is seen once what is remembered is too old."""
    here = make_bank(directory_seconds=3600)
    here.bank.psps.now()

    here.sql("UPDATE psp SET active = false")

    assert "pooya" in here.bank.psps.now().by_id


def test_migrate_and_check_end_well(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Migrating a database that is new enough changes nothing; check shows settings without secrets."""
    assert environment
    assert main(["migrate"]) == 0
    assert main(["check"]) == 0

    shown = capsys.readouterr().out
    assert "database: answers" in shown
    assert "key for code-derive: code-derive-1 (" in shown
    assert "host_peers = " in shown
    assert "psycopg://" not in shown


def test_d13_verify_is_opened_and_closed_by_command(
    environment: pytest.MonkeyPatch, here: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Off for a new PSP; on and off again; an unknown one is said so."""

    def enabled() -> bool:
        return bool(here.bank.psps.now().by_id["pooya"].verify_enabled)

    environment.setenv("OTP_LOG_LEVEL", "INFO")
    seen = [enabled()]
    for state in ("on", "off"):
        assert main(["verify-pin", "pooya", state]) == 0
        seen.append(enabled())

    assert seen == [False, True, False]
    assert capsys.readouterr().out.splitlines()[0] == "VerifyDynamicPin is open to pooya"
    assert main(["verify-pin", "nobody", "on"]) == 1
    assert "no PSP nobody" in capsys.readouterr().err


def test_check_says_that_the_database_is_away(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A database that does not answer is told, and ends with 1."""
    environment.setenv("OTP_DATABASE_URL", "postgresql+psycopg://nobody@/none?host=/nowhere")

    assert main(["check"]) == 1
    assert "does not answer" in capsys.readouterr().out


def test_migrate_without_the_owners_address_says_so(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, and 2."""
    environment.delenv("OTP_OWNER_DATABASE_URL")

    assert main(["migrate"]) == 2
    assert "OTP_OWNER_DATABASE_URL" in capsys.readouterr().err


def test_a_missing_setting_is_named(environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever starts a process learns which variables are missing or wrong."""
    environment.delenv("OTP_PUBLIC_URL")
    environment.setenv("OTP_CODE_LENGTH", "4")

    assert main(["worker"]) == 2
    said = capsys.readouterr().err
    assert "OTP_PUBLIC_URL" in said
    assert "OTP_CODE_LENGTH" in said


def test_d41_a_live_process_whose_keys_lie_in_clear_does_not_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Web application, worker and host: each says which setting is missing."""
    environment.setenv("OTP_MODE", "live")
    environment.setenv("OTP_AUDIT_HEAD_FILE", "/nowhere/heads")

    with pytest.raises(InvalidSettings, match="set OTP_MASTER_KEY"):
        create_app()
    assert [main([process]) for process in ("worker", "host")] == [2, 2]
    assert capsys.readouterr().err.count("set OTP_MASTER_KEY") == 2


def test_a_worker_and_a_host_that_cannot_work_do_not_start(
    environment: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No SMS provider, no acquirer: a sentence each."""
    environment.delenv("OTP_SMS_FILE", raising=False)
    assert main(["worker"]) == 2
    assert main(["host"]) == 2
    said = capsys.readouterr().err
    assert "OTP_SMS_FILE" in said
    assert "OTP_HOST_PEERS" in said


def test_the_application_builds_itself_from_the_environment(environment: pytest.MonkeyPatch, redis_url: str) -> None:
    """``create_app()`` needs nothing but ``OTP_*``; with Redis there is a bell."""
    environment.setenv("OTP_REDIS_URL", redis_url)

    app = create_app()

    bank = app.extensions["bank"]
    bank.ring()
    assert bank.wake is not None
    assert app.test_client().get("/readyz").status_code == 200
    bank.database.close()


def test_readiness_says_which_part_is_missing(environment: pytest.MonkeyPatch) -> None:
    """Without its database the bank is up and not ready; Ping says the same to no stranger."""
    environment.setenv("OTP_DATABASE_URL", "postgresql+psycopg://nobody@/none?host=/nowhere")
    client = create_app().test_client()

    assert client.get("/healthz").status_code == 200
    answer = client.get("/readyz")
    parts = {"database": False, "keys": True, "directory": False}
    assert (answer.status_code, answer.get_json()["parts"]) == (503, parts)
