"""VerifyDynamicPin on the real database: one way to judge a code, a proof that is spent once, and no oracle (D13)."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.action_codes import Reason
from otp.domain.answers import VERDICTS
from otp.services import deliver
from otp.services.reverse import reverse
from otp.services.verify_code import verify_code
from tests.otp.host.test_races import at_once
from tests.otp.prover import Prover

WORKERS = 12
OPENED = 10_000_000
PRICE = 250_000


@pytest.fixture
def prover(here: Any) -> Prover:
    """Give a PSP at the bank."""
    return Prover(here)


def older(here: Any, seconds: int) -> None:
    """Let every proof be so much older."""
    here.sql("UPDATE challenge SET proof_expires_at = proof_expires_at - make_interval(secs => :s)", s=seconds)


def states(here: Any) -> list[str]:
    """Return every challenge's state."""
    return [row["state"] for row in here.challenges()]


def test_d13_a_right_code_earns_a_proof_that_pays_once(here: Any, prover: Prover) -> None:
    """Checked: the code is used up and no money moves; shown: the money is taken, once."""
    pan, binding = here.card(), here.binding()
    proof = prover.proof(pan, binding)
    checked = (states(here), prover.balance())

    codes = [prover.spend(pan, binding, proof) for _ in range(2)]

    assert checked == (["verified"], OPENED)
    assert codes == ["000", "181"]
    assert (states(here), prover.balance(), prover.unexplained()) == (["consumed"], OPENED - PRICE, 0)


def test_d13_nothing_that_could_be_spent_is_on_disk(here: Any, prover: Prover) -> None:
    """No table holds the proof; the challenge holds a keyed hash of it, the answer the id of a key."""
    proof = prover.proof(here.card(), here.binding())

    tables = [row["name"] for row in here.sql("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")]
    kept = json.dumps([[row["t"] for row in here.sql(f"SELECT t::text AS t FROM {name} t")] for name in tables])

    assert len(proof) == 43
    assert proof not in kept
    assert "VERIFIED" in kept


def test_d13_twelve_purchases_at_once_with_one_proof_debit_once(here: Any, prover: Prover) -> None:
    """Exactly one debit in every round, eleven times "used"."""
    pan = here.card()
    seen: Counter[str] = Counter()

    for _ in range(5):
        binding = here.binding()
        proof = prover.proof(pan, binding)
        tries = [prover.purchase(pan, binding, proof) for _ in range(WORKERS)]
        seen.update(at_once(*(lambda one=one: str(prover.pay(one).action_code) for one in tries)))

    assert seen == {"000": 5, "181": 5 * (WORKERS - 1)}
    assert (prover.balance(), prover.unexplained()) == (OPENED - 5 * PRICE, 0)


def test_d13_twelve_checks_at_once_of_one_code_earn_one_proof(here: Any, prover: Prover) -> None:
    """Whoever is first has it; the others learn that it is used, or that theirs is no longer the newest request."""
    pan = here.card()
    for _ in range(5):
        binding = here.binding()
        code = prover.code(pan, binding)
        checks = [prover.check(pan, binding, code) for _ in range(WORKERS)]

        seen = Counter(at_once(*(lambda one=one: verify_code(here.bank, here.psp, one).body["code"] for one in checks)))

        assert seen["VERIFIED"] == 1
        assert set(seen) <= {"VERIFIED", "CODE_USED", "STALE"}


def test_d13_a_purchase_and_a_check_of_one_code_at_once_move_money_at_most_once(here: Any, prover: Prover) -> None:
    """Either the purchase takes the code, or the check does; never both."""
    pan = here.card()
    for number in range(1, 11):
        binding = here.binding()
        code = prover.code(pan, binding)
        purchase = prover.purchase(pan, binding, None, pin=Sensitive(code))
        check = prover.check(pan, binding, code)

        paid, told = at_once(
            lambda one=purchase: str(prover.pay(one).action_code),
            lambda one=check: verify_code(here.bank, here.psp, one),
        )
        if told.body["code"] == "VERIFIED":
            assert paid == "181"
            assert prover.spend(pan, binding, told.body["proof"]) == "000"
        else:
            assert (paid, told.body["code"]) == ("000", "CODE_USED")
        assert prover.balance() == OPENED - number * PRICE
    assert prover.unexplained() == 0


