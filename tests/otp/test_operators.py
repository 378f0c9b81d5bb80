"""Who may log in to the operators' page, for how long, and how often it may be tried."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.sensitive import Sensitive
from otp import operator_commands
from otp.__main__ import main
from otp.domain.errors import DuplicateOperator, InvalidOperator, UnknownOperator
from otp.domain.operators import PAIR_PER_HOUR, Role
from otp.services import operators
from otp.services.audit_trail import By
from otp.services.operators import (
    LoggedIn,
    Wait,
    add_operator,
    change_password,
    disable_operator,
    every_operator,
    log_in,
    log_out,
    who_is,
)
from tests.otp.conftest import BankWorld

PASSWORD = Sensitive("a long password")
HERE = "10.9.0.7"


def _logged_in(here: BankWorld, name: str = "sara") -> LoggedIn:
    found = log_in(here.bank, name, PASSWORD, HERE)
    assert isinstance(found, LoggedIn)
    return found


def test_an_operator_is_let_in_by_the_right_password_only(here: BankWorld) -> None:
    """Name and password open a log-in; a wrong password, an unknown name and a name that can be none do not."""
    add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)

    found = _logged_in(here)

    assert who_is(here.bank, found.token) == found.operator
    assert log_in(here.bank, "sara", Sensitive("another password"), HERE) is None
    assert log_in(here.bank, "nobody", PASSWORD, HERE) is None
    assert log_in(here.bank, "sara'; --", PASSWORD, HERE) is None
    assert here.sql("SELECT password_hash FROM operator")[0]["password_hash"].startswith("scrypt:32768:8:3$")
    acts = [row["action"] for row in here.sql("SELECT action FROM audit_entry WHERE subject = 'operator:sara'")]
    assert acts == ["operator.added", "operator.logged_in"]


def test_d20_tries_to_log_in_are_counted_before_the_password_is_looked_at(here: BankWorld) -> None:
    """After ten tries of a name from one address even the right password waits; another address does not."""
    add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)
    here.sql(
        "INSERT INTO quota SELECT 'log-in|pair|sara|' || :address, "
        "date_trunc('hour', house_now(), 'Asia/Tehran'), :used",
        address=HERE,
        used=PAIR_PER_HOUR - 1,
    )

    assert log_in(here.bank, "sara", Sensitive("another password"), HERE) is None
    waiting = log_in(here.bank, "sara", PASSWORD, HERE)
    assert isinstance(waiting, Wait)
    assert 0 < waiting.seconds <= 3_600
    assert isinstance(log_in(here.bank, "sara", PASSWORD, "10.9.0.8"), LoggedIn)


@pytest.mark.parametrize(("column", "passed"), [("seen_at", "901 seconds"), ("begun_at", "43201 seconds")])
def test_a_log_in_ends_when_nobody_is_there_and_when_its_day_is_over(here: BankWorld, column: str, passed: str) -> None:
    """Fifteen minutes without a request, or twelve hours: by the database's clock."""
    add_operator(here.bank, "sara", PASSWORD, Role.VIEWER)
    found = _logged_in(here)

    here.sql(f"UPDATE operator_session SET {column} = house_now() - interval '{passed}'")

    assert who_is(here.bank, found.token) is None


def test_every_request_lets_a_log_in_last_on(here: BankWorld) -> None:
    """Somebody who works is not thrown out after a quarter of an hour."""
    add_operator(here.bank, "sara", PASSWORD, Role.VIEWER)
    found = _logged_in(here)
    for _ in range(2):
        here.sql("UPDATE operator_session SET seen_at = house_now() - interval '890 seconds'")
        assert who_is(here.bank, found.token) is not None
    assert here.sql("SELECT house_now() - seen_at < interval '60 seconds' AS fresh FROM operator_session")[0]["fresh"]


def test_a_log_in_ends_at_log_out_and_when_its_operator_is_disabled(here: BankWorld) -> None:
    """Whoever logs out or is disabled is nobody at the next request, and a disabled name is not given again."""
    add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)
    first, second = _logged_in(here), _logged_in(here)

    log_out(here.bank, first.token)
    assert who_is(here.bank, first.token) is None
    assert who_is(here.bank, second.token) is not None
    disable_operator(here.bank, "sara")

    assert who_is(here.bank, second.token) is None
    assert log_in(here.bank, "sara", PASSWORD, HERE) is None
    assert [one.active for one in every_operator(here.bank)] == [False]
    with pytest.raises(UnknownOperator):
        disable_operator(here.bank, "sara")
    with pytest.raises(DuplicateOperator):
        add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)


