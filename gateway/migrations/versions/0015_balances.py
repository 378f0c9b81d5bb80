"""Balances: what postings add up to, folded up to a point, so that nobody adds up a whole history (D32)."""

from foundation.migrations import execute

revision = "0015"
down_revision = "0014"

TAILS = """
CREATE INDEX posting_given ON posting (source, posting_id) INCLUDE (amount_rial);
CREATE INDEX posting_taken ON posting (destination, posting_id) INCLUDE (amount_rial);
"""

SNAPSHOTS = """
CREATE TABLE account_snapshot (
  account text PRIMARY KEY,
  upto bigint NOT NULL CHECK (upto > 0),
  balance_rial bigint NOT NULL,
  folded_at timestamptz NOT NULL DEFAULT house_now()
);
COMMENT ON TABLE account_snapshot IS 'what all postings of the account up to one id add up to; the tail is added (D32)';
CREATE TABLE posting_fold (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  folded bigint NOT NULL DEFAULT 0,
  mark bigint NOT NULL DEFAULT 0,
  writers text[] NOT NULL DEFAULT '{}',
  CHECK (folded <= mark)
);
COMMENT ON COLUMN posting_fold.writers IS
  'who was writing postings when the mark was set: an id up to the mark may still be theirs, so they end first';
CREATE TABLE account_lock (
  account text PRIMARY KEY CHECK (account LIKE 'payable:%')
);
COMMENT ON TABLE account_lock IS 'rows that are locked before an account with a floor is charged; no other has (D32)';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON account_snapshot, posting_fold, account_lock TO {app};
"""


def upgrade() -> None:
    execute(TAILS, SNAPSHOTS, rights=RIGHTS)
