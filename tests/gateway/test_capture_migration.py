"""Approvals from before every movement had a day are dated, so that a bank's file has to name them."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from gateway import migrations
from sandbox.postgres import Cluster, Roles
from tests.old_database import database_before

BEFORE = """
INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site)
  VALUES ('000000000000001', 'الف', 'A', 'الف', '581672', 'http://localhost');
INSERT INTO terminal (terminal_id, merchant_id) VALUES ('00000001', '000000000000001');
INSERT INTO issuer (issuer_id, name_fa, name_en, harim_dialect, harim_url, harim_key_id, harim_public_key,
    harim_timeout_ms, switch_host, switch_port, switch_timeout_ms, code_life_seconds, resend_wait_seconds,
    keeps_tombstones)
  VALUES ('two', 'دو', 'Two', 'harim-v1-rest', 'http://localhost', 'k', decode(repeat('00', 32), 'hex'), 100, 'h', 1,
    100, 120, 60, true);
INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial,
    callback_url, reference, state, page_expires_at, confirm_window_seconds)
  SELECT 'pay_' || number, number, 'PURCHASE', '00000001', '000000000000001', number, 3000, 0, 'http://localhost/',
    substr('ABCDEFGHIJKLMNOPQRSTUVWXYZ', number, 16), 'open', house_now(), 900
  FROM generate_series(1, 4) AS number;
INSERT INTO attempt (attempt_id, payment_id, number, state, acquirer_id, terminal_id, stan, rrn, local_time, issuer_id,
    amount_rial, fee_rial, pan_masked, pan_hash, capture_date, submitted_at, answer_due_at, decided_at)
  SELECT 'att_' || number, 'pay_' || number, 1, state, '581672', '00000001', lpad(CAST(number AS text), 6, '0'),
    repeat('0', 12), repeat('0', 12), 'two', 3000, 0, '', '', told, '2026-11-29 21:00:00Z', house_now(), house_now()
  FROM (VALUES (1, 'approved', NULL), (2, 'approved', '1201'), (3, 'approved', '0713'), (4, 'declined', NULL))
    AS wanted (number, state, told);
"""


def test_an_approval_without_a_day_that_can_be_gets_its_own(
    cluster: Cluster, fresh_database: Callable[[str, str], str]
) -> None:
    """Its own is Tehran's; what a bank dated within a few days stays, and what took nothing needs none."""
    url, roles = database_before(cluster, fresh_database, "gateway", migrations, "manual_resolution"), Roles("gateway")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(BEFORE)

        migrations.migrate(url, application_role=roles.application, reader_role=roles.reader)

        dated = connection.execute("SELECT capture_date FROM attempt ORDER BY attempt_id").fetchall()
    assert dated == [("1130",), ("1201",), ("1130",), (None,)]
