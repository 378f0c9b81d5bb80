"""Balances: a snapshot and its tail are the plain sum at any moment, whatever order postings commit in (D32)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from foundation.checks import Inspector
from gateway.services import sweep
from gateway.store import balances
from gateway.store.account_checks import CHECKS_OF_ACCOUNTS
from gateway.store.checks import RULES
from tests.fakes.shop import MERCHANT, Shop

PAYABLE = f"payable:{MERCHANT.merchant_id}"
POST = text(
    "INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial) "
    "SELECT payment_id, attempt_id, 'test', 'fees', 'suspense', :amount FROM attempt LIMIT 1"
)
BALANCE = text(f"SELECT CAST({balances.balance_of('CAST(:account AS text)')} AS bigint)")
WAIT_SECONDS = 8


def post(connection: Connection, amount: int) -> None:
    """Write a posting that is nobody's."""
    connection.execute(POST, {"amount": amount})


def held(shop: Shop, account: str) -> int:
    """Ask the balance as the deciding statements do."""
    with shop.gateway.database.single() as connection:
        return int(connection.execute(BALANCE, {"account": account}).scalar_one())


def folded(shop: Shop) -> dict[str, int]:
    """Read what was folded."""
    return dict(shop.rows("SELECT account, balance_rial FROM account_snapshot"))  # type: ignore[arg-type]  # rows of two


def agree(shop: Shop) -> bool:
    """Compare every balance with the plain sum."""
    plain = shop.balances()
    return all(held(shop, account) == plain.get(account, 0) for account in {*plain, *folded(shop), "nobody"})


def test_d32_a_balance_is_the_snapshot_and_the_tail(shop: Shop) -> None:
    """D32: before, between and after folds the balance is the plain sum; an account nobody posted to has none."""
    assert agree(shop)
    for _ in range(3):
        shop.confirm(shop.paid())
        assert agree(shop)
        assert sweep.fold_balances(shop.gateway) > 0
        assert agree(shop)
    assert folded(shop)[PAYABLE] == held(shop, PAYABLE) == 750_000
    assert sweep.fold_balances(shop.gateway) == 0


def test_f34_d32_nobody_who_pays_waits_for_a_merchants_account(shop: Shop) -> None:
    """F34, D32: while a refund or payout holds the account of a busy merchant, its shoppers pay and it confirms."""
    with shop.gateway.database.begin() as connection, ThreadPoolExecutor(4) as pool:
        balances.lock(connection, PAYABLE)
        for done in [pool.submit(lambda: shop.confirm(shop.paid())) for _ in range(8)]:
            assert done.result(timeout=WAIT_SECONDS).first_time

    assert held(shop, PAYABLE) == 8 * 250_000


def test_d32_folding_goes_on_in_bounded_batches(shop: Shop) -> None:
    """D32: a batch folds at most so many; what is behind it stays the tail."""
    for _ in range(4):
        shop.confirm(shop.paid())
    number = shop.rows("SELECT count(*) FROM posting")[0][0]
    done = []
    while True:
        with shop.gateway.database.begin() as connection:
            done.append(balances.fold(connection, most=3))
        assert agree(shop)
        if not done[-1]:
            break
    assert max(done) == 3
    assert sum(done) == number


def test_d32_a_posting_that_commits_behind_a_higher_id_is_never_passed_over(shop: Shop) -> None:
    """D32: while the writer of a lower id is still at it nothing is folded; then both are, and later ones wait."""
    shop.paid()
    assert sweep.fold_balances(shop.gateway)
    with shop.gateway.database.begin() as slow:
        post(slow, 7)  # the lower id, still open
        with ThreadPoolExecutor(1) as other:
            other.submit(lambda: shop.confirm(shop.paid())).result(WAIT_SECONDS)
            assert other.submit(lambda: sweep.fold_balances(shop.gateway)).result(WAIT_SECONDS) == 0
            assert other.submit(lambda: agree(shop)).result(WAIT_SECONDS)
    assert agree(shop)
    assert sweep.fold_balances(shop.gateway)
    assert folded(shop)["suspense"] == 7
    assert agree(shop)


def test_d32_writers_that_came_after_the_mark_do_not_hold_folding_up(shop: Shop) -> None:
    """D32: under load somebody always writes; only those who were there when the mark was set are waited for."""
    shop.paid()
    with shop.gateway.database.begin() as first:
        post(first, 7)
        with ThreadPoolExecutor(1) as other:
            other.submit(shop.paid).result(WAIT_SECONDS)
            assert other.submit(sweep.fold_balances, shop.gateway).result(WAIT_SECONDS) == 0
    with shop.gateway.database.begin() as second:
        post(second, 9)
        with ThreadPoolExecutor(1) as other:
            assert other.submit(sweep.fold_balances, shop.gateway).result(WAIT_SECONDS) > 0
    assert folded(shop)["suspense"] == 7
    assert agree(shop)


def broken(shop: Shop) -> set[str]:
    """Name the rules of accounts that do not hold."""
    verdicts = Inspector(shop.owner, RULES).everything().verdicts
    assert not [verdict for verdict in verdicts if verdict.failed]
    return {verdict.name for verdict in verdicts if not verdict.holds} & {check.name for check in CHECKS_OF_ACCOUNTS}


def test_d32_what_was_folded_is_proven_piece_by_piece(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """D32: from checkpoint to checkpoint and to the snapshot; no question adds up a merchant's history."""
    monkeypatch.setattr(balances, "NOTED_EVERY", 3)
    for _ in range(11):
        shop.confirm(shop.paid())
        assert sweep.fold_balances(shop.gateway)
    assert shop.rows("SELECT account, balance_rial FROM account_checkpoint ORDER BY number") == [
        (PAYABLE, number * 250_000) for number in (3, 6, 9)
    ]
    assert broken(shop) == set()

    shop.forge(
        "UPDATE posting SET amount_rial = amount_rial - 7 WHERE posting_id = "
        "(SELECT min(posting_id) FROM posting WHERE destination LIKE 'payable\\:%')"
    )
    assert broken(shop) == {"I1_checkpoint"}, "the first piece alone"
    shop.change(
        "UPDATE account_snapshot SET balance_rial = balance_rial + CASE account WHEN 'fees' THEN -5 ELSE 5 END "
        "WHERE account IN ('fees', :account)",
        account=PAYABLE,
    )
    assert broken(shop) >= {"I1_checkpoint", "I1_snapshot"}


def test_d32_only_one_folds_at_a_time(shop: Shop) -> None:
    """D32: a second worker meets the first and folds nothing, without waiting."""
    shop.paid()
    sweep.fold_balances(shop.gateway)
    shop.paid()
    with shop.gateway.database.begin() as first:
        assert balances.fold(first, most=10) > 0
        with ThreadPoolExecutor(1) as other:
            assert other.submit(sweep.fold_balances, shop.gateway).result(WAIT_SECONDS) == 0
    assert agree(shop)


def test_d32_a_lock_holds_until_the_transaction_ends_and_only_accounts_with_a_floor_have_one(shop: Shop) -> None:
    """D32: who decides about a payable account is alone; an account of the hot path cannot be locked at all."""
    with ThreadPoolExecutor(1) as other:
        with shop.gateway.database.begin() as connection:
            balances.lock(connection, PAYABLE)
            waits = other.submit(_lock, shop, PAYABLE)
            assert not waits.done()
        waits.result(WAIT_SECONDS)
    with pytest.raises(IntegrityError):
        _lock(shop, "issuer:two")


def _lock(shop: Shop, account: str) -> None:
    with shop.gateway.database.begin() as connection:
        balances.lock(connection, account)
