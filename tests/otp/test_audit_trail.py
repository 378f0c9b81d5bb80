"""The audit trail: written with what it tells of, chained, and whatever is done to it afterwards is found (D31)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import ProgrammingError

from foundation import audit
from foundation.audit import Act
from foundation.audit_heads import HeadRefused
from foundation.monitor import open_reader
from foundation.settings import InvalidSettings
from otp import worker
from otp.__main__ import main
from otp.services import audit_trail
from otp.services.audit_trail import By
from otp.services.open_card import block_card
from otp.services.register_psp import allow_unbound, open_verify
from otp.services.watch import look_at_everything
from tests.otp.conftest import BankWorld, make_settings


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """The second place."""
    return tmp_path / "elsewhere" / "heads"


@pytest.fixture
def audited(make_bank: Callable[..., Any], bank_urls: dict[str, str], heads: Path) -> Iterator[BankWorld]:
    """A bank whose trail can be examined."""
    heads.parent.mkdir()
    here = make_bank(audit_head_file=heads)
    reader = open_reader(bank_urls["reader"], "tests-audit")
    here.bank = replace(here.bank, reader=reader)
    yield here
    reader.close()


def findings(here: BankWorld, heads: Path | None = None) -> list[str]:
    """Examine the trail; return the kinds of what is wrong."""
    with audit_trail.examined(here.bank, heads) as found:
        return [str(each.fault) for each in found]


def act(here: BankWorld, number: int = 1) -> None:
    """Do so many things that are written down."""
    for _ in range(number):
        open_verify(here.bank, "pooya", enabled=True, by=By("operator:sara", "contract 17"))


def test_an_act_tells_who_what_and_why(audited: BankWorld) -> None:
    """Actor, action, subject, reason and what changed, by the database's clock."""
    allow_unbound(audited.bank, "pooya", 500_000, by=By("operator:sara", "pilot until Nowruz"))

    (last, first) = audit_trail.acts(audited.bank, subject="psp:pooya", most=10)
    assert (last.act.actor, last.act.action, last.act.reason) == ("operator:sara", "psp.changed", "pilot until Nowruz")
    assert last.act.details == {"unbound_max_rial": 500_000}
    assert first.act.action == "psp.registered"
    assert first.act.actor.startswith("operator:")


def test_a_blocked_card_is_named_by_its_number_at_the_bank_alone(audited: BankWorld) -> None:
    """No card number is written down."""
    pan = audited.card()

    block_card(audited.bank, pan, by=By("operator:sara", "reported stolen"))

    (kept,) = audited.sql("SELECT * FROM audit_entry WHERE action = 'card.blocked'")
    assert kept["subject"].startswith("card:")
    assert pan.reveal() not in str(kept)


def test_an_act_that_is_rolled_back_leaves_nothing_and_no_gap(audited: BankWorld) -> None:
    """The row commits with what it tells of, and so does its number."""

    def write_and_fail() -> None:
        with audited.bank.database.begin() as connection:
            audit.append(connection, audited.bank.keys, Act("operator:sara", "test.done", "nothing"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    act(audited)
    audit_trail.seal_trail(audited.bank)

    assert audited.sql("SELECT 1 FROM audit_entry WHERE action = 'test.done'") == []
    assert findings(audited) == []


def test_writers_do_not_wait_for_each_other(audited: BankWorld) -> None:
    """Two transactions that are open at once both write; each connection counts for itself."""
    both = threading.Barrier(2, timeout=10)

    def write(_: int) -> None:
        with audited.bank.database.begin() as connection:
            audit.append(connection, audited.bank.keys, Act("operator:sara", "test.done", "nothing"))
            both.wait()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, range(2)))
    audit_trail.seal_trail(audited.bank)

    assert findings(audited) == []


def test_a_row_that_commits_late_is_chained_all_the_same(audited: BankWorld) -> None:
    """Its id is lower than that of rows that were chained before it."""
    with audited.bank.database.begin() as connection:
        audit.append(connection, audited.bank.keys, Act("operator:sara", "test.late", "nothing"))
        other = threading.Thread(target=lambda: (act(audited), audit_trail.seal_trail(audited.bank)))
        other.start()
        other.join(timeout=20)
    audit_trail.seal_trail(audited.bank)

    order = audited.sql("SELECT action FROM audit_seal JOIN audit_entry USING (entry_id) ORDER BY sealed_no DESC")
    assert order[0]["action"] == "test.late"
    assert findings(audited) == []


def test_a_row_far_behind_the_chain_is_the_proofs_to_find(audited: BankWorld) -> None:
    """The monitor asks each minute, so its question ends where a late row can still turn up."""
    ids = "pg_get_serial_sequence('audit_entry', 'entry_id')"
    act(audited)
    audit_trail.seal_trail(audited.bank)
    audited.sql(f"SELECT setval({ids}, :ahead)", ahead=2 * audit.STRAGGLERS)
    act(audited)
    audit_trail.seal_trail(audited.bank)
    audited.forge("DELETE FROM audit_seal WHERE sealed_no = 1")
    audited.forge("UPDATE audit_entry SET at = at - interval '3 minutes'")

    assert "I18_chained" not in {v.name for v in look_at_everything(audited.bank).verdicts if v.number}
    assert "not_sealed" in findings(audited)


