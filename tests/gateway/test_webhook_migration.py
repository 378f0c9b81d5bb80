"""What merchants were owed under the old tables they are owed under the new ones."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from gateway import migrations
from sandbox.postgres import Cluster, Roles
from tests.old_database import database_before

BEFORE = """
INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site, webhook_url, webhook_secret_sealed)
  VALUES ('000000000000001', 'الف', 'A', 'الف', '581672', 'http://localhost', 'http://localhost/hook', '\\x01'),
    ('000000000000002', 'ب', 'B', 'ب', '581672', 'http://localhost', NULL, NULL);
INSERT INTO terminal (terminal_id, merchant_id) VALUES ('00000001', '000000000000001');
INSERT INTO payment (payment_id, page_token, kind, terminal_id, merchant_id, order_id, amount_rial, fee_rial, mobile,
    callback_url, reference, state, page_expires_at, confirm_window_seconds)
  VALUES ('pay_1', 'x', 'PURCHASE', '00000001', '000000000000001', 'A-1', 1000, 0, '09121234567', 'http://localhost/',
    'ABCDEFGHIJKLMNOP', 'expired', house_now(), 900);
INSERT INTO outbox (topic, payload, done_at, dead_at)
  SELECT topic, jsonb_build_object('type', 'payment.' || state, 'payment_id', 'pay_1', 'state', state,
    'at', '2026-11-24T12:00:00Z'), done_at, dead_at
  FROM (VALUES ('webhook', 'open', house_now(), NULL), ('webhook', 'cancelled', NULL, house_now()),
    ('webhook', 'expired', NULL, NULL), ('switch.inquire', 'unknown', NULL, NULL)
    ) AS job (topic, state, done_at, dead_at);
"""


@pytest.fixture
def old_url(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> str:
    """Give an empty gateway database at the version before webhooks had tables."""
    return database_before(cluster, fresh_database, "gateway", migrations, "webhooks")


def test_what_is_owed_stays_owed_under_its_id(old_url: str) -> None:
    """Endpoints become rows; waiting webhooks wait on, dead ones stay dead, told ones are not told again."""
    roles = Roles("gateway")
    with psycopg.connect(old_url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(BEFORE)
        migrations.migrate(old_url, application_role=roles.application, reader_role=roles.reader)

        endpoints = connection.execute("SELECT endpoint_id, url, enabled FROM webhook_endpoint").fetchall()
        assert endpoints == [("whe_000000000000001", "http://localhost/hook", True)]
        owed = connection.execute(
            "SELECT event_id, type, d.state, facts->>'state', facts ? 'mobile' "
            "FROM webhook_event JOIN webhook_delivery d USING (event_id) ORDER BY d.number"
        ).fetchall()
        assert owed == [
            ("evt_2", "payment.cancelled", "dead", "cancelled", False),
            ("evt_3", "payment.expired", "waiting", "expired", False),
        ]
        assert connection.execute("SELECT topic FROM outbox").fetchall() == [("switch.inquire",)]
