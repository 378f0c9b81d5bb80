"""Bills that were paid before their billers could be paid out are owed afterwards, and nobody is paid twice."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from gateway import migrations
from sandbox.postgres import Cluster, Roles
from tests.old_database import database_before

BEFORE = """
INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site)
  SELECT lpad(CAST(number AS text), 15, '0'), 'الف', 'A', 'الف', '581672', 'http://localhost'
  FROM generate_series(1, 2) AS number;
INSERT INTO terminal (terminal_id, merchant_id) VALUES ('00000001', '000000000000001');
INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    callback_url, reference, state, page_expires_at, confirm_window_seconds, payee_key)
  SELECT 'pay_' || state, state, 'BILL_PAYMENT', '00000001', '000000000000001', state, 3000, 0, 'http://localhost/',
    substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ', number, 16), 'open', house_now(), 900, repeat('0', 64)
  FROM (VALUES (1, 'confirmed'), (2, 'settled'), (3, 'open')) AS wanted (number, state);
INSERT INTO bill (payment_id, number, bill_id, pay_id, biller_id, amount_rial)
  SELECT payment_id, number, '123456' || number, '1234567', lpad(CAST(number AS text), 15, '0'), 1000 * number
  FROM payment CROSS JOIN generate_series(1, 2) AS number;
UPDATE payment SET state = order_id, authorised_at = house_now(),
    tracking_code = lpad(CAST(length(order_id) AS text), 14, '0'),
    confirmed_at = house_now()
  WHERE order_id <> 'open';
INSERT INTO settlement_batch (business_day, value_day, cut_off_at) VALUES ('2026-11-24', '2026-11-25', house_now());
INSERT INTO settlement_line (batch_id, merchant_id, payment_id, gross_rial, fee_rial, net_rial)
  VALUES (1, '000000000000001', 'pay_settled', 1000, 0, 1000);
"""


def test_what_no_batch_took_is_owed_to_its_biller(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> None:
    """Of a payment that its own merchant was settled for, only the other biller's bill is still owed."""
    url, roles = database_before(cluster, fresh_database, "gateway", migrations, "biller_payouts"), Roles("gateway")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(BEFORE)

        migrations.migrate(url, application_role=roles.application, reader_role=roles.reader)

        owed = connection.execute("SELECT payment_id, number FROM bill WHERE owed ORDER BY 1, 2").fetchall()
    assert owed == [("pay_confirmed", 1), ("pay_confirmed", 2), ("pay_settled", 2)]