@pytest.mark.parametrize(
    ("name", "password"), [("Sara", "a long password"), ("s", "a long password"), ("sara", "short")]
)
def test_names_and_passwords_have_a_shape(here: BankWorld, name: str, password: str) -> None:
    """A name is small Latin letters, a password at least twelve characters."""
    with pytest.raises(InvalidOperator):
        add_operator(here.bank, name, Sensitive(password), Role.VIEWER)
    assert every_operator(here.bank) == []


def test_a_changed_password_ends_log_ins_and_alone_opens_new_ones(here: BankWorld) -> None:
    """Whoever was in is out, the old password is wrong, nobody unknown or disabled gets one, and the trail has it."""
    add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)
    found, other = _logged_in(here), Sensitive("another long password")

    change_password(here.bank, "sara", other, by=By("operator:boss", "lent it"))

    assert who_is(here.bank, found.token) is None
    assert log_in(here.bank, "sara", PASSWORD, HERE) is None
    assert isinstance(log_in(here.bank, "sara", other, HERE), LoggedIn)
    with pytest.raises(InvalidOperator):
        change_password(here.bank, "sara", Sensitive("short"))
    disable_operator(here.bank, "sara")
    for name in ("sara", "nobody"):
        with pytest.raises(UnknownOperator):
            change_password(here.bank, name, other)
    rows = here.sql("SELECT actor, reason FROM audit_entry WHERE action = 'operator.password_changed'")
    assert rows == [{"actor": "operator:boss", "reason": "lent it"}]


def test_nobody_gets_in_by_a_password_that_changes_meanwhile(here: BankWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the look at the password and the beginning of the log-in it was changed: there is no log-in."""
    add_operator(here.bank, "sara", PASSWORD, Role.OPERATOR)
    real = operators.check_password_hash

    def slowly(kept: str, typed: str) -> bool:
        right = real(kept, typed)
        change_password(here.bank, "sara", Sensitive("another long password"))
        return right

    monkeypatch.setattr(operators, "check_password_hash", slowly)

    assert log_in(here.bank, "sara", PASSWORD, HERE) is None
    assert here.sql("SELECT count(*) AS n FROM operator_session") == [{"n": 0}]


def test_the_command_registers_lists_and_disables(
    here: BankWorld,
    key_file: Path,
    bank_urls: dict[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """``python -m otp operator`` reads the password from a file or asks twice, and prints no secret."""
    names = {"MODE": "sandbox", "BANK_NAME_FA": "بانک", "BANK_NAME_EN": "Bank", "PUBLIC_URL": "http://bank.test"}
    for name, value in {**names, "DATABASE_URL": bank_urls["application"], "KEY_FILE": str(key_file)}.items():
        monkeypatch.setenv(f"OTP_{name}", value)
    path = tmp_path / "password"
    path.write_text(PASSWORD.reveal() + "\n")
    asked = iter(("another password", "a different one"))
    monkeypatch.setattr(operator_commands.getpass, "getpass", lambda _: next(asked))

    assert main(["operator", "add", "sara", "--role", "operator", "--password-file", str(path)]) == 0
    assert main(["operator", "add", "reza"]) == 1
    assert main(["operator", "add", "sara", "--password-file", str(path)]) == 1
    assert main(["operator", "password", "nobody", "--password-file", str(path)]) == 1
    assert main(["operator", "password", "sara", "--password-file", str(path), "--why", "forgotten"]) == 0
    assert main(["operator", "disable", "sara", "--operator", "boss", "--why", "left the bank"]) == 0
    assert main(["operator", "disable", "sara"]) == 1
    assert main(["operator", "list"]) == 0

    told = capsys.readouterr()
    assert told.out.splitlines()[-1] == "sara: operator, disabled"
    assert PASSWORD.reveal() not in told.out + told.err
    rows = here.sql("SELECT actor, reason FROM audit_entry WHERE action = 'operator.disabled'")
    assert [(row["actor"], row["reason"]) for row in rows] == [("operator:boss", "left the bank")]
