"""Every invariant of money is asked about, or it is said what else holds it; every number and rule is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gateway.meters import Meters as GatewayMeters
from gateway.store.checks import RULES as GATEWAY_RULES
from otp.meters import Meters as BankMeters
from otp.store.checks import RULES as BANK_RULES

ROOT = Path(__file__).parents[2]
INVARIANTS = tuple(f"I{number}" for number in range(1, 19))

ELSEWHERE = {
    "gateway": {
        "I9": "the bank's: challenges and their tries are its own; `I9_code_fits`, `I9_tries`",
        "I16": "test_d1_no_secret_in_any_log_or_table",
        "I17": "test_d20_a_card_has_its_share_over_all_payments_by_database_rows: Redis holds no outcome (D20)",
    },
    "bank": {
        "I4": "constraint authorisation_key: one row per message, and `I3_whole` knows all or nothing",
        "I6": "the gateway's: the bank knows no unknown, an answer commits with its effect; `I6_pairs`",
        "I7": "test_d4_a_matched_code_is_consumed_whatever_follows; what an end state means for money `I3_whole` asks",
        "I8": "the gateway's: merchants confirm there; `I8_confirmed_once`",
        "I10": "constraint harim_request_once and constraint authorisation_key",
        "I13": "the gateway's: it pays merchants out; `I13_paid_out`, `I13_batch`",
        "I14": "test_f31_a_day_is_told_once_it_is_over: what it tells; the gateway compares, `I14_compared`",
        "I15": "the gateway's: it pairs both legs, `I4_transfer`, and pays bills, `I15_bills`; what a leg moved here "
        "`I3_whole` and `I1_interbank` ask",
        "I16": "test_d1_no_secret_in_any_log_or_table",
        "I17": "test_d20_ten_requests_an_hour_per_card_whatever_the_race: Redis holds no outcome (D20)",
    },
}
"""What holds an invariant that a monitor does not ask: the other organisation, another check, a constraint, a test."""

RULES = {"gateway": GATEWAY_RULES, "bank": BANK_RULES}
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def _tests() -> str:
    return "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))


def _migrations() -> str:
    return "\n".join(path.read_text() for path in ROOT.glob("*/migrations/versions/*.py"))


@pytest.mark.parametrize("organisation", RULES)
def test_every_invariant_is_asked_about_or_held_elsewhere(organisation: str) -> None:
    """I1 to I18, each in exactly one way."""
    asked = {check.name.partition("_")[0] for check in RULES[organisation].checks}

    assert asked <= set(INVARIANTS)
    assert asked | set(ELSEWHERE[organisation]) == set(INVARIANTS)
    assert asked & set(ELSEWHERE[organisation]) == set()


@pytest.mark.parametrize("organisation", RULES)
def test_what_holds_an_invariant_elsewhere_is_there(organisation: str) -> None:
    """The test, the constraint or the other's check that a reason names exists."""
    names = {check.name for rules in RULES.values() for check in rules.checks}
    for reason in ELSEWHERE[organisation].values():
        proofs = re.findall(r"\btest_\w+", reason)
        constraints = re.findall(r"constraint (\w+)", reason)
        checks = re.findall(r"`(\w+)`", reason)
        assert proofs or constraints or checks, reason
        assert all(f"def {proof}(" in _tests() for proof in proofs), reason
        assert all(constraint in _migrations() for constraint in constraints), reason
        assert set(checks) <= names, reason


@pytest.mark.parametrize("organisation", RULES)
def test_names_are_names_once(organisation: str) -> None:
    """A check, a measure or a scope is called like no other."""
    rules = RULES[organisation]
    scopes = [scope.name for scope in rules.scopes]

    for names in ([row.name for row in rules.checks], [row.name for row in rules.measures], scopes):
        assert len(names) == len(set(names))
    assert {check.scope for check in rules.checks} <= {*scopes, None}


def _shown() -> set[str]:
    """Return every name that the two pages of numbers can show."""
    names = set()
    for meters in (GatewayMeters(), BankMeters()):
        for metric in meters.metrics.registry.collect():
            names.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
    return names


def test_the_document_names_every_number_and_every_rule() -> None:
    """Whoever is woken finds what it means and what to do; and nothing stands there that no longer exists."""
    checks = {check.name for rules in RULES.values() for check in rules.checks}
    rows = [line for line in OPERATIONS.splitlines() if line.startswith("| `")]
    named = {name for row in rows for name in re.findall(r"`(\w+)", row.split("|")[1])}

    assert named >= _shown()
    assert named >= checks
    assert {name for name in named if name.startswith(("gateway_", "bank_"))} == _shown()
    assert {name for name in named if re.match(r"I\d+_", name)} == checks
