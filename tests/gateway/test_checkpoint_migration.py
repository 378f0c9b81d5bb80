"""Balances that were folded before there were checkpoints are proven piece by piece too."""

from __future__ import annotations

from collections.abc import Callable

import psycopg

from gateway import migrations
from sandbox.postgres import Cluster, Roles
from tests.fakes.loose import loosen
from tests.old_database import database_before

BEFORE = """
INSERT INTO posting (payment_id, attempt_id, event, source, destination, amount_rial)
SELECT 'pay_1', 'att_1', 'x', CASE WHEN number % 5 = 0 THEN 'payable:one' ELSE 'pending:one' END,
  CASE WHEN number % 5 = 0 THEN 'fees' ELSE 'payable:one' END, number FROM generate_series(1, 2600) AS number;
INSERT INTO account_snapshot (account, upto, balance_rial)
SELECT 'payable:one', 2500, sum(CASE source WHEN 'payable:one' THEN -amount_rial ELSE amount_rial END)
FROM posting WHERE posting_id <= 2500;
INSERT INTO account_snapshot (account, upto, balance_rial) VALUES ('fees', 2500, 7);
"""


def test_d32_a_history_gets_its_checkpoints(cluster: Cluster, fresh_database: Callable[[str, str], str]) -> None:
    """D32: one each thousand postings of a merchant's account, up to what was folded; none of other accounts."""
    url = database_before(cluster, fresh_database, "gateway", migrations, "checkpoints")
    loosen(url)
    roles = Roles("gateway")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(BEFORE)
        migrations.migrate(url, application_role=roles.application, reader_role=roles.reader)

        plain = (
            "SELECT sum(CASE source WHEN %s THEN -amount_rial ELSE amount_rial END) FROM posting WHERE posting_id <= %s"
        )
        noted = connection.execute(
            "SELECT account, upto, balance_rial FROM account_checkpoint ORDER BY number"
        ).fetchall()
        assert [(account, upto) for account, upto, _ in noted] == [("payable:one", 1000), ("payable:one", 2000)]
        for account, upto, balance in noted:
            assert connection.execute(plain, (account, upto)).fetchone() == (balance,)
