"""Reads what each organisation's books say, as its read-only role, each at one instant."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import psycopg
from psycopg.rows import class_row

from sandbox.banks import BY_ORGANISATION
from sandbox.world import ACQUIRER_ID, World

Key = tuple[str, str, str, str, str]
"""Acquirer, terminal, STAN, RRN, local time: what a purchase is called on both sides of the wire."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt in the gateway's books; ``net_rial`` is what its postings took from the issuer for good."""

    attempt_id: str
    payment_id: str
    state: str
    key: list[str]
    net_rial: int
    total_rial: int
    age: dt.timedelta
    late: bool | None = None
    """Past the hour promised to the shopper; unset where nothing was promised."""


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment in the gateway's books, with what its merchant's accounts hold of it."""

    payment_id: str
    state: str
    amount_rial: int
    pending_rial: int
    payable_rial: int
    age: dt.timedelta


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An authorisation at the bank; ``net_rial`` is what its postings took from the card and did not give back."""

    authorisation_id: int
    state: str
    key: list[str]
    amount_rial: int
    net_rial: int


@dataclass(frozen=True, slots=True)
class Account:
    """A card account whose balance is not what its postings make of it."""

    card_id: int
    balance_rial: int
    expected_rial: int


@dataclass(frozen=True, slots=True)
class Order:
    """An order of the shop that has a payment."""

    number: str
    payment_id: str
    state: str
    total_rial: int


@dataclass(frozen=True, slots=True)
class Books:
    """Everything that is compared."""

    attempts: list[Attempt]
    payments: list[Payment]
    authorisations: list[Authorisation]
    accounts: list[Account]
    orders: list[Order]


_ATTEMPTS = """
SELECT attempt_id, payment_id, state, ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key,
  amount_rial + fee_rial AS total_rial, house_now() - submitted_at AS age,
  (SELECT house_now() > decided_by FROM payment WHERE payment.attempt_id = attempt.attempt_id
    AND payment.state IN ('paying', 'unknown')) AS late,
  coalesce((SELECT sum(CASE WHEN source LIKE 'issuer:%' THEN amount_rial
    WHEN destination LIKE 'issuer:%' THEN -amount_rial ELSE 0 END) FROM posting
    WHERE posting.attempt_id = attempt.attempt_id), 0)::bigint AS net_rial
FROM attempt ORDER BY submitted_at
"""
_PAYMENTS = """
SELECT payment.payment_id, state, payment.amount_rial,
  house_now() - coalesce(confirmed_at, authorised_at, created_at) AS age,
  coalesce(sum(CASE WHEN destination LIKE 'pending:%' THEN posting.amount_rial WHEN source LIKE 'pending:%'
    THEN -posting.amount_rial END), 0)::bigint AS pending_rial,
  coalesce(sum(CASE WHEN destination LIKE 'payable:%' THEN posting.amount_rial WHEN source LIKE 'payable:%'
    THEN -posting.amount_rial END), 0)::bigint AS payable_rial
FROM payment LEFT JOIN posting USING (payment_id) GROUP BY payment.payment_id ORDER BY created_at
"""
_AUTHORISATIONS = """
SELECT authorisation_id, state, ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key, amount_rial,
  coalesce((SELECT sum(CASE WHEN source LIKE 'card:%%' THEN amount_rial ELSE -amount_rial END) FROM posting
    WHERE posting.authorisation_id = authorisation.authorisation_id), 0)::bigint AS net_rial
FROM authorisation WHERE acquirer_id = %s ORDER BY authorisation_id
"""
_ACCOUNTS = """
SELECT card_id, balance_rial, expected_rial FROM (
  SELECT card_id, balance_rial, (opened_rial
    + coalesce((SELECT sum(amount_rial) FROM posting WHERE destination = 'card:' || card_id), 0)
    - coalesce((SELECT sum(amount_rial) FROM posting WHERE source = 'card:' || card_id), 0))::bigint AS expected_rial
  FROM card) AS account
WHERE balance_rial <> expected_rial
"""
_ORDERS = "SELECT number, payment_id, state, total_rial FROM shop_order WHERE payment_id IS NOT NULL ORDER BY order_id"


def read_books(world: World) -> Books:
    """Read every organisation, the banks first: what they do later cannot be missing from the gateway's books."""
    accounts: list[Account] = []
    found: list[Authorisation] = []
    for organisation in BY_ORGANISATION:
        with _reader(world, organisation) as bank:
            own_accounts, own_found = bank_books(bank)
        accounts += own_accounts
        found += own_found
    with _reader(world, "gateway") as gateway:
        attempts, payments = gateway_books(gateway)
    with _reader(world, "shop") as shop:
        orders = shop.cursor(row_factory=class_row(Order)).execute(_ORDERS).fetchall()
    return Books(attempts, payments, found, accounts, orders)


def bank_books(bank: psycopg.Connection[tuple[object, ...]]) -> tuple[list[Account], list[Authorisation]]:
    """Read the accounts that do not add up, and every authorisation our acquirer asked for."""
    accounts = bank.cursor(row_factory=class_row(Account)).execute(_ACCOUNTS).fetchall()
    found = bank.cursor(row_factory=class_row(Authorisation)).execute(_AUTHORISATIONS, (ACQUIRER_ID,)).fetchall()
    return accounts, found


def gateway_books(gateway: psycopg.Connection[tuple[object, ...]]) -> tuple[list[Attempt], list[Payment]]:
    """Read every attempt and payment of the gateway."""
    attempts = gateway.cursor(row_factory=class_row(Attempt)).execute(_ATTEMPTS).fetchall()
    payments = gateway.cursor(row_factory=class_row(Payment)).execute(_PAYMENTS).fetchall()
    return attempts, payments


def _reader(world: World, organisation: str) -> psycopg.Connection[tuple[object, ...]]:
    url = world.database_url(organisation, "reader").replace("+psycopg", "")
    connection = psycopg.connect(url, options="-c default_transaction_read_only=on")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection
