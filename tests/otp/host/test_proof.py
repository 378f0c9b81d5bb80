"""Proofs at the host: the pure decision about one, and DE 48.05 on a real link (D13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from foundation.persian import TEHRAN
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import Reason
from otp.domain.authorisation import decide, verify
from otp.domain.challenge import ChallengeState
from otp.domain.proof import PROOF_SECONDS, derive_proof, proof_mac_input
from otp.host.iso8583 import write_tlv
from tests.otp.host.test_decision import CARD, CHALLENGE, FACTS, NOW
from tests.otp.host.test_server import Acquirer, acquirer, server

__all__ = ["acquirer", "server"]

VERIFIED = replace(CHALLENGE, state=ChallengeState.VERIFIED, proof_expires_at=NOW + dt.timedelta(seconds=1))
BY_PROOF = replace(FACTS, by_proof=True, challenges=(VERIFIED,))
PROOF = "p" * 43
PROOF_SHOWN = Sensitive(PROOF)


def test_d13_a_check_is_the_same_judgement_without_money() -> None:
    """Right: verified, failures forgotten, no debit, whatever limits and funds are."""
    poor = replace(FACTS, card=replace(CARD, balance=Rial(0), pin_failures=3), spent_today=Rial(10_000))

    decision = verify(poor)

    assert (decision.reason, bool(decision.debit)) == (Reason.APPROVED, False)
    assert decision.challenge is not None
    assert decision.challenge.state is ChallengeState.VERIFIED
    assert decision.card is not None
    assert decision.card.pin_failures == 0


@pytest.mark.parametrize(
    "change",
    [
        {"card": None},
        {"card": replace(CARD, data_right=False)},
        {"card": replace(CARD, active=False)},
        {"challenges": ()},
        {"challenges": (replace(CHALLENGE, matches=False),)},
        {"challenges": (replace(CHALLENGE, binding_matches=False),)},
        {"challenges": (replace(CHALLENGE, state=ChallengeState.CONSUMED),)},
        {"challenges": (VERIFIED,)},
        {"refused": Reason.NOT_SUPPORTED},
    ],
    ids=str,
)
def test_d13_whatever_a_purchase_refuses_a_check_refuses_alike(change: dict[str, Any]) -> None:
    """The very same decision: reason, counters, challenge, warning."""
    facts = replace(FACTS, **change)

    assert verify(facts) == decide(facts)
    assert verify(facts).reason is not Reason.APPROVED


@pytest.mark.parametrize(
    ("change", "reason", "after"),
    [
        ({}, Reason.APPROVED, ChallengeState.CONSUMED),
        ({"binding_matches": False}, Reason.CODE_FOREIGN, ChallengeState.CONSUMED),
        ({"proof_expires_at": NOW}, Reason.CODE_EXPIRED, ChallengeState.EXPIRED),
        ({"state": ChallengeState.CONSUMED}, Reason.CODE_USED, None),
        ({"state": ChallengeState.EXPIRED}, Reason.CODE_EXPIRED, None),
        ({"matches": False}, Reason.CODE_WRONG, None),
        ({"expires_at": NOW - dt.timedelta(1), "wrong_tries": 3}, Reason.APPROVED, ChallengeState.CONSUMED),
    ],
    ids=str,
)
def test_d13_what_a_proof_is_worth(change: dict[str, Any], reason: Reason, after: ChallengeState | None) -> None:
    """It outlives its code; a failed one counts nothing on the card."""
    decision = decide(replace(BY_PROOF, challenges=(replace(VERIFIED, **change),)))

    assert decision.reason is reason
    assert (decision.challenge.state if decision.challenge else None) is after
    assert bool(decision.debit) == (reason is Reason.APPROVED)
    assert (decision.card is None) == (reason is not Reason.APPROVED)


def test_d13_a_proof_is_of_one_request_of_one_psp(bank_world: Any) -> None:
    """Any other key, PSP, request or body earns another; and it is kept under its card and acquirer."""
    key, other = (bank_world.desk.keys.material(each) for each in ("code-mac-1", "code-mac-2"))
    asked = (key, "psp", "request", bytes(32))
    proofs = {
        derive_proof(*each).reveal()  # type: ignore[arg-type]  # each has all parts
        for each in (
            asked,
            (other, *asked[1:]),
            (key, "psp2", *asked[2:]),
            (key, "psp", "request2", bytes(32)),
            (key, "psp", "request", bytes(31) + b"1"),
        )
    }
    kept = {proof_mac_input(card, acquirer_id, PROOF) for card in (b"1" * 32, b"2" * 32) for acquirer_id in "12"}

    assert (len(proofs), len(kept)) == (5, 4)
    assert derive_proof(*asked).reveal() in proofs


def test_digits_that_are_no_card_number_are_an_unknown_card(bank_world: Any) -> None:
    """By code as by proof; nothing is counted anywhere."""
    purchase = replace(bank_world.purchase(bank_world.card()), pan=None, pin=None)

    assert [
        bank_world.pay(each).action_code for each in (purchase, replace(bank_world.again(purchase), proof=PROOF_SHOWN))
    ] == [
        "117",
        "117",
    ]


def fields(bank_world: Any, purchase: Any, **private: str) -> dict[int, str]:
    """Write a 1200 for this purchase with these sub-fields of DE 48 besides the usual ones."""
    now = bank_world.sql("SELECT house_now() AS now")[0]["now"].astimezone(TEHRAN)
    tags = {"01": purchase.cvv2.reveal(), "02": "PURCHASE", "04": purchase.transaction_ref, **private}
    return {
        2: purchase.pan.reveal(), 3: "000000", 4: f"{purchase.total.amount:012}", 11: purchase.key.stan,
        12: now.strftime("%y%m%d%H%M%S"), 14: purchase.expiry.reveal(), 22: "61005061500C", 24: "200",
        32: purchase.key.acquirer_id, 37: purchase.key.rrn, 41: purchase.key.terminal_id, 42: purchase.merchant_id,
        43: purchase.payee_name, 46: "000000000000", 48: write_tlv(tags), 49: "364",
    }  # fmt: skip


def test_d13_a_1200_with_a_proof_is_paid_over_the_link(acquirer: Acquirer, bank_world: Any) -> None:
    """DE 48.05 without DE 52 and without a PIN key: 000; shown again in another message: 181."""
    pan = bank_world.card()
    purchase = bank_world.purchase(pan)
    data = proof_mac_input(bank_world.desk.card_tokens(pan)[0], purchase.key.acquirer_id, PROOF)
    now = bank_world.sql("SELECT house_now() AS now")[0]["now"]
    bank_world.issue(
        purchase,
        state="verified",
        decided_at=now,
        proof_mac=bank_world.desk.keys.mac_with("code-mac-1", data),
        proof_expires_at=now + dt.timedelta(seconds=PROOF_SECONDS),
    )
    message = fields(bank_world, purchase, **{"05": PROOF})

    answers = [acquirer.ask("1200", {**message, 11: stan}) for stan in ("000801", "000801", "000802")]

    assert [answer.text(39) for answer in answers if answer] == ["000", "000", "181"]
    assert bank_world.row(pan)["balance_rial"] == 9_000_000
    assert bank_world.unexplained() == 0


@pytest.mark.parametrize(
    "spoil",
    [
        lambda message: {**message, 52: "0" * 16},
        lambda message: {**message, 48: message[48].replace(f"05043{PROOF}", "")},
        lambda message: {**message, 48: message[48].replace(f"05043{PROOF}", f"05042{PROOF[1:]}")},
        lambda message: {**message, 48: message[48].replace(PROOF, "=" * 43)},
    ],
    ids=["both", "neither", "too short", "other letters"],
)
def test_d13_a_1200_has_a_pin_block_or_a_proof(
    acquirer: Acquirer,
    bank_world: Any,
    spoil: Callable[[dict[int, str]], dict[int, str]],
) -> None:
    """Anything else cannot be read, and nothing is kept of it."""
    answer = acquirer.ask("1200", spoil(fields(bank_world, bank_world.purchase(bank_world.card()), **{"05": PROOF})))

    assert answer is not None
    assert (answer.mti, answer.text(39)) == ("1244", "904")
    assert bank_world.sql("SELECT 1 FROM authorisation") == []
