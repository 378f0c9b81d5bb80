"""Answers nobody waits for: evidence that no program can change, bounded, and acted on only where that is safe."""

from __future__ import annotations

import dataclasses

import pytest
from sqlalchemy.exc import ProgrammingError
from structlog.testing import capture_logs

import gateway.__main__ as commands
from gateway.domain.payment import PaymentState
from gateway.ports import Unmatched, UnmatchedAnswer
from gateway.services.hear_unmatched import hear_unmatched, unmatched_report
from gateway.store import unmatched
from tests.fakes.shop import Shop
from tests.fakes.switch import debit_but_silent, decline


def late(shop: Shop, **changes: object) -> UnmatchedAnswer:
    """Make the approval that the only attempt waited for."""
    query = "SELECT acquirer_id, terminal_id, stan, rrn, local_time, amount_rial + fee_rial FROM attempt"
    acquirer_id, terminal_id, stan, rrn, local_time, total = shop.rows(query)[0]
    answer = UnmatchedAnswer(
        issuer_id="two",
        why=Unmatched.LATE,
        message_type="1210",
        processing_code="000000",
        total=f"{total:012}",
        stan=stan,
        local_time=local_time,
        acquirer_id=acquirer_id,
        rrn=rrn,
        action_code="000",
        terminal_id=terminal_id.ljust(8),
        approval_code="A00009",
        capture_date="0903",
    )
    return dataclasses.replace(answer, **changes)  # type: ignore[arg-type]  # fields by name


def kept(shop: Shop) -> list[tuple[object, ...]]:
    """Return the evidence."""
    return shop.rows("SELECT why, message_type, action_code FROM unmatched_answer ORDER BY answer_id")


def test_f4_a_late_approval_is_recorded_once(shop: Shop) -> None:
    """Twice heard, it is one payment, one set of postings, and two rows of evidence."""
    shop.switch.will(debit_but_silent)
    payment = shop.paid()

    hear_unmatched(shop.gateway, late(shop))
    hear_unmatched(shop.gateway, late(shop))

    assert shop.state(payment) == PaymentState.AUTHORISED
    assert shop.rows("SELECT approval_code FROM attempt") == [("A00009",)]
    assert sum(shop.balances().values()) == 0
    assert kept(shop) == [("late", "1210", "000")] * 2


@pytest.mark.parametrize(
    "changes",
    [
        {"why": Unmatched.MAC},
        {"why": Unmatched.DUPLICATE},
        {"message_type": "1430"},
        {"action_code": "116"},
        {"action_code": "400"},
        {"total": "000000000001"},
        {"processing_code": "200000"},
        {"stan": "999999"},
        {"rrn": "999999999999"},
        {"terminal_id": "T9999999"},
        {"local_time": "261124120000"},
    ],
)
def test_d3_what_does_not_echo_the_attempt_approves_nothing(shop: Shop, changes: dict[str, object]) -> None:
    """Forged, repeated, of another type, code, amount, kind or trace: kept, and nothing else."""
    shop.switch.will(debit_but_silent)
    payment = shop.paid()

    hear_unmatched(shop.gateway, late(shop, **changes))

    assert shop.state(payment) == PaymentState.UNKNOWN
    assert len(kept(shop)) == 1


def test_d3_another_issuer_cannot_approve(shop: Shop) -> None:
    """A host may speak only of attempts that were sent to it, whatever keys it has."""
    shop.switch.will(debit_but_silent)
    payment = shop.paid()
    shop.change("INSERT INTO issuer SELECT 'nine', name_fa, name_en, harim_dialect, harim_url, harim_key_id,"
                " harim_public_key, harim_timeout_ms, switch_host, switch_port, switch_timeout_ms, code_life_seconds,"
                " resend_wait_seconds, keeps_tombstones FROM issuer")  # fmt: skip

    hear_unmatched(shop.gateway, late(shop, issuer_id="nine"))

    assert shop.state(payment) == PaymentState.UNKNOWN