def test_sealers_at_once_make_one_chain(audited: BankWorld) -> None:
    """Twelve of them: every row once, no number twice."""
    act(audited, 30)

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(lambda _: audit_trail.seal_trail(audited.bank), range(12)))
    audit_trail.seal_trail(audited.bank)

    assert findings(audited) == []
    assert len(audited.sql("SELECT 1 FROM audit_seal")) == len(audited.sql("SELECT 1 FROM audit_entry"))


CHANGES = {
    "a changed word": (("UPDATE audit_entry SET reason = 'other' WHERE entry_id = :middle",), {"changed"}),
    "a changed detail": (("UPDATE audit_entry SET details = '{}' WHERE entry_id = :middle",), {"changed"}),
    "a changed time": (
        ("UPDATE audit_entry SET at = at - interval '1 day' WHERE entry_id = :middle",),
        {"changed"},
    ),
    "a missing row": (
        ("DELETE FROM audit_seal WHERE entry_id = :middle", "DELETE FROM audit_entry WHERE entry_id = :middle"),
        {"missing", "reordered"},
    ),
    "two rows in each other's place": (
        (
            "UPDATE audit_seal SET sealed_no = sealed_no + 1000 WHERE entry_id IN (:middle, :last)",
            "UPDATE audit_seal SET sealed_no = 6 WHERE entry_id = :middle",
            "UPDATE audit_seal SET sealed_no = 3 WHERE entry_id = :last",
        ),
        {"reordered"},
    ),
    "a link of somebody's own": (
        ("UPDATE audit_seal SET chain_mac = sha256('mine') WHERE entry_id = :middle",),
        {"reordered"},
    ),
    "a key nobody has": (
        ("UPDATE audit_entry SET key_id = 'mine' WHERE entry_id = :middle", "UPDATE audit_seal SET key_id = 'mine'"),
        {"changed", "reordered"},
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_done_to_a_chained_row_is_found(audited: BankWorld, change: str) -> None:
    """By the owner of the database, who may do everything but does not have the key."""
    act(audited, 5)
    audit_trail.seal_trail(audited.bank)
    assert findings(audited) == []
    statements, expected = CHANGES[change]

    ids = [row["entry_id"] for row in audited.sql("SELECT entry_id FROM audit_entry ORDER BY entry_id")]
    for statement in statements:
        names = {name: value for name, value in (("middle", ids[2]), ("last", ids[-1])) if f":{name}" in statement}
        audited.forge(statement, **names)

    assert set(findings(audited)) == expected


def test_a_missing_row_that_was_not_chained_yet_is_found_by_its_number(audited: BankWorld) -> None:
    """Its writer counted it."""
    act(audited, 2)
    audited.forge("DELETE FROM audit_entry WHERE entry_id = (SELECT max(entry_id) FROM audit_entry)")

    assert findings(audited) == ["missing"]


def test_a_tail_cut_off_with_its_links_and_numbers_is_found_by_the_head_elsewhere(
    audited: BankWorld, heads: Path
) -> None:
    """Somebody who owns the database can make the rest look whole; the head in the second place remembers."""
    act(audited, 5)
    audit_trail.seal_trail(audited.bank)
    audited.forge("DELETE FROM audit_seal WHERE sealed_no > 3")
    audited.forge("DELETE FROM audit_entry WHERE entry_id NOT IN (SELECT entry_id FROM audit_seal)")
    audited.sql(COUNTERS_THAT_FIT)
    audited.sql("DELETE FROM audit_writer w WHERE NOT EXISTS (SELECT FROM audit_entry e WHERE e.writer = w.writer)")

    assert findings(audited) == []
    assert findings(audited, heads) == ["cut"]


def test_a_chain_written_anew_does_not_fit_the_head_elsewhere(audited: BankWorld, heads: Path) -> None:
    """Even by somebody who has the key, drops a row and chains the rest again, another row in its place."""
    act(audited, 3)
    audit_trail.seal_trail(audited.bank)
    audited.forge("DELETE FROM audit_seal")
    audited.forge("DELETE FROM audit_entry WHERE entry_id = (SELECT max(entry_id) FROM audit_entry)")
    audited.sql(COUNTERS_THAT_FIT)
    act(audited)
    audit_trail.seal_trail(replace(audited.bank, settings=audited.bank.settings.model_copy(update=NO_HEADS)))

    assert findings(audited) == []
    assert findings(audited, heads) == ["changed"]


MORE_THAN_A_BATCH = 1_205
NO_HEADS = {"audit_head_file": None}
COUNTERS_THAT_FIT = """
UPDATE audit_writer SET counter = (SELECT max(counter) FROM audit_entry WHERE writer = audit_writer.writer)
 WHERE EXISTS (SELECT FROM audit_entry WHERE writer = audit_writer.writer)
"""


def test_a_head_that_is_not_ours_is_refused(audited: BankWorld, heads: Path) -> None:
    """A line with another number does not carry its signature."""
    act(audited)
    audit_trail.seal_trail(audited.bank)
    heads.write_text(heads.read_text().replace('"sealed_no": ', '"sealed_no": 1'))

    with pytest.raises(HeadRefused, match="line 1"):
        findings(audited, heads)


def test_d39_the_application_may_add_and_nothing_else(audited: BankWorld) -> None:
    """That the trail only grows is a right the application lacks."""
    act(audited)
    for statement in ("UPDATE audit_entry SET reason = ''", "DELETE FROM audit_entry", "DELETE FROM audit_seal"):
        with pytest.raises(ProgrammingError, match="permission denied"), audited.bank.database.begin() as connection:
            connection.exec_driver_sql(statement)


def test_the_worker_chains_and_the_monitor_asks(audited: BankWorld, heads: Path) -> None:
    """A row that nobody chained within two minutes is reported, and the worker's next round mends it."""
    act(audited)
    audited.forge("UPDATE audit_entry SET at = at - interval '3 minutes'")
    broken = {verdict.name for verdict in look_at_everything(audited.bank).verdicts if verdict.number}
    assert "I18_chained" in broken

    made = worker.make(audited.bank)
    with ThreadPoolExecutor(2) as pool:
        made.tick(pool)

    assert "I18_chained" not in {v.name for v in look_at_everything(audited.bank).verdicts if v.number}
    assert heads.read_text().count("\n") == 1


@pytest.fixture
def commands(
    monkeypatch: pytest.MonkeyPatch, key_file: Path, bank_urls: dict[str, str], heads: Path
) -> Callable[..., int]:
    """Run the bank's commands in an environment of their own."""
    values = {
        "OTP_DATABASE_URL": bank_urls["application"],
        "OTP_READER_DATABASE_URL": bank_urls["reader"],
        "OTP_KEY_FILE": str(key_file),
        "OTP_PUBLIC_URL": "http://bank.test",
        "OTP_BANK_NAME_FA": "بانک نمونه",
        "OTP_BANK_NAME_EN": "Sample Bank",
        "OTP_AUDIT_HEAD_FILE": str(heads),
    }
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return lambda *words: main(list(words))


def test_commands_verify_and_show(
    audited: BankWorld, commands: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    """As an operator would: a change with its reason, the trail's own words, and an examination that finds a change."""
    assert commands("verify-pin", "pooya", "on", "--operator", "sara", "--why", "contract 17") == 0
    audit_trail.seal_trail(audited.bank)
    capsys.readouterr()

    assert commands("audit", "show", "--subject", "psp:pooya") == 0
    assert "operator:sara psp.changed psp:pooya verify_enabled=True because contract 17" in capsys.readouterr().out
    assert commands("audit", "verify") == 0
    assert "as it was written" in capsys.readouterr().out

    audited.forge("UPDATE audit_entry SET reason = 'another contract' WHERE reason = 'contract 17'")
    assert commands("audit", "verify") == 1
    assert "changed: row" in capsys.readouterr().out


def test_commands_say_what_is_missing(
    audited: BankWorld,
    commands: Callable[..., int],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """No heads, no such file, no read-only role: a sentence each."""
    act(audited)
    monkeypatch.delenv("OTP_AUDIT_HEAD_FILE")
    assert commands("audit", "verify") == 0
    assert "no heads were given" in capsys.readouterr().out
    assert commands("audit", "verify", "--heads", str(tmp_path / "nowhere")) == 1
    assert "nowhere" in capsys.readouterr().err
    monkeypatch.delenv("OTP_READER_DATABASE_URL")
    assert commands("audit", "verify") == 2
    assert "OTP_READER_DATABASE_URL" in capsys.readouterr().err


def test_a_live_worker_needs_a_second_place(key_file: Path, bank_urls: dict[str, str]) -> None:
    """Without one a trail could be cut unseen."""
    with pytest.raises(InvalidSettings, match="OTP_AUDIT_HEAD_FILE"):
        make_settings(key_file, bank_urls, mode="live").require_audit_heads()


def test_the_trail_is_walked_in_batches(audited: BankWorld) -> None:
    """More rows than one batch holds, chained in more than one round."""
    with audited.bank.database.begin() as connection:
        for _ in range(MORE_THAN_A_BATCH):
            audit.append(connection, audited.bank.keys, Act("operator:sara", "test.done", "nothing"))
    audit_trail.seal_trail(audited.bank)

    assert findings(audited) == []
    assert audited.sql("SELECT max(sealed_no) AS n FROM audit_seal")[0]["n"] > MORE_THAN_A_BATCH
