"""What merchants are owed is found however much else there is, and a change of where it goes reaches them (D11)."""

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

OF_NO_PAYMENT = """
ALTER TABLE webhook_delivery ALTER payment_id DROP NOT NULL;
COMMENT ON COLUMN webhook_delivery.payment_id IS 'whose events come in order; NULL: the event is about no payment';
"""


def upgrade() -> None:
    execute(IN_DOUBT, TO_SETTLE, OF_NO_PAYMENT, rights="")
