"""Each invariant that the simulator checks can fail: with one fault planted in the real code, it is found and named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from foundation.wake import Wake
from gateway.domain.outcome import Approved, Declined, ReversalUnknown, Reversed, Unknown
from gateway.domain.transfer import Credit
from gateway.ports import Delivered
from gateway.services import confirm, endpoints, reconcile, second_leg, sweep
from gateway.store import attempts, bills, idempotency, payments, refunds, settlements, webhooks
from gateway.store import transfer_legs as transfer_store
from gateway.switch.client import SwitchClient
from otp.domain import verdict
from otp.domain.action_codes import Reason
from otp.domain.challenge import ChallengeState
from otp.services import deliver
from otp.store import accounts, authorisations, receivers
from sandbox.postgres import Cluster
from sandbox.simulator import invariants, network, nights, runner
from sandbox.simulator.hooks import Merchants
from sandbox.simulator.runner import simulate

pytestmark = [
    pytest.mark.xdist_group("simulator"),
    pytest.mark.no_cover,  # what stands here is covered by tests of its own, and counting lines takes a third longer
    pytest.mark.timeout(400),  # several histories, where the first ones do not meet the fault
]

Patch = pytest.MonkeyPatch
SEEDS = range(1, 17)
"""Histories to look through; how soon a fault shows depends on who happens to act when."""


def _statement(patch: Patch, module: Any, name: str, *changes: tuple[str, str]) -> None:
    """Write a statement of a store otherwise."""
    words = getattr(module, name).text
    for before, after in changes:
        assert before in words
        words = words.replace(before, after)
    patch.setattr(module, name, text(words))


def _after(patch: Patch, owner: Any, name: str, change: Callable[[Any], Any]) -> None:
    """Change what a function gives back."""
    before = getattr(owner, name)
    patch.setattr(owner, name, lambda *args, **kwargs: change(before(*args, **kwargs)))


def _often(patch: Patch, fates: dict[str, int], fate: str) -> None:
    """Let something happen to most messages of a kind, so that what is planted shows soon."""
    patch.setitem(fates, fate, 300)


def balance_off_by_one(patch: Patch) -> None:
    """The bank's account takes a rial less than it posts."""
    _statement(patch, accounts, "_WRITE", ("- decided.debit_rial\n", "- decided.debit_rial + 1\n"))


def repeats_executed(patch: Patch) -> None:
    """The host forgets which messages it has seen, and takes a used code for a good one."""
    insert = authorisations.insert_purchase

    def again(connection: Any, intent: Any) -> Any:
        row = insert(connection, intent) or authorisations.read(connection, intent.key)
        return getattr(row, "authorisation_id", row)

    patch.setattr(authorisations, "insert_purchase", again)
    patch.setattr(verdict, "_worth", lambda *_: (Reason.APPROVED, ChallengeState.CONSUMED))


def silence_is_yes(patch: Patch) -> None:
    """A purchase that nobody answered counts as paid."""
    _after(patch, SwitchClient, "authorise", lambda answer: Approved() if isinstance(answer, Unknown) else answer)


def given_back_but_a_rial(patch: Patch) -> None:
    """The bank keeps a rial of each reversal."""
    _statement(
        patch,
        authorisations,
        "_REVERSE",
        ("+ judged.amount_rial", "+ judged.amount_rial - 1"),
        ("source, posting.amount_rial", "source, posting.amount_rial - 1"),
    )


def other_number_than_written(patch: Patch) -> None:
    """The gateway sends a purchase under a number that it did not write down."""
    real = SwitchClient.authorise

    def otherwise(client: SwitchClient, issuer: Any, request: Any) -> Any:
        stan = f"{(int(request.trace.stan) + 500_000) % 1_000_000:06}"
        return real(client, issuer, replace(request, trace=replace(request.trace, stan=stan)))

    patch.setattr(SwitchClient, "authorise", otherwise)


def lost_attempts_stay_lost(patch: Patch) -> None:
    """Nobody looks for attempts whose process died."""
    patch.setattr(sweep, "recover_lost", lambda _: 0)


def nobody_is_told(patch: Patch) -> None:
    """A reversal that takes longer than promised alarms nobody; the promise is short, so that this comes soon."""
    patch.setattr(invariants, "DISPUTE_AFTER", dt.timedelta(seconds=1))
    patch.setattr(invariants, "UNMARKED_STEPS_MOST", 100)
    patch.setattr(sweep, "dispute", lambda _: 0)


def silence_is_no(patch: Patch) -> None:
    """A purchase that nobody answered counts as declined (F4)."""
    _after(patch, SwitchClient, "authorise", lambda answer: Declined("912") if isinstance(answer, Unknown) else answer)


