"""What the monitor needs: its row, money under way with its promise, and small indexes (D36)."""

from foundation.migrations import execute
from foundation.monitor import DDL as MONITOR
from foundation.monitor import RIGHTS

revision = "0006"
down_revision = "0005"

UNDER_WAY = """
CREATE INDEX attempt_late ON attempt (payment_id) WHERE late;
CREATE VIEW attempt_under_way AS
SELECT attempt.attempt_id, attempt.payment_id, attempt.state, attempt.submitted_at, attempt.reversal_decided_at,
  attempt.amount_rial + attempt.fee_rial AS total_rial,
  CASE WHEN attempt.state = 'disputed' THEN true
    WHEN payment.attempt_id = attempt.attempt_id AND payment.state IN ('paying', 'unknown')
      THEN house_now() > payment.decided_by
    WHEN attempt.state = 'submitted' THEN house_now() > attempt.submitted_at + interval '2 minutes'
    WHEN attempt.state = 'unknown' THEN house_now() > attempt.submitted_at + interval '10 minutes'
    ELSE house_now() > coalesce(attempt.reversal_decided_at, attempt.submitted_at) + interval '24 hours'
  END AS past_promise
FROM (
  SELECT * FROM attempt WHERE state IN ('submitted', 'unknown', 'voiding', 'disputed') AND NOT late
  UNION ALL SELECT * FROM attempt WHERE state IN ('submitted', 'unknown', 'voiding', 'disputed') AND late
) AS attempt JOIN payment USING (payment_id);
COMMENT ON VIEW attempt_under_way IS
  'money nobody has answered for yet; past its promise it counts as unexplained (D36). Read from two partial indexes';
"""

HISTORY = """
CREATE INDEX payment_event_at ON payment_event USING brin (at) WITH (autosummarize = on);
CREATE INDEX posting_at ON posting USING brin (at) WITH (autosummarize = on);
CREATE INDEX outbox_dead ON outbox (topic) WHERE dead_at IS NOT NULL;
ALTER TABLE merchant ADD COLUMN webhook_since timestamptz;
UPDATE merchant SET webhook_since = house_now() WHERE webhook_url IS NOT NULL;
COMMENT ON COLUMN merchant.webhook_since IS 'from then on every change a webhook tells of is owed to this address';
"""


def upgrade() -> None:
    execute(UNDER_WAY, HISTORY, MONITOR, rights=RIGHTS)
