"""What merchants are owed: what differs, and what waits to be paid out, is found however much else there is (D11)."""

from foundation.migrations import execute

revision = "0027"
down_revision = "0026"

IN_DOUBT = """
CREATE INDEX clearing_exception_in_doubt ON clearing_exception (attempt_id) WHERE NOT settle;
COMMENT ON INDEX clearing_exception_in_doubt IS 'open, or closed without settling: this money is spent on nothing';
"""

TO_SETTLE = """
DROP INDEX payment_to_settle;
DROP INDEX payment_reversible;
CREATE INDEX payment_to_settle ON payment (merchant_id, confirmed_at, payment_id)
  WHERE state = 'confirmed' AND kind = 'PURCHASE';
COMMENT ON INDEX payment_to_settle IS
  'purchases alone: transfers stay confirmed for ever; by the time of confirming, what may still be reversed as well';
"""


def upgrade() -> None:
    execute(IN_DOUBT, TO_SETTLE, rights="")