def silence_is_given_back(patch: Patch) -> None:
    """A reversal that nobody answered counts as accepted (F6)."""
    _often(patch, network.FATES, "message lost")
    _after(patch, SwitchClient, "reverse", lambda answer: Reversed() if isinstance(answer, ReversalUnknown) else answer)


def cancelled_while_paying(patch: Patch) -> None:
    """The shopper may cancel while the bank is asked."""
    _statement(patch, payments, "_CANCEL", ("('open')", "('open', 'paying', 'unknown')"))


def always_the_first(patch: Patch) -> None:
    """Every confirmation is told that it was the first."""
    _after(patch, confirm, "_again", lambda done: replace(done, first_time=True))


def confirmed_while_going_back(patch: Patch) -> None:
    """A payment whose money goes back already can be confirmed."""
    _statement(patch, payments, "_CONFIRM", ("('authorised')", "('authorised', 'reversing')"))


def foreign_codes(patch: Patch) -> None:
    """A code of one payment pays another (F11)."""
    real = verdict._worth  # noqa: SLF001 - what is planted stands before it - the fault is planted there
    patch.setattr(verdict, "_worth", lambda row, now: real(replace(row, binding_matches=True), now))


def dead_codes(patch: Patch) -> None:
    """A code pays after its life."""
    real = verdict._worth  # noqa: SLF001 - what is planted stands before it
    later = dt.timedelta(hours=1)

    def worth(row: Any, now: dt.datetime) -> Any:
        if row.state is ChallengeState.EXPIRED:
            return (Reason.APPROVED if row.binding_matches else Reason.CODE_FOREIGN), ChallengeState.CONSUMED
        return real(replace(row, expires_at=row.expires_at + later), now)

    patch.setattr(verdict, "_worth", worth)


class AnyBody(bytes):
    """Equal to everything."""

    __slots__ = ()

    def __ne__(self, other: object) -> bool:
        return False

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = bytes.__hash__


def any_body(patch: Patch) -> None:
    """The same key answers whatever body comes with it."""
    _after(
        patch,
        idempotency,
        "stored",
        lambda known: known and replace(known, body_hash=AnyBody(known.body_hash)),
    )


def reversal_without_job(patch: Patch) -> None:
    """The decision to give money back queues nothing."""
    _statement(patch, payments, "_REVERSE", ("FROM voiding ON CONFLICT", "FROM voiding WHERE false ON CONFLICT"))


def nobody_is_owed(patch: Patch) -> None:
    """A confirmation owes no webhook."""
    _statement(
        patch,
        payments,
        "_CONFIRM",
        ("ON CONFLICT (event_id) DO NOTHING", "WHERE false ON CONFLICT (event_id) DO NOTHING"),
    )


def told_without_asking(patch: Patch) -> None:
    """A webhook counts as delivered before anybody answered."""
    patch.setattr(Merchants, "send", lambda *_: Delivered())


def order_forgotten(patch: Patch) -> None:
    """A webhook goes out although an earlier one of its payment is on its way there."""
    _statement(patch, webhooks, "_CLAIM", ("AND earlier.number < d.number", "AND false"))


def delivery_forgotten(patch: Patch) -> None:
    """A webhook that failed is not tried again for a year."""
    put_off = "due_at = house_now() + make_interval(secs => :wait_seconds),"
    _statement(patch, webhooks, "_FAILED", (put_off, "due_at = house_now() + interval '1 year',"))


def given_up_in_silence(patch: Patch) -> None:
    """Nobody is told that an event was given up."""
    _statement(patch, webhooks, "_FAILED", ("CROSS JOIN ill WHERE mine.state = 'dead'", "CROSS JOIN ill WHERE false"))


def given_up_at_once(patch: Patch) -> None:
    """An event dies of its first failure."""
    _statement(patch, webhooks, "_FAILED", ("CASE WHEN :gone OR", "CASE WHEN :gone OR true OR"))


def sent_although_disabled(patch: Patch) -> None:
    """A disabled endpoint is sent what waits for it."""
    _statement(patch, webhooks, "_CLAIM", ("WHERE e.enabled AND", "WHERE"))


def old_secret_signs_on(patch: Patch) -> None:
    """A secret signs after its overlap."""
    _statement(patch, webhooks, "_CLAIM", ("CASE WHEN e.previous_until > house_now() THEN", "CASE WHEN true THEN"))


def one_endpoint_is_owed(patch: Patch) -> None:
    """A confirmation is owed to one endpoint, however many hear it."""
    first = "endpoint.endpoint_id = (SELECT min(e.endpoint_id) FROM webhook_endpoint e)"
    _statement(patch, payments, "_CONFIRM", ("AND endpoint.enabled", f"AND {first} AND endpoint.enabled"))


def rotated_again(patch: Patch) -> None:
    """A request about webhooks that comes again is carried out again."""
    patch.setattr(endpoints, "first_answer", lambda *_: None)