def test_d13_a_checked_code_is_used_up_everywhere(here: Any, prover: Prover) -> None:
    """In a purchase as in another check; and the payment may ask for a new one."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)
    prover.verify(pan, binding, code)

    again = prover.verify(pan, binding, code)
    paid = prover.pay(prover.purchase(pan, binding, None, pin=Sensitive(code)))

    assert (again.status, again.body["code"], paid.action_code) == (409, "CODE_USED", "181")
    assert here.ask(pan, binding, sequence=99).body["code"] == "ACCEPTED"


def test_d17_a_wrong_code_counts_as_in_a_purchase(here: Any, prover: Prover) -> None:
    """Three end the challenge, the fourth warns the holder, five close the card for a while, from either door."""
    pan, binding = here.card(), here.binding()
    right = prover.code(pan, binding)
    wrong = f"{(int(right) + 1) % 10**7:07}"

    told = [prover.verify(pan, binding, wrong) for _ in range(4)]
    locked = prover.verify(pan, binding, right).body["code"]
    by_purchase = prover.pay(prover.purchase(pan, binding, None, pin=Sensitive(wrong))).action_code
    waiting = prover.verify(pan, binding, right)

    assert {(each.status, each.body["code"]) for each in told} == {(403, "CARD_OR_CODE_WRONG")}
    assert (locked, by_purchase) == ("CODE_LOCKED", "117")
    assert (waiting.status, waiting.body["code"]) == (403, "CARD_BLOCKED")
    (row,) = here.sql("SELECT pin_failures, pin_lock_level FROM card")
    assert (row["pin_failures"], row["pin_lock_level"], states(here)) == (5, 1, ["locked"])
    assert here.sql("SELECT count(*) AS n FROM outbox WHERE topic = 'sms.last_try'") == [{"n": 1}]


def test_d17_wrong_card_data_count_apart_and_leave_the_code_alone(here: Any, prover: Prover) -> None:
    """The code is still good for the right card data; ten failures pause the card."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)
    wrong = {"cvv2": Sensitive("9999")}

    first = prover.verify(pan, binding, code, **wrong).body["code"]
    (counted,) = here.sql("SELECT card_data_failures, pin_failures FROM card")
    proof = prover.verify(pan, binding, code).body["code"]
    (forgiven,) = here.sql("SELECT card_data_failures FROM card")
    for _ in range(10):
        prover.verify(pan, here.binding(), "1234567", **wrong)
    paused = prover.verify(pan, here.binding(), "1234567").body["code"]

    assert (first, counted["card_data_failures"], counted["pin_failures"]) == ("CARD_OR_CODE_WRONG", 1, 0)
    assert (proof, forgiven["card_data_failures"], paused) == ("VERIFIED", 0, "CARD_BLOCKED")


def test_d18_wrong_data_wrong_code_and_unknown_card_answer_alike(here: Any, prover: Prover) -> None:
    """Nothing tells them apart but the request id that each repeats."""
    pan, binding = here.card(), here.binding()
    unknown = Pan.parse(with_check_digit("999002999999999"))
    told = [
        prover.verify(pan, binding, "0000000"),
        prover.verify(pan, binding, "0000000", cvv2=Sensitive("9999")),
        prover.verify(pan, binding, "0000000", expiry=Sensitive("0901")),
        prover.verify(unknown, here.binding(), "0000000"),
    ]

    assert len({(each.status, json.dumps({**each.body, "request_id": None})) for each in told}) == 1


@pytest.mark.parametrize(
    ("column", "value", "code"),
    [
        ("status", "blocked", "CARD_BLOCKED"),
        ("second_pin_active", False, "DYNAMIC_PIN_NOT_ACTIVE"),
        ("kind", "gift", "DYNAMIC_PIN_NOT_ACTIVE"),
    ],
)
def test_a_card_that_may_not_pay_has_no_code_checked(
    here: Any, prover: Prover, column: str, value: object, code: str
) -> None:
    """As in a purchase; the code stays."""
    pan, binding = here.card(), here.binding()
    sent = prover.code(pan, binding)
    here.sql(f"UPDATE card SET {column} = :value", value=value)

    assert (prover.verify(pan, binding, sent).body["code"], states(here)) == (code, ["issued"])


def test_d5_a_code_of_another_transaction_is_told_and_void(here: Any, prover: Prover) -> None:
    """A live code that is shown for another amount is used up without a proof."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)

    told = prover.verify(pan, replace(binding, amount=Rial(1_000)), code).body

    assert (told["code"], "proof" in told, states(here)) == ("CODE_FOREIGN", False, ["consumed"])


def test_a_code_whose_time_is_over_earns_nothing(here: Any, prover: Prover) -> None:
    """And is ended by that."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)
    here.age(121)

    assert (prover.verify(pan, binding, code).body["code"], states(here)) == ("CODE_EXPIRED", ["expired"])


