"""Many unknown outcomes at once: an issuer is asked at its own pace, and every one of them is decided (F19)."""

from __future__ import annotations

import dataclasses
import itertools
import threading
import time

import pytest

from foundation.outbox import Outbox
from foundation.worker import Worker
from gateway.domain.attempt import AttemptState
from gateway.domain.issuers import Issuer
from gateway.domain.limits import INQUIRIES_MAX, INQUIRY_WAITS_SECONDS
from gateway.domain.outcome import NO_PLACE, InquiryAnswer, ReversalAnswer, ReversalUnknown, Unknown
from gateway.domain.payment import PaymentState
from gateway.ports import InquiryRequest, ReversalRequest
from gateway.services import recover, transfer_legs
from gateway.services.authorise import Checking
from gateway.services.enrol import add_issuer
from gateway.store import pace
from gateway.worker import topics
from tests.fakes.shop import ISSUER, Shop
from tests.fakes.switch import FakeSwitch, debit_but_silent, decline_but_silent, lost
from tests.gateway.services.test_transfers import opened

UNKNOWNS = 300
PER_SECOND, BURST = 60, 30
WORKERS = 3
TRIES = "SELECT tries FROM outbox WHERE topic = 'switch.inquire'"


class TimedSwitch(FakeSwitch):
    """Remembers when each inquiry and reversal arrived."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[float] = []

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Answer a 1604."""
        self.calls.append(time.monotonic())
        return super().inquire(issuer, request)

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Answer a 1420."""
        self.calls.append(time.monotonic())
        return super().reverse(issuer, request)


class FullSwitch(FakeSwitch):
    """Has no place for recovery in this process."""

    full = True

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask nobody while full."""
        return Unknown(NO_PLACE) if self.full else super().inquire(issuer, request)

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask nobody while full."""
        return ReversalUnknown(NO_PLACE) if self.full else super().reverse(issuer, request)


def with_switch(shop: Shop, switch: FakeSwitch) -> Shop:
    """Return the same world around another switch."""
    gateway = dataclasses.replace(shop.gateway, switch=switch)
    return dataclasses.replace(shop, gateway=gateway, switch=switch)


def at_pace(shop: Shop, per_second: int, burst: int) -> None:
    """Say how often the issuer may be asked."""
    add_issuer(
        shop.gateway, dataclasses.replace(ISSUER, recovery_per_second=per_second, recovery_burst=burst), ("999002",)
    )


def attempt_of(shop: Shop) -> str:
    """Return the only attempt."""
    return str(shop.rows("SELECT attempt_id FROM attempt")[0][0])


def turns(shop: Shop, count: int, *, per_second: int, burst: int) -> list[float]:
    """Ask so many times in a row."""
    with shop.gateway.database.single() as connection:
        return [pace.take_turn(connection, "two", per_second=per_second, burst=burst) for _ in range(count)]


def test_f19_a_storm_of_unknowns_keeps_the_issuers_pace_and_ends_decided(shop: Shop) -> None:
    """F19: three hundred at once, three workers of four threads; in no window more calls than burst plus refill."""
    shop = with_switch(shop, switch := TimedSwitch())
    at_pace(shop, PER_SECOND, BURST)
    behaviours = itertools.cycle((lost, debit_but_silent, decline_but_silent))
    payments = [shop.open() for _ in range(UNKNOWNS)]
    for payment, behaviour in zip(payments, behaviours, strict=False):
        switch.will(behaviour)
        assert shop.pay(payment) == Checking()
    shop.change("UPDATE outbox SET due_at = house_now()")

    workers = [Worker(Outbox(shop.gateway.database), topics(shop.gateway)[:2], threads=4) for _ in range(WORKERS)]
    threads = [threading.Thread(target=worker.run) for worker in workers]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 60
    open_jobs = "SELECT 1 FROM outbox WHERE topic <> 'webhook' AND done_at IS NULL LIMIT 1"
    while shop.rows(open_jobs) and time.monotonic() < deadline:
        threading.Event().wait(0.1)
    for worker in workers:
        worker.stop()
    for thread in threads:
        thread.join()

    states = dict(shop.rows("SELECT state, count(*) FROM attempt GROUP BY state"))
    third = UNKNOWNS // 3
    assert states == {AttemptState.APPROVED: third, AttemptState.DECLINED: third, AttemptState.VOIDED: third}
    assert len(switch.calls) == UNKNOWNS + third, "one inquiry each, one reversal for each that never arrived"
    assert not [job for job in shop.rows(TRIES) if job != (1,)], "waiting for a turn counts as no try"
    calls = sorted(switch.calls)
    for window in (0.5, 1.0, 3.0):
        busiest = max(sum(start <= call < start + window for call in calls) for start in calls)
        # a call may reach the switch up to half a second of this machine's load after its turn
        assert busiest <= BURST + PER_SECOND * (window + 0.5), window


def test_f19_a_bucket_holds_its_burst_and_refills_by_the_house_clock(shop: Shop) -> None:
    """Ten at once and no eleventh; a second later five more; after a long rest ten, not thousands."""
    assert turns(shop, 11, per_second=5, burst=10)[:10] == [0] * 10
    (told,) = turns(shop, 1, per_second=5, burst=10)
    assert 0 < told <= 0.4
    shop.later(1)
    assert turns(shop, 6, per_second=5, burst=10).count(0) == 5
    shop.later(86_400)
    assert turns(shop, 30, per_second=5, burst=10).count(0) == 10


def test_f19_those_turned_away_come_back_one_by_one_within_a_minute(shop: Shop) -> None:
    """A queue of two seconds is two seconds long; one of hundreds of seconds is folded over the same minute."""
    told = [wait for wait in turns(shop, 25, per_second=10, burst=5) if wait]
    assert len(told) == 20
    gaps = [later - earlier for earlier, later in itertools.pairwise(told)]
    assert all(0 < gap <= 0.1 for gap in gaps), "one refill apart, less the time the asking took"

    many = [wait for wait in turns(shop, 800, per_second=10, burst=5) if wait]
    assert max(many) <= pace.LONGEST_WAIT_SECONDS
    assert sum(wait < 1 for wait in many) <= 40, "the second minute's share lies over the first, not at its front"


@pytest.mark.parametrize("skew", [-3_600, 3_600])
def test_f20_a_clock_that_jumps_stops_no_recovery(shop: Shop, skew: int) -> None:
    """F20: an hour back costs one refill, not an hour; an hour ahead fills the bucket and no more."""
    turns(shop, 30, per_second=10, burst=10)
    shop.later(skew)
    turns(shop, 30, per_second=10, burst=10)
    shop.later(0)
    told = turns(shop, 1, per_second=10, burst=10)[0]

    assert told <= 0.1
    shop.later(told + 0.2)
    assert turns(shop, 1, per_second=10, burst=10) == [0]


def test_f19_without_a_turn_nothing_is_asked_and_no_try_is_counted(shop: Shop) -> None:
    """The job comes back when a token will be there, and its five inquiries are still its own."""
    at_pace(shop, 1, 1)
    payment = shop.open()
    shop.switch.will(debit_but_silent)
    shop.pay(payment)
    turns(shop, 1, per_second=1, burst=1)
    for _ in range(INQUIRIES_MAX + 1):
        shop.change("UPDATE outbox SET due_at = house_now() WHERE topic = 'switch.inquire'")
        shop.work()
        assert shop.rows("SELECT tries, last_error FROM outbox WHERE topic = 'switch.inquire'") == [(0, "not its turn")]
        shop.change("UPDATE recovery_pace SET spent_until = house_now() + interval '1 second'")
    assert shop.switch.inquiries == []
    shop.later(20)
    shop.work()

    assert shop.state(payment) is PaymentState.AUTHORISED


def test_f19_a_full_process_postpones_and_counts_no_try(shop: Shop) -> None:
    """A full recovery gate sends nothing: neither an inquiry's try nor a step of the reversal's back-off."""
    shop = with_switch(shop, switch := FullSwitch())
    payment = shop.open()
    switch.will(debit_but_silent)
    shop.pay(payment)
    for _ in range(INQUIRIES_MAX * 2):
        shop.change("UPDATE outbox SET due_at = house_now() WHERE topic = 'switch.inquire'")
        shop.work()
    assert shop.rows("SELECT state FROM attempt") == [("unknown",)], "nobody was asked, so nothing was decided"
    assert shop.rows(TRIES) == [(0,)]
    ((seconds,),) = shop.rows("SELECT extract(epoch FROM due_at - house_now()) FROM outbox WHERE topic <> 'webhook'")
    assert 0 < seconds <= 2

    shop.change("UPDATE attempt SET state = 'voiding', reversal_decided_at = house_now()")
    waits = recover.reverse(shop.gateway, attempt_of(shop))
    assert isinstance(waits, recover.NotYet)
    assert waits.why == NO_PLACE
    switch.full = False
    assert recover.reverse(shop.gateway, attempt_of(shop)) is None
    assert shop.state(payment) is PaymentState.OPEN


def test_f19_the_first_check_is_delayed_and_only_three_are_early(shop: Shop) -> None:
    """F19: none at once, three in the first ten seconds, all five by the table, then the decision to reverse."""
    payment = shop.open()
    shop.switch.will(debit_but_silent)
    shop.pay(payment)
    shop.switch.silent_inquiries = 100
    asked_by: dict[int, int] = {}
    for second in range(90):
        shop.later(second)
        shop.work()
        asked_by[second] = len(shop.switch.inquiries)

    assert asked_by[1] == 0
    assert asked_by[3] == 1
    assert (asked_by[12], asked_by[20]) == (3, 3)
    assert asked_by[89] == INQUIRIES_MAX == len(INQUIRY_WAITS_SECONDS) + 1
    assert len(shop.switch.reversals) == 1
    assert shop.state(payment) is PaymentState.OPEN


def test_the_pace_of_two_issuers_is_their_own(shop: Shop) -> None:
    """One issuer's storm takes no turn of another's."""
    add_issuer(shop.gateway, dataclasses.replace(ISSUER, issuer_id="three"), ("999004",))
    turns(shop, 20, per_second=1, burst=1)
    with shop.gateway.database.single() as connection:
        assert pace.take_turn(connection, "three", per_second=1, burst=1) == 0


def test_f19_a_first_credit_waits_for_no_turn_and_its_repeats_do(town: Shop) -> None:
    """The pace is for a bank that did not answer: what it was not asked yet is today's business."""
    town.switch.credit_answers.append(Unknown("silent"))
    town.send(opened(town))
    (attempt_id,) = town.rows("SELECT attempt_id FROM payment WHERE attempt_id IS NOT NULL")[0]
    town.change("UPDATE issuer SET recovery_per_second = 1, recovery_burst = 1")
    town.gateway.directory.forget()
    ends = []

    for tries in (1, 2):
        _take_all_turns(town, "one")
        ends.append(transfer_legs.credit(town.gateway, attempt_id, tries=tries))

    assert [type(end) for end in ends] == [recover.Again, recover.NotYet]
    assert len(town.switch.credits) == 1


def _take_all_turns(town: Shop, issuer_id: str) -> None:
    issuer = town.gateway.directory.issuer(issuer_id)
    assert issuer
    while recover.turn(town.gateway, issuer) is None:
        pass