def sms_past_its_time(patch: Patch) -> None:
    """The worker sends codes whatever became of them."""
    change = lambda row: replace(row, state="issued", seconds_left=100.0)  # noqa: E731 - named to fit
    _after(patch, deliver.deliveries, "for_sending", change)


def confirmed_without_money(patch: Patch) -> None:
    """A confirmation moves nothing to the merchant's account."""
    _statement(patch, payments, "_CONFIRM", ("WHERE row.amount_rial > 0", "WHERE false"))


def redis_must_answer(patch: Patch) -> None:
    """Ringing the bell fails without Redis."""

    def ring(bell: Wake) -> None:
        bell._redis.lpush(bell._key, 1)  # noqa: SLF001 - as the bell does

    patch.setattr(Wake, "ring", ring)


def nothing_expires(patch: Patch) -> None:
    """Pages stay open for ever."""
    patch.setattr(sweep, "expire", lambda _: 0)


def bills_are_nobodys(patch: Patch) -> None:
    """Whoever is about to pay a bill does not claim it, and nobody looks for paid ones."""
    _statement(patch, attempts, "_SUBMIT", ("SET claimed = true", "SET claimed = false"))
    checks = [check for check in runner.GATEWAY_RULES.checks if check.name != "I15_bills"]
    patch.setattr(runner, "GATEWAY_RULES", replace(runner.GATEWAY_RULES, checks=checks))


def silence_gives(patch: Patch) -> None:
    """A credit that nobody answered counts as given."""
    _often(patch, network.GIVING_FATES, "message lost")
    _after(patch, SwitchClient, "credit", lambda answer: Approved() if isinstance(answer, Unknown) else answer)


def deadline_frees_the_debit(patch: Patch) -> None:
    """Past its deadline a credit counts as taken back, and nobody asks the destination's bank (D7)."""
    _often(patch, network.GIVING_FATES, "answer lost")

    def take_back(_row: Any, leg: Any) -> None:
        leg.decide()
        leg.not_given(Credit.REVERSING, Credit.REVERSED, "400")

    patch.setattr(second_leg, "_take_back", take_back)


def refused_is_forgotten(patch: Patch) -> None:
    """A refused credit ends its job and leaves the debit where it is."""
    patch.setattr(transfer_store, "not_given", lambda *_, **__: False)


def clearing_keeps_it(patch: Patch) -> None:
    """A credit that was given stays in the gateway's clearing."""
    joined = "FROM done JOIN given USING (payment_id)"
    _statement(patch, transfer_store, "_GIVEN", (joined, f"{joined} WHERE false"))


def booked_on_another_day(patch: Patch) -> None:
    """The gateway books credits on the day after that of their bank."""

    def a_day_later(answer: Any) -> Any:
        if not isinstance(answer, Approved):
            return answer
        day = dt.datetime.strptime(f"2026{answer.capture_date} +0000", "%Y%m%d %z") + dt.timedelta(days=1)
        return replace(answer, capture_date=f"{day:%m%d}")

    _after(patch, SwitchClient, "credit", a_day_later)


def gives_a_rial_more(patch: Patch) -> None:
    """The destination's account gets a rial more than is posted."""
    given = "balance_rial = balance_rial + amount_rial"
    _statement(patch, receivers, "_GIVE", (f"{given} FROM given", f"{given} + 1 FROM given"))


def credit_under_a_new_number(patch: Patch) -> None:
    """Each repeat of a credit has a number of its own (D7)."""
    change = lambda row: row and replace(row, stan=row.own_stan)  # noqa: E731 - named to fit
    _after(patch, transfer_store, "read_credit", change)


def silence_refunds(patch: Patch) -> None:
    """A refund that nobody answered counts as given."""
    _often(patch, network.GIVING_FATES, "message lost")
    _after(patch, SwitchClient, "refund", lambda answer: Approved() if isinstance(answer, Unknown) else answer)


def given_counts_as_refused(patch: Patch) -> None:
    """A refund that the bank gave is the merchant's again."""
    _after(patch, SwitchClient, "refund", lambda answer: Declined("116") if isinstance(answer, Approved) else answer)


def _wrong_amounts(patch: Patch) -> None:
    patch.setattr(nights, "HONEST", 0)
    patch.setattr(nights, "WRONG", {"amount_differs": 1})


def paid_out_unseen(patch: Patch) -> None:
    """A batch pays what no bank's file has told of yet."""
    for name in ("_MERCHANTS", "_HOLD_DUE"):
        _statement(patch, settlements, name, ("AND line.verdict = 'matched')", "AND line.verdict = 'matched') OR true"))


def differences_are_paid_out(patch: Patch) -> None:
    """What the books differ about is paid out all the same; every file has a wrong amount, so that this comes soon."""
    _wrong_amounts(patch)
    for name in ("_MERCHANTS", "_HOLD_DUE"):
        _statement(patch, settlements, name, ("line.verdict = 'matched')", "true)"), ("NOT found.settle)", "false)"))


