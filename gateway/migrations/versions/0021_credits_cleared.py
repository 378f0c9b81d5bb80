"""Clearing of credits: the banks' files tell of money given to cards, and what can differ about it (D7)."""

from foundation.migrations import execute

revision = "0021"
down_revision = "0020"

CREDITS = """
ALTER TABLE clearing_line DROP CONSTRAINT clearing_line_kind_check,
  ADD CONSTRAINT clearing_line_kind_check CHECK (kind IN ('purchase', 'reversal', 'credit', 'credit_reversal'));
ALTER TABLE clearing_exception DROP CONSTRAINT clearing_exception_difference_check,
  ADD CONSTRAINT clearing_exception_difference_check CHECK (difference IN ('missing_here', 'missing_there',
    'amount_differs', 'duplicate', 'reversed_here', 'reversed_there', 'credit_without_debit', 'credit_missing_there',
    'credit_reversed_there', 'debit_without_credit'));
DROP INDEX clearing_exception_missing;
CREATE UNIQUE INDEX clearing_exception_missing
  ON clearing_exception (attempt_id, difference, (ours ->> 'stan'), (ours ->> 'rrn')) WHERE line_id IS NULL;
COMMENT ON COLUMN clearing_line.attempt_id IS 'of a credit its debit''s, of a refund that of what it gives back';
CREATE INDEX transfer_message ON transfer (rrn, stan, local_time) WHERE stan IS NOT NULL;
CREATE INDEX transfer_captured ON transfer (destination_issuer_id, capture_date, owed_at)
  WHERE capture_date IS NOT NULL;
CREATE INDEX transfer_taken_back ON transfer (destination_issuer_id, decided_at) WHERE credit = 'reversed';
CREATE INDEX refund_captured ON refund (issuer_id, capture_date, decided_at) WHERE capture_date IS NOT NULL;
"""


def upgrade() -> None:
    execute(CREDITS, rights="")