def test_d13_a_proof_lives_sixty_seconds(here: Any, prover: Prover) -> None:
    """Just before it pays, just after it does not, and never again; the sweeper ends the ones nobody shows."""
    pan, good, late, swept = here.card(), here.binding(), here.binding(), here.binding()
    proofs = {each.transaction_ref: prover.proof(pan, each) for each in (good, late, swept)}

    def spend(binding: Any) -> str:
        return prover.spend(pan, binding, proofs[binding.transaction_ref])

    older(here, 55)
    in_time = spend(good)
    older(here, 6)
    too_late = [spend(late), spend(late)]
    deliver.expire_challenges(here.bank)

    assert (in_time, too_late, states(here)) == ("000", ["180", "180"], ["consumed", "expired", "expired"])
    assert (spend(swept), prover.balance()) == ("180", OPENED - PRICE)


def test_d13_a_proof_of_another_acquirer_is_not_known_and_stays(here: Any, prover: Prover) -> None:
    """Whoever stole it can neither spend nor spoil it; it counts no failure on the card."""
    pan, binding = here.card(), here.binding()
    proof = prover.proof(pan, binding)
    honest = prover.purchase(pan, binding, proof)

    stolen = prover.pay(replace(honest, key=replace(honest.key, acquirer_id="581699"))).action_code

    assert (stolen, prover.pay(honest).action_code) == ("117", "000")
    assert here.sql("SELECT pin_failures FROM card") == [{"pin_failures": 0}]


@pytest.mark.parametrize(
    "change",
    [
        {"amount": Rial(PRICE - 1)},
        {"fee": Rial(100), "amount": Rial(PRICE - 100)},
        {"merchant_id": "000000000054321"},
        {"terminal_id": "00054321"},
        {"payee_name": "دیگری"},
        {"transaction_ref": "A" * 16},
    ],
    ids=str,
)
def test_d13_a_proof_shown_for_another_transaction_is_spent_without_effect(
    here: Any, prover: Prover, change: dict[str, Any]
) -> None:
    """Every field of the binding; afterwards it pays nothing at all (D4)."""
    pan, binding = here.card(), here.binding()
    proof = prover.proof(pan, binding)

    codes = [prover.spend(pan, replace(binding, **change), proof), prover.spend(pan, binding, proof)]

    assert (codes, prover.balance(), states(here)) == (["182", "181"], OPENED, ["consumed"])


def test_d13_a_proof_is_good_for_its_card_only(here: Any, prover: Prover) -> None:
    """Another card of the same bank does not know it, and the first still does."""
    pan, other, binding = here.card(), here.card(), here.binding()
    proof = prover.proof(pan, binding)

    assert [prover.spend(each, binding, proof) for each in (other, pan)] == ["117", "000"]


def test_d13_wrong_card_data_leave_a_proof_alone(here: Any, prover: Prover) -> None:
    """Lock, card, data come before it, as before a code."""
    pan, binding = here.card(), here.binding()
    proof = prover.proof(pan, binding)

    wrong = prover.spend(pan, binding, proof, cvv2=Sensitive("9999"))
    here.sql("UPDATE card SET pin_locked_until = house_now() + interval '1 minute'")
    waiting = prover.spend(pan, binding, proof)
    here.sql("UPDATE card SET pin_locked_until = NULL")

    assert [wrong, waiting, prover.spend(pan, binding, proof)] == ["117", "106", "000"]


def test_d4_a_proof_is_spent_whatever_follows(here: Any, prover: Prover) -> None:
    """Not enough funds: spent, and not good again once there are."""
    pan, binding = here.card(balance_rial=PRICE - 1), here.binding()
    proof = prover.proof(pan, binding)
    short = prover.spend(pan, binding, proof)
    here.sql("UPDATE card SET balance_rial = :n, opened_rial = :n", n=OPENED)

    assert (short, prover.spend(pan, binding, proof), prover.balance()) == ("116", "181", OPENED)


def test_d2_a_reversal_gives_the_money_back_and_not_the_proof(here: Any, prover: Prover) -> None:
    """Reversed afterwards: used. Reversed before: that purchase is refused, another attempt may still show it."""
    pan, paid, before = here.card(), here.binding(), here.binding()
    proofs = prover.proof(pan, paid), prover.proof(pan, before)
    first = prover.purchase(pan, paid, proofs[0])
    unseen = prover.purchase(pan, before, proofs[1])

    done = [prover.pay(first).action_code, reverse(prover.desk, prover.undo(first)).action_code]
    again = prover.spend(pan, paid, proofs[0])
    undone = [reverse(prover.desk, prover.undo(unseen)).action_code, prover.pay(unseen).action_code]

    assert ([str(code) for code in done], again) == (["000", "400"], "181")
    assert [str(code) for code in undone] == ["914", "184"]
    assert prover.spend(pan, before, proofs[1]) == "000"
    assert (prover.balance(), prover.unexplained()) == (OPENED - PRICE, 0)


