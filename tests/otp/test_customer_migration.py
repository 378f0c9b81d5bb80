"""Cards and apps that shared a customer's hash share the customer afterwards."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from otp import migrations
from sandbox.postgres import Cluster, Roles
from tests.old_database import database_before

BEFORE = """
INSERT INTO card (card_token, pan_sealed, expiry, balance_rial, opened_rial, customer_token)
  SELECT decode(repeat(lpad(CAST(number AS text), 2, '0'), 32), 'hex'), '\\x01', '0812', 0, 0, customer
  FROM (VALUES (1, decode(repeat('aa', 32), 'hex')), (2, decode(repeat('aa', 32), 'hex')),
    (3, decode(repeat('bb', 32), 'hex')), (4, NULL)) AS opened (number, customer);
INSERT INTO device (device_id, customer_token)
  SELECT gen_random_uuid(), decode(repeat(whose, 32), 'hex') FROM (VALUES ('aa'), ('cc')) AS paired (whose);
"""


def test_whose_card_it_is_stays_so(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> None:
    """Two cards and an app of one customer, a card of another, a card of nobody, an app whose cards are gone."""
    url, roles = database_before(cluster, fresh_database, "bank", migrations, "customer"), Roles("bank")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(BEFORE)

        migrations.migrate(url, application_role=roles.application, reader_role=roles.reader)

        cards = connection.execute(
            "SELECT left(encode(customer_token, 'hex'), 2) FROM card LEFT JOIN customer USING (customer_id) "
            "ORDER BY card_id"
        ).fetchall()
        devices = connection.execute(
            "SELECT left(encode(customer_token, 'hex'), 2) FROM device JOIN customer USING (customer_id) ORDER BY 1"
        ).fetchall()
        known = connection.execute("SELECT count(*) FROM customer WHERE customer_token_key IS NULL").fetchall()
    assert (cards, devices) == ([("aa",), ("aa",), ("bb",), (None,)], [("aa",), ("cc",)])
    assert known == [(3,)]
