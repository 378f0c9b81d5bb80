"""By when an unanswered payment is decided: promised to shopper and merchant at submission (D36)."""

from alembic import op

revision = "0002"
down_revision = "0001"

PROMISE = """
ALTER TABLE payment ADD COLUMN decided_by timestamptz;
UPDATE payment SET decided_by = attempt.submitted_at + interval '1 hour'
  FROM attempt WHERE attempt.attempt_id = payment.attempt_id;
ALTER TABLE payment ADD CONSTRAINT payment_promise CHECK (state NOT IN ('paying', 'unknown') OR decided_by IS NOT NULL);
COMMENT ON COLUMN payment.decided_by IS
  'by then the latest attempt has a result or its money is back; what is older counts as unexplained (D36)';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(PROMISE)
