"""Reads what each organisation's books say, as its read-only role, each at one instant."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import psycopg
from psycopg.rows import class_row

from sandbox.banks import BY_ORGANISATION
from sandbox.terminals.sales import PROMISE_SECONDS, UNDER_WAY, Sale, SalesBook
from sandbox.top_ups import Entry, TopUpBook
from sandbox.world import ACQUIRER_ID, TERMINALS_ACQUIRER_ID, World

ACQUIRERS = (ACQUIRER_ID, TERMINALS_ACQUIRER_ID)
"""Whose purchases have a second book here."""

Key = tuple[str, str, str, str, str]
"""Acquirer, terminal, STAN, RRN, local time: what a purchase is called on both sides of the wire."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt, a transfer's credit or a refund in the gateway's books, or a sale in a till's.

    ``net_rial`` is what it took for good; less than nothing is what a credit or refund gave.
    """

    attempt_id: str
    payment_id: str
    state: str
    key: list[str]
    net_rial: int
    total_rial: int
    age: dt.timedelta
    past_promise: bool | None = None
    """Whether money under way is older than promised; unset once it has been answered for."""
    whose: str = "gateway"
    what: str = "attempt"


@dataclass(frozen=True, slots=True)
class Leg:
    """What one message moved between the banks, as one book has it.

    Args:
        book: whose: ``gateway``, or a bank.
        captured: DE 17 ``MMDD``, as the bank's host stamped it; none where nothing was captured.
        rial: at a bank what its interbank account got by it; at the gateway what transfer clearing got.
    """

    book: str
    key: list[str]
    captured: str | None
    rial: int


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment in the gateway's books."""

    payment_id: str
    state: str
    amount_rial: int
    age: dt.timedelta


@dataclass(frozen=True, slots=True)
class Authorisation:
    """An authorisation at the bank, or an operator's delivery; ``net_rial`` is what it took, negative where it gave."""

    authorisation_id: int | str
    state: str
    key: list[str]
    amount_rial: int
    net_rial: int


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
    orders: list[Order]
    legs: list[Leg] = field(default_factory=list)


_ATTEMPTS = """
SELECT attempt_id, attempt.payment_id, attempt.state,
  ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key, amount_rial + fee_rial AS total_rial,
  house_now() - attempt.submitted_at AS age, attempt_under_way.past_promise,
  coalesce((SELECT sum(CASE 'issuer:' || attempt.issuer_id WHEN source THEN amount_rial
    WHEN destination THEN -amount_rial ELSE 0 END) FROM posting
    WHERE posting.attempt_id = attempt.attempt_id AND posting.refund IS NULL
      AND (event NOT IN ('transfer_moved', 'transfer_stood') OR source = 'issuer:' || attempt.issuer_id)), 0)::bigint
    AS net_rial
FROM attempt LEFT JOIN attempt_under_way USING (attempt_id) ORDER BY attempt.submitted_at
"""
_CREDITS = """
SELECT attempt_id || ' (credit)' AS attempt_id, transfer.payment_id, credit AS state,
  ARRAY[acquirer_id, attempt.terminal_id, transfer.stan, transfer.rrn, transfer.local_time] AS key,
  attempt.amount_rial AS total_rial, house_now() - owed_at AS age,
  CASE WHEN credit IN ('owed', 'reversing') THEN house_now() > deadline_at + interval '10 minutes' END AS past_promise,
  -coalesce((SELECT sum(amount_rial) FROM posting
    WHERE posting.attempt_id = attempt.attempt_id AND event = 'credit_given'), 0)::bigint AS net_rial
FROM transfer JOIN payment USING (payment_id) JOIN attempt USING (attempt_id) WHERE transfer.stan IS NOT NULL
"""
_TOP_UPS = """
SELECT attempt_id || ' (top-up)' AS attempt_id, top_up.payment_id, credit AS state, ARRAY[top_up.payment_id] AS key,
  amount_rial AS total_rial, house_now() - owed_at AS age,
  CASE WHEN credit IN ('owed', 'reversing') THEN house_now() > deadline_at + interval '10 minutes' END AS past_promise,
  -coalesce((SELECT sum(posting.amount_rial) FROM posting
    WHERE posting.attempt_id = payment.attempt_id AND event = 'top_up_delivered'), 0)::bigint AS net_rial
FROM top_up JOIN payment USING (payment_id) WHERE credit <> 'none'
"""
_REFUNDS = """
SELECT refund.refund_id AS attempt_id, refund.payment_id, refund.state,
  ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key, amount_rial + fee_rial AS total_rial,
  house_now() - asked_at AS age, past_promise, 'refund' AS what,
  coalesce((SELECT sum(CASE WHEN source LIKE 'issuer:%' THEN amount_rial
    WHEN destination LIKE 'issuer:%' THEN -amount_rial ELSE 0 END) FROM posting
    WHERE posting.refund = refund.number), 0)::bigint AS net_rial
FROM refund LEFT JOIN refund_under_way USING (number) WHERE stan IS NOT NULL ORDER BY number
"""
_PAYMENTS = """
SELECT payment_id, state, amount_rial, house_now() - coalesce(confirmed_at, authorised_at, created_at) AS age
FROM payment ORDER BY created_at
"""
_AUTHORISATIONS = """
SELECT authorisation_id, state, ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key, amount_rial,
  coalesce((SELECT sum(CASE 'card:' || coalesce(card_id, credited_card_id) WHEN source THEN amount_rial
    WHEN destination THEN -amount_rial ELSE 0 END) FROM posting
    WHERE posting.authorisation_id = authorisation.authorisation_id), 0)::bigint AS net_rial
FROM authorisation WHERE acquirer_id = ANY(%s) ORDER BY authorisation_id
"""
_INTERBANK = """
SELECT %s AS book, ARRAY[acquirer_id, terminal_id, stan, rrn, local_time] AS key, capture_date AS captured,
  sum(CASE 'interbank:' || acquirer_id WHEN destination THEN posting.amount_rial ELSE -posting.amount_rial END)::bigint
    AS rial
FROM authorisation JOIN posting USING (authorisation_id)
WHERE acquirer_id = ANY(%s) AND 'interbank:' || acquirer_id IN (source, destination)
GROUP BY authorisation_id ORDER BY authorisation_id
"""
_CLEARING = """
SELECT 'gateway' AS book, key, captured, sum(rial)::bigint AS rial FROM (
  SELECT CASE WHEN event = 'credit_given'
      THEN ARRAY[acquirer_id, terminal_id, transfer.stan, transfer.rrn, transfer.local_time]
      ELSE ARRAY[acquirer_id, terminal_id, attempt.stan, attempt.rrn, attempt.local_time] END AS key,
    CASE WHEN event = 'credit_given' THEN transfer.capture_date ELSE attempt.capture_date END AS captured,
    CASE 'transfer-clearing' WHEN destination THEN posting.amount_rial ELSE -posting.amount_rial END AS rial
  FROM posting JOIN attempt USING (attempt_id) JOIN transfer ON transfer.payment_id = attempt.payment_id
  WHERE 'transfer-clearing' IN (source, destination)) AS moved
GROUP BY key, captured
"""
_ORDERS = "SELECT number, payment_id, state, total_rial FROM shop_order WHERE payment_id IS NOT NULL ORDER BY order_id"


