"""Codes that are not bound to every fact, at the debit: what they may pay, for whom, and how much (D6, D14)."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from foundation.checks import Inspector
from foundation.monitor import open_reader
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp import worker
from otp.domain.binding import Binding, TransactionType, check_binding, parse_canonical
from otp.domain.errors import InvalidBinding
from otp.domain.financial import Purchase
from otp.services.authorise import authorise
from otp.services.desk import Desk
from otp.services.register_psp import allow_unbound
from otp.store.checks import RULES
from tests.otp.dialect_callers import CEILING, SadadCaller, YaghutCaller
from tests.otp.host.conftest import A_DAY_OLDER
from tests.otp.prover import Prover
from tests.otp.test_deliver import code_in

ANOTHER_ACQUIRER = "581672099"
APPROVED, WRONG, LIMIT, USED, FOREIGN, LOCKED = "000", "117", "185", "181", "182", "183"


@dataclass
class Weak:
    """A bank whose PSP asks by a weak dialect and pays at the host."""

    here: Any
    numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    @property
    def desk(self) -> Desk:
        """The host's desk, with the bank's own limits."""
        return Desk(self.here.bank.database, self.here.bank.keys, self.here.bank.settings.limits())

    def sent(self) -> str:
        """Deliver what is queued; return the newest code."""
        with ThreadPoolExecutor(1) as pool:
            worker.make(self.here.bank).tick(pool)
        return code_in(self.here.phone.texts[-1])

    def sadad(self, pan: Pan, amount: int = 250_000) -> str:
        """Ask by ``sadad-adaptor``; return the code."""
        assert SadadCaller(self.here).ask(pan, amount=amount).code == "00"
        return self.sent()

    def yaghut(self, pan: Pan, amount: int = 250_000) -> str:
        """Ask by ``tosan-yaghut`` for what :meth:`purchase` buys; return the code."""
        bought = self.purchase(pan)
        detail = {"parameterType": "TEXT", "value": bought.payee_name}
        terminal = bought.key.terminal_id
        caller = YaghutCaller(self.here)
        named = {"merchantId": bought.merchant_id, "terminalId": terminal, "processDetail": detail}
        assert caller.ask(pan, amount=amount, **named).code == ""
        return self.sent()

    def purchase(self, pan: Pan, amount: int = 250_000, **changes: Any) -> Purchase:
        """Make a purchase of a payment of its own."""
        prover = Prover(self.here, self.numbers)
        return prover.purchase(pan, self.here.binding(amount=Rial(amount)), None, **changes)

    def pay(self, pan: Pan, code: str, amount: int = 250_000, **changes: Any) -> str:
        """Buy with a code; return the action code."""
        return self.show(self.purchase(pan, amount, pin=Sensitive(code), **changes))

    def show(self, purchase: Purchase) -> str:
        """Authorise."""
        return str(authorise(self.desk, purchase).action_code)

    def broken(self, reader_url: str) -> list[str]:
        """Name the bank's invariants that do not hold."""
        reader = open_reader(reader_url, "tests-monitor")
        try:
            verdicts = Inspector(reader, RULES).everything().verdicts
        finally:
            reader.close()
        return [verdict.name for verdict in verdicts if verdict.failed or not verdict.holds]


@pytest.fixture
def weak(make_bank: Callable[..., Any]) -> Weak:
    """Give a bank where the PSP may ask in weak dialects, up to its ceiling."""
    here = make_bank()
    allow_unbound(here.bank, "pooya", CEILING)
    return Weak(here)


def test_d6_sadads_code_pays_any_payment_of_its_acquirer_with_its_total_once(weak: Weak) -> None:
    """Terminal, merchant and reference are open; the second use is none."""
    pan = weak.here.card()
    code = weak.sadad(pan)

    assert weak.pay(pan, code) == APPROVED
    assert weak.pay(pan, code) == USED


def test_d6_the_total_is_bound_with_its_fee(weak: Weak) -> None:
    """Principal and fee together are what the dialect named; how they part is judged by the bank's own table."""
    pan = weak.here.card()
    code = weak.sadad(pan)

    assert weak.pay(pan, code, fee=Rial(1_000)) == APPROVED


@pytest.mark.parametrize("amount", [249_999, 250_001])
def test_d6_another_total_is_another_transaction_and_the_code_is_spent(weak: Weak, amount: int) -> None:
    """As with a bound code (D4)."""
    pan = weak.here.card()
    code = weak.sadad(pan)

    assert weak.pay(pan, code, amount) == FOREIGN
    assert weak.pay(pan, code) == USED


@pytest.mark.parametrize("ask", [Weak.sadad, Weak.yaghut])
def test_d6_only_the_acquirer_that_asked_can_spend_a_code(weak: Weak, ask: Callable[[Weak, Pan], str]) -> None:
    """Shown by another acquirer it is made for another transaction."""
    pan = weak.here.card()
    code = ask(weak, pan)
    bought = weak.purchase(pan, pin=Sensitive(code))

    assert weak.show(replace(bought, key=replace(bought.key, acquirer_id=ANOTHER_ACQUIRER))) == FOREIGN
    assert weak.here.sql("SELECT * FROM posting") == []


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, APPROVED),
        ({"transaction_ref": "A" * 16}, APPROVED),
        ({"merchant_id": "000000000000999"}, FOREIGN),
        ({"payee_name": "کس دیگر"}, FOREIGN),
    ],
)
def test_d6_yaghuts_code_pays_at_its_terminal_alone(weak: Weak, changes: dict[str, Any], action: str) -> None:
    """Merchant, terminal and payee are bound; the payment's reference is not."""
    pan = weak.here.card()
    code = weak.yaghut(pan)

    assert weak.pay(pan, code, **changes) == action


def test_d6_yaghuts_code_pays_at_no_other_terminal(weak: Weak) -> None:
    """The terminal is part of the message's key."""
    pan = weak.here.card()
    bought = weak.purchase(pan, pin=Sensitive(weak.yaghut(pan)))

    assert weak.show(replace(bought, key=replace(bought.key, terminal_id="00099999"))) == FOREIGN


def test_d14_the_debit_obeys_the_codes_ceiling_and_the_banks_maximum(make_bank: Callable[..., Any]) -> None:
    """Even where a code of this total is out already: the bank lowers its maximum, and the code pays no more."""
    weak = Weak(make_bank())
    allow_unbound(weak.here.bank, "pooya", CEILING)
    pan = weak.here.card()
    codes = [weak.yaghut(pan, amount) for amount in (300_000, 200_000, 100_000)]
    weak.here.sql("UPDATE challenge SET ceiling_rial = 150000 WHERE canonical LIKE '%total=200000%'")
    object.__setattr__(
        weak.here.bank, "settings", weak.here.bank.settings.model_copy(update={"unbound_code_max_rial": 250_000})
    )

    told = [weak.pay(pan, code, amount) for code, amount in zip(codes, (300_000, 200_000, 100_000), strict=True)]

    assert told == [LIMIT, LIMIT, APPROVED]
    assert {row["reason"] for row in weak.here.sql("SELECT reason FROM authorisation")} == {"unbound_limit", "approved"}
    assert {code["state"] for code in weak.here.challenges()} == {"consumed"}


def test_d14_a_cards_day_has_a_ceiling_over_all_unbound_codes(weak: Weak, bank_urls: dict[str, str]) -> None:
    """Fee included, by either dialect; a bound code goes on paying, and yesterday does not count."""
    pan = weak.here.card()
    assert weak.pay(pan, weak.sadad(pan, 600_000), 600_000, fee=Rial(12_000)) == APPROVED
    assert weak.pay(pan, weak.yaghut(pan)) == APPROVED
    assert weak.pay(pan, weak.sadad(pan, 150_001), 150_001) == LIMIT

    prover = Prover(weak.here, weak.numbers)
    bound = weak.here.binding(amount=Rial(400_000))
    purchase = prover.purchase(pan, bound, None, pin=Sensitive(prover.code(pan, bound)))
    assert weak.show(purchase) == APPROVED
    assert weak.broken(bank_urls["reader"]) == []

    weak.here.sql(A_DAY_OLDER)
    assert weak.pay(pan, weak.sadad(pan, 160_000), 160_000) == APPROVED


def test_d14_the_days_ceiling_holds_for_many_at_once(weak: Weak) -> None:
    """Three codes of 400,000 in parallel: two fit under a million, whichever come first."""
    pan = weak.here.card()
    amounts = (400_000, 400_001, 400_002)
    shown = [weak.purchase(pan, amount, pin=Sensitive(weak.yaghut(pan, amount))) for amount in amounts]

    with ThreadPoolExecutor(3) as pool:
        told = sorted(pool.map(weak.show, shown))

    assert told == [APPROVED, APPROVED, LIMIT]


