"""What each operation asks of the bank's database: exactly its row in the table of budgets, whatever comes of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest

from bench.budgets import (
    BANK,
    BANK_HOST,
    BANK_WORKER,
    BUDGETS,
    OPERATION_COMMITS_MAX,
    OPERATION_STATEMENTS_MAX,
    budget,
)
from foundation.sensitive import Sensitive
from otp.services.inquire_authorisation import inquire_authorisation
from otp.services.issue_code import issue_code
from otp.services.reverse import reverse
from otp.services.tell_delivery import tell_delivery
from otp.services.verify_code import verify_code
from tests.fakes.counting import Counted, counting
from tests.otp.prover import Prover
from tests.otp.test_deliver import tick

WRONG = "1111111"


@pytest.fixture
def prover(here: Any) -> Prover:
    """A PSP whose codes are checked by the bank."""
    return Prover(here)


@pytest.fixture
def holds(here: Any) -> Callable[[str, str], Any]:
    """Give a block that must ask exactly what a step's budget says, and nothing twice."""

    @contextmanager
    def holding(step: str, who: str) -> Iterator[None]:
        with counting(here.bank.database) as counted:
            yield
        assert (len(counted.statements), counted.commits) == budget(step, who), counted.statements
        assert max(Counter(counted.statements).values()) == 1

    return holding


@pytest.mark.parametrize("proof", ["right", "none", "wrong"])
def test_performance_a_request_for_a_code_keeps_its_budget(here: Any, holds: Any, proof: str) -> None:
    """Lock, look, write: whether the card is proven or not."""
    request = here.request(here.card(), proof=proof)

    with holds("request PIN", BANK):
        issue_code(here.bank, here.psp, request)


def test_performance_an_sms_keeps_its_budget(here: Any) -> None:
    """Over what the worker asks anyway when it looks for work and finds none: read, record, done."""
    tick(here)  # chains what the audit trail has got
    here.ask(here.card())
    with counting(here.bank.database) as busy:
        tick(here)
    with counting(here.bank.database) as idle:
        tick(here)

    assert len(here.phone.sent) == 1
    assert less(busy, idle) == budget("SMS", BANK_WORKER)


def test_performance_news_of_an_sms_keep_their_budget(here: Any, holds: Any) -> None:
    """A page asks often."""
    correlation_id = here.ask(here.card()).body["correlation_id"]

    with holds("news of the SMS", BANK):
        tell_delivery(here.bank, here.psp, correlation_id)


@pytest.mark.parametrize("right", [True, False])
def test_performance_a_check_keeps_its_budget(here: Any, prover: Prover, holds: Any, right: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """The lock, the request, the look, the write."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)
    check = prover.check(pan, binding, code if right else WRONG)

    with holds("verify", BANK):
        verify_code(here.bank, here.psp, check)


@pytest.mark.parametrize("right", [True, False])
def test_d4_an_authorisation_keeps_its_budget(here: Any, prover: Prover, holds: Any, right: bool) -> None:  # noqa: FBT001 - as above
    """Key, lock, look, write, in one commit: whether it approves or declines."""
    pan, binding = here.card(), here.binding()
    code = prover.code(pan, binding)
    purchase = replace(prover.purchase(pan, binding, None), pin=Sensitive(code if right else WRONG))

    with holds("pay", BANK_HOST):
        answer = prover.pay(purchase)

    assert (answer.action_code == "000") is right


def test_d4_reversal_and_inquiry_keep_their_budget(here: Any, prover: Prover, holds: Any) -> None:
    """An inquiry executes nothing; a reversal is one commit."""
    pan, binding = here.card(), here.binding()
    purchase = prover.purchase(pan, binding, prover.proof(pan, binding))
    prover.pay(purchase)

    with holds("inquire", BANK_HOST):
        inquire_authorisation(prover.desk, purchase.key)
    with holds("reverse", BANK_HOST):
        reverse(prover.desk, prover.undo(purchase))


def test_performance_no_operation_of_the_bank_is_dearer_than_the_house_allows() -> None:
    """At most four statements and one commit each (reference figure); the SMS is no operation anybody waits for."""
    operations = [row for row in BUDGETS if row.who in {BANK, BANK_HOST}]

    assert max(row.statements for row in operations) <= OPERATION_STATEMENTS_MAX
    assert max(row.commits for row in operations) <= OPERATION_COMMITS_MAX


def less(busy: Counted, idle: Counted) -> tuple[int, int]:
    """Return the statements and commits of ``busy`` that ``idle`` did not have."""
    return (Counter(busy.statements) - Counter(idle.statements)).total(), busy.commits - idle.commits