def test_d3_the_host_of_a_shared_link_approves_for_every_row_that_shares_it(shop: Shop) -> None:
    """The attempt is the second row's, the link is the first one's: the late approval is heard."""
    shop.switch.will(debit_but_silent)
    payment = shop.paid()
    answer = late(shop)
    shop.change("INSERT INTO issuer SELECT 'nine', name_fa, name_en, harim_dialect, harim_url, harim_key_id,"
                " harim_public_key, harim_timeout_ms, switch_host, switch_port, switch_timeout_ms, code_life_seconds,"
                " resend_wait_seconds, keeps_tombstones FROM issuer")  # fmt: skip
    shop.change("UPDATE issuer SET switch_of = 'nine' WHERE issuer_id = 'two'")

    hear_unmatched(shop.gateway, dataclasses.replace(answer, issuer_id="nine"))

    assert shop.state(payment) == PaymentState.AUTHORISED


def test_f4_an_approval_after_a_decline_alarms_and_changes_nothing(shop: Shop) -> None:
    """The card number is wiped with the decline, so nothing can be reversed: a person must call the bank."""
    shop.switch.will(decline("116"))
    payment = shop.paid()

    with capture_logs() as said:
        hear_unmatched(shop.gateway, late(shop))

    assert shop.state(payment) == PaymentState.OPEN
    assert [line["event"] for line in said if line["log_level"] == "error"] == ["approval_after_decline"]
    assert kept(shop) == [("late", "1210", "000")]


def test_f4_an_approved_attempt_is_not_approved_again(shop: Shop) -> None:
    """An answer to nobody about a payment that is done is only evidence."""
    payment = shop.paid()
    before = shop.balances()

    hear_unmatched(shop.gateway, late(shop, why=Unmatched.NOBODY))

    assert shop.state(payment) == PaymentState.AUTHORISED
    assert shop.balances() == before
    assert shop.rows("SELECT count(*) FROM payment_event WHERE event = 'late_approval'") == [(0,)]


def test_d39_the_evidence_is_append_only(shop: Shop) -> None:
    """The application's role can neither change nor delete what was heard."""
    shop.paid()
    hear_unmatched(shop.gateway, late(shop))
    for statement in ("UPDATE unmatched_answer SET why = 'mac'", "DELETE FROM unmatched_answer"):
        with pytest.raises(ProgrammingError, match="permission denied"), shop.gateway.database.single() as connection:
            connection.exec_driver_sql(statement)
    assert len(kept(shop)) == 1


def test_garbage_cannot_fill_the_disk(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """So many an hour of one kind are kept, the rest counted; another kind and the next hour have their own room."""
    monkeypatch.setattr(unmatched, "KEPT_PER_HOUR", 3)
    shop.paid()
    for _ in range(5):
        hear_unmatched(shop.gateway, late(shop, why=Unmatched.MAC))
    hear_unmatched(shop.gateway, late(shop, why=Unmatched.DUPLICATE))

    report = unmatched_report(shop.gateway)
    assert (report.kept, report.not_kept) == ({"duplicate": 1, "mac": 3}, 2)
    said = commands._unmatched(report)  # noqa: SLF001 - the sentence of the command
    assert said.startswith("unmatched answers in a day: 1 duplicate, 3 mac, newest at ")
    assert said.endswith("counted and not kept: 2")
    shop.later(3_600)
    hear_unmatched(shop.gateway, late(shop, why=Unmatched.MAC))
    assert unmatched_report(shop.gateway).kept == {"duplicate": 1, "mac": 4}


def test_a_network_answer_has_no_money_in_it(shop: Shop) -> None:
    """An 1814 nobody waits for is kept with what it has."""
    shop.paid()
    empty = {"processing_code": "", "total": "", "rrn": "", "terminal_id": "", "message_type": "1814"}

    hear_unmatched(shop.gateway, late(shop, **empty))

    assert shop.rows("SELECT total_rial, rrn, terminal_id FROM unmatched_answer") == [(None, None, None)]