def test_d17_wrong_tries_count_on_the_code_of_this_payment(weak: Weak) -> None:
    """The message's own facts lead to it: after three it is locked; other totals count on the card alone."""
    pan = weak.here.card()
    code = weak.sadad(pan)
    wrong = f"{(int(code) + 1) % 10**7:07}"

    assert weak.pay(pan, wrong, 111_111) == WRONG
    assert [weak.pay(pan, wrong) for _ in range(3)] == [WRONG] * 3
    assert weak.here.challenges()[0]["state"] == "locked"
    assert weak.pay(pan, code) == LOCKED


def test_d13_an_unbound_code_earns_no_proof(weak: Weak) -> None:
    """A proof is bound to one whole transaction; such a code is used up instead."""
    weak.here.sql("UPDATE psp SET verify_enabled = true")
    pan, binding = weak.here.card(), weak.here.binding()
    prover = Prover(weak.here, weak.numbers)

    told = prover.verify(pan, binding, weak.sadad(pan))

    assert told.body["code"] == "CODE_FOREIGN"
    assert weak.here.challenges()[0]["state"] == "consumed"


def test_d25_the_text_says_how_far_such_a_code_reaches(weak: Weak) -> None:
    """Where no payee is bound, any acceptor of this PSP may take it; where one is, its name stands there."""
    pan = weak.here.card()

    weak.sadad(pan)
    weak.yaghut(pan)

    anybody, somebody = weak.here.phone.texts
    assert "پذیرنده: هر پذیرندهٔ درگاه پویا" in anybody.splitlines()
    assert "مبلغ: 250,000 ریال" in anybody.splitlines()
    assert "پذیرنده: فروشگاه نمونه" in somebody.splitlines()


def test_d6_a_changed_ceiling_is_for_new_codes_and_zero_refuses_them(weak: Weak) -> None:
    """Closing the door ends nothing that is out: a shopper in the middle of a payment goes on."""
    pan = weak.here.card()
    code = weak.sadad(pan)

    allow_unbound(weak.here.bank, "pooya", 0)

    assert SadadCaller(weak.here).ask(pan, amount=1_000).code == "12"
    assert weak.pay(pan, code) == APPROVED


@pytest.mark.parametrize(("allowed", "most"), [(0, CEILING), (CEILING, 0)])
def test_d6_a_ceiling_of_zero_refuses_questions_for_a_balance_too(
    make_bank: Callable[..., Any], allowed: int, most: int
) -> None:
    """They ask for no rial, and are refused whichever card is named, the PSP's ceiling or the bank's (D19)."""
    here = make_bank(profile="open", unbound_code_max_rial=most)
    here.sql("UPDATE psp SET unbound_max_rial = :allowed", allowed=allowed)
    stranger = Pan.parse(with_check_digit("999002999999999"))

    for pan in (here.card(), here.card(mobile=None), stranger):
        assert SadadCaller(here).ask(pan, requestType=6, amount=0).code == "12"
        assert YaghutCaller(here).ask(pan, processType="BALANCE_INQUIRY", amount=0).code == "Client"
    assert (here.challenges(), here.queued()) == ([], 0)


@pytest.mark.parametrize("canonical", ["v1|type=PURCHASE|total=250000|acquirer=581672061"])
def test_d6_what_is_bound_is_read_back_as_it_was_written(canonical: str) -> None:
    """The worker that writes the SMS reads it; what is open is empty, and what is bound is checked."""
    binding = parse_canonical(canonical)

    check_binding(binding)
    assert binding.canonical() == canonical
    assert (binding.total, binding.complete) == (Rial(250_000), False)
    with pytest.raises(InvalidBinding):
        check_binding(replace(binding, acquirer_id="x"))
    whole = Binding(TransactionType.PURCHASE, Rial(240_000), Rial(10_000), "581672061", "1", "2", "a|b=c", "", "A" * 16)
    assert whole.narrowed(binding.bound).canonical() == canonical
    assert whole.narrowed(binding.bound).transaction_ref == binding.narrowed(binding.bound).transaction_ref