def test_d21_the_same_request_gets_the_same_proof_and_another_body_none(here: Any, prover: Prover) -> None:
    """Also when twelve of them come at once: one check, one proof, which pays once."""
    pan, binding = here.card(), here.binding()
    check = prover.check(pan, binding, prover.code(pan, binding))

    told = at_once(*([lambda: verify_code(here.bank, here.psp, check)] * WORKERS))
    later = verify_code(here.bank, here.psp, check)
    other = verify_code(here.bank, here.psp, replace(check, body_hash=bytes(32)))

    assert {json.dumps(each.body) for each in [*told, later]} == {json.dumps(told[0].body)}
    assert (told[0].body["code"], other.status, other.body["code"]) == ("VERIFIED", 409, "REQUEST_ID_REUSED")
    assert prover.spend(pan, binding, told[0].body["proof"]) == "000"


def test_d21_the_same_id_on_another_card_is_refused_whoever_is_first(here: Any, prover: Prover) -> None:
    """Two cards' locks do not meet; the unique key decides, and the loser's code is untouched."""
    one, two = here.binding(), here.binding()
    pans = here.card(), here.card()
    first = prover.check(pans[0], one, prover.code(pans[0], one))
    second = prover.check(pans[1], two, prover.code(pans[1], two), request_id=first.request_id)

    told = at_once(*(lambda check=check: verify_code(here.bank, here.psp, check) for check in (first, second)))

    assert sorted(each.body["code"] for each in told) == ["REQUEST_ID_REUSED", "VERIFIED"]
    assert sorted(states(here)) == ["issued", "verified"]


def test_d21_a_request_out_of_order_is_stale_and_judges_nothing(here: Any, prover: Prover) -> None:
    """Sequence numbers are shared with RequestDynamicPin."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)

    told = prover.verify(pan, binding, code, sequence=1)

    assert (told.status, told.body["code"], states(here)) == (409, "STALE", ["issued"])


@pytest.mark.parametrize(
    ("fee", "served", "code"), [(12_001, True, "FEE_NOT_ALLOWED"), (0, False, "UNSUPPORTED_OPERATION")]
)
def test_what_is_wrong_with_the_transaction_comes_before_the_code(
    here: Any,
    prover: Prover,
    monkeypatch: pytest.MonkeyPatch,
    fee: int,
    served: bool,  # noqa: FBT001 - a parameter of the test
    code: str,
) -> None:
    """A purchase of it could not be made, so no code is used up for it."""
    pan, binding = here.card(), here.binding()
    sent = prover.code(pan, binding)
    if not served:
        monkeypatch.setattr("otp.services.judging.fee_ceiling", lambda *_: None)

    assert prover.verify(pan, replace(binding, fee=Rial(fee)), sent).body["code"] == code
    assert states(here) == ["issued"]


def test_every_reason_that_can_come_up_has_its_answer() -> None:
    """Money, its way back and PIN blocks are not looked at when only a code is checked."""
    elsewhere = {
        Reason.PIN_BLOCK_REFUSED,
        Reason.AMOUNT_NOT_POSSIBLE,
        Reason.PURCHASE_LIMIT,
        Reason.DAY_LIMIT,
        Reason.UNBOUND_LIMIT,
        Reason.STATIC_LIMIT,
        Reason.TRANSFER_LIMIT,
        Reason.TRANSFER_DAY_LIMIT,
        Reason.BALANCE_LIMIT,
        Reason.BALANCE_TOO_LONG,
        Reason.CANNOT_RECEIVE,
        Reason.CREDIT_DAY,
        Reason.NOTHING_TO_REFUND,
        Reason.FUNDS,
    }

    assert set(VERDICTS) == set(Reason) - elsewhere


def test_a_broken_statement_is_no_second_request(here: Any, prover: Prover) -> None:
    """Only the request id's own key means "came before"; anything else breaks."""
    pan, binding = here.card(), here.binding()
    check = prover.check(pan, binding, prover.code(pan, binding))
    here.sql("ALTER TABLE challenge ADD CONSTRAINT no_proof CHECK (proof_mac IS NULL) NOT VALID")
    try:
        with pytest.raises(Exception, match="no_proof"):
            verify_code(here.bank, here.psp, check)
    finally:
        here.sql("ALTER TABLE challenge DROP CONSTRAINT no_proof")
    assert states(here) == ["issued"]


def test_d13_the_bank_opens_it_to_one_psp(make_bank: Callable[..., Any]) -> None:
    """Off by default."""
    assert not make_bank().bank.psps.now().by_id["pooya"].verify_enabled