def refused_bills_are_paid_out(patch: Patch) -> None:
    """A biller is paid for a bill that it refused, beside the money that goes back to the card."""
    for name in ("_MERCHANTS", "_HOLD_BILLS", "_KEPT_BILLS"):
        _statement(patch, settlements, name, (f"AND NOT {bills.GIVEN_BACK}", ""))
    _statement(patch, refunds, "_DONE", ("claimed = false, owed = false", "claimed = false"))


def bills_are_paid_to_whoever_opened_them(patch: Patch) -> None:
    """A bill's money goes to the merchant on whose page it was paid."""
    _statement(patch, settlements, "_SETTLE_BILLS", ("bill.biller_id AS", "payment.merchant_id AS"))


def amounts_are_not_compared(patch: Patch) -> None:
    """The gateway takes a bank's amounts as they are."""
    _wrong_amounts(patch)
    real = reconcile.judge_all

    def judged(lines: Any, ours: Any, *rest: Any) -> Any:
        same = [replace(line, amount_rial=ours[line.key].total_rial) if line.key in ours else line for line in lines]
        return real(same, ours, *rest)

    patch.setattr(reconcile, "judge_all", judged)


PLANTED: tuple[tuple[str, Callable[[Patch], None], int, int], ...] = (
    ("I1", balance_off_by_one, 600, 1),
    ("I2 I4 I9", repeats_executed, 600, 6),
    ("I3", silence_is_yes, 600, 1),
    ("I4", given_back_but_a_rial, 1000, 1),
    ("I5", other_number_than_written, 600, 1),
    ("I5", lost_attempts_stay_lost, 2500, 1),
    ("I5", nobody_is_told, 1000, 2),
    ("I6", silence_is_no, 1000, 1),
    ("I6", silence_is_given_back, 1000, 2),
    ("I7", cancelled_while_paying, 1000, 1),
    ("I8", always_the_first, 600, 1),
    ("I7 I8", confirmed_while_going_back, 1000, 7),
    ("I9", foreign_codes, 600, 1),
    ("I9", dead_codes, 1000, 5),
    ("I10", any_body, 600, 2),
    ("I11", reversal_without_job, 600, 1),
    ("I11", nobody_is_owed, 600, 1),
    ("I11", order_forgotten, 600, 1),
    ("I11", delivery_forgotten, 600, 1),
    ("I11", given_up_in_silence, 600, 1),
    ("I11", given_up_at_once, 600, 1),
    ("I11", sent_although_disabled, 600, 1),
    ("I11", one_endpoint_is_owed, 600, 1),
    ("F21", old_secret_signs_on, 1000, 4),
    ("I10", rotated_again, 1000, 1),
    ("I12", told_without_asking, 300, 1),
    ("I12", sms_past_its_time, 600, 1),
    ("I13", confirmed_without_money, 600, 1),
    ("I15", bills_are_nobodys, 3000, 16),
    ("I15", silence_gives, 1000, 8),
    ("I15", deadline_frees_the_debit, 1000, 2),
    ("I11", refused_is_forgotten, 1000, 5),
    ("I15", clearing_keeps_it, 600, 2),
    ("I14", booked_on_another_day, 800, 2),
    ("I1", gives_a_rial_more, 300, 1),
    ("I5", credit_under_a_new_number, 600, 1),
    ("I6", silence_refunds, 1500, 1),
    ("I6", given_counts_as_refused, 600, 1),
    ("I13", paid_out_unseen, 600, 1),
    ("I13", refused_bills_are_paid_out, 1000, 101),
    ("I3 I13", bills_are_paid_to_whoever_opened_them, 1000, 101),
    ("I14", differences_are_paid_out, 1500, 4),
    ("I14", amounts_are_not_compared, 1500, 1),
    ("I17", redis_must_answer, 600, 2),
    ("I18", nothing_expires, 200, 1),
)
"""Invariant (either, where both are broken) or row of the fault table, fault, steps of a history, the first seed."""


@pytest.mark.parametrize(("number", "plant", "steps", "first"), PLANTED, ids=[row[1].__name__ for row in PLANTED])
def test_a_planted_fault_is_found(
    cluster: Cluster, monkeypatch: Patch, number: str, plant: Callable[[Patch], None], steps: int, first: int
) -> None:
    """The violation is named by its invariant, and the report says how to see it again."""
    plant(monkeypatch)
    found = []
    for seed in (first, *SEEDS):
        outcome = simulate(cluster, steps=steps, seed=seed)
        found.append(outcome.violation)
        if str(outcome.violation).partition(":")[0] in number.split():
            break

    assert str(outcome.violation).partition(":")[0] in number.split(), found
    assert "--replay" in outcome.lines[-1]
