"""VerifyDynamicPin shown a code that no SMS of Harim carried: used up, and no proof (D13)."""

from __future__ import annotations

from foundation.sensitive import Sensitive
from otp.domain.app_code import bound_code
from tests.otp.prover import Prover
from tests.otp.ramznegar import Counter
from tests.otp.ramznegar import counter as counter
from tests.otp.ramznegar import make_counter as make_counter


def test_d13_a_code_of_the_app_earns_no_proof_and_is_used_up(counter: Counter) -> None:
    """It names no transaction, or has no challenge that a proof could be kept with; afterwards it pays nothing."""
    pan = counter.here.card("09121234567", customer="0499370899")
    app = counter.activated(counter.card_id(pan))
    prover, binding = Prover(counter.here), counter.here.binding()
    second = app.second_pin(app.cards[0], counter.now_ms())
    key = Sensitive(app.code_key("bound", app.cards[0]))
    bound = bound_code(key, binding.canonical(), counter.now_ms() // 60_000).reveal()

    for code in (second, bound):
        told = [prover.verify(pan, binding, code).body["code"] for _ in range(2)]
        assert told == ["CODE_FOREIGN", "CODE_USED"]
        paid = prover.pay(prover.purchase(pan, binding, None, pin=Sensitive(code)))
        assert paid.action_code == "181"

    assert counter.state("device", "wrong_codes") == [0]
    assert counter.here.sql("SELECT pin_failures, balance_rial FROM card") == [
        {"pin_failures": 0, "balance_rial": 10_000_000}
    ]


def test_d13_a_wrong_code_of_the_app_counts_as_in_a_purchase(counter: Counter) -> None:
    """On the card and, where the payment has no live code, on the device."""
    pan = counter.here.card("09121234567", customer="0499370899")
    app = counter.activated(counter.card_id(pan))
    prover = Prover(counter.here)
    wrong = app.second_pin(app.cards[0], counter.now_ms(), pin="999999")

    assert prover.verify(pan, counter.here.binding(), wrong).body["code"] == "CARD_OR_CODE_WRONG"
    assert counter.state("device", "wrong_codes") == [1]
    assert counter.here.sql("SELECT pin_failures FROM card") == [{"pin_failures": 1}]