def read_books(world: World) -> Books:
    """Read every organisation, the banks first: what they do later cannot be missing from the gateway's books."""
    found: list[Authorisation] = []
    legs: list[Leg] = []
    for organisation, bank in BY_ORGANISATION.items():
        with _reader(world, organisation) as books:
            found += bank_books(books)
            legs += interbank(books, bank.issuer_id)
    found += [delivery_as_authorisation(entry) for entry in TopUpBook(world.top_up_folder).delivered()]
    with _reader(world, "gateway") as gateway:
        attempts, payments = gateway_books(gateway)
        legs += clearing(gateway)
    with _reader(world, "shop") as shop:
        orders = shop.cursor(row_factory=class_row(Order)).execute(_ORDERS).fetchall()
    sales = [sale_as_attempt(sale) for sale in SalesBook(world.sales_file).all()]
    return Books([*attempts, *sales], payments, found, orders, legs)


def delivery_as_authorisation(entry: Entry) -> Authorisation:
    """Return what an operator delivered as what it is to an auditor: money that the gateway must have given for it."""
    return Authorisation(entry.reference, entry.state, [entry.reference], entry.amount_rial, -entry.amount_rial)


def sale_as_attempt(sale: Sale) -> Attempt:
    """Return a sale at a till as what it is to an auditor: an attempt that the bank must know."""
    key = [getattr(sale.key, name) for name in sale.key.__slots__]
    kept = sale.rial if sale.state == "approved" else 0
    overdue = sale.age_seconds > PROMISE_SECONDS if sale.state in UNDER_WAY else None
    age = dt.timedelta(seconds=sale.age_seconds)
    return Attempt(sale.key.rrn, sale.key.terminal_id, sale.state, key, kept, sale.rial, age, overdue, whose="till")


def bank_books(bank: psycopg.Connection[tuple[object, ...]]) -> list[Authorisation]:
    """Read every authorisation that the gateway or a till asked for."""
    return bank.cursor(row_factory=class_row(Authorisation)).execute(_AUTHORISATIONS, (list(ACQUIRERS),)).fetchall()


def interbank(bank: psycopg.Connection[tuple[object, ...]], name: str) -> list[Leg]:
    """Read what each message moved on a bank's interbank accounts."""
    return bank.cursor(row_factory=class_row(Leg)).execute(_INTERBANK, (name, list(ACQUIRERS))).fetchall()


def clearing(gateway: psycopg.Connection[tuple[object, ...]]) -> list[Leg]:
    """Read what each message moved in the gateway's transfer clearing."""
    return gateway.cursor(row_factory=class_row(Leg)).execute(_CLEARING).fetchall()


def gateway_books(gateway: psycopg.Connection[tuple[object, ...]]) -> tuple[list[Attempt], list[Payment]]:
    """Read every attempt, refund and payment of the gateway."""
    attempts = gateway.cursor(row_factory=class_row(Attempt)).execute(_ATTEMPTS).fetchall()
    attempts += gateway.cursor(row_factory=class_row(Attempt)).execute(_CREDITS).fetchall()
    attempts += gateway.cursor(row_factory=class_row(Attempt)).execute(_TOP_UPS).fetchall()
    attempts += gateway.cursor(row_factory=class_row(Attempt)).execute(_REFUNDS).fetchall()
    payments = gateway.cursor(row_factory=class_row(Payment)).execute(_PAYMENTS).fetchall()
    return attempts, payments


def _reader(world: World, organisation: str) -> psycopg.Connection[tuple[object, ...]]:
    url = world.database_url(organisation, "reader").replace("+psycopg", "")
    connection = psycopg.connect(url, options="-c default_transaction_read_only=on")
    connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    return connection
