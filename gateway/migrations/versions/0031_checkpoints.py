"""Checkpoints of merchants' balances, so that what was folded is proven piece by piece, however long it gets (D32)."""

from foundation.migrations import append_only, execute

revision = "0031"
down_revision = "0030"

CHECKPOINTS = """
CREATE TABLE account_checkpoint (
  number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account text NOT NULL CHECK (account LIKE 'payable:%'),
  upto bigint NOT NULL CHECK (upto > 0),
  balance_rial bigint NOT NULL,
  at timestamptz NOT NULL DEFAULT house_now(),
  UNIQUE (account, upto)
);
CREATE INDEX account_checkpoint_at ON account_checkpoint (at);
ALTER TABLE account_snapshot ADD COLUMN unnoted integer NOT NULL DEFAULT 0;
COMMENT ON TABLE account_checkpoint IS 'what a snapshot held on its way; each is proven from the one before (D32)';
COMMENT ON COLUMN account_snapshot.unnoted IS 'postings folded since the checkpoint before; enough make the next';
"""

OF_BEFORE = """
INSERT INTO account_checkpoint (account, upto, balance_rial)
SELECT account, posting_id, balance_rial FROM (
  SELECT account, posting_id, sum(rial) OVER whole AS balance_rial, row_number() OVER whole AS number FROM (
    SELECT destination AS account, posting_id, amount_rial AS rial FROM posting WHERE destination LIKE 'payable:%'
    UNION ALL SELECT source, posting_id, -amount_rial FROM posting WHERE source LIKE 'payable:%') AS sides
  JOIN account_snapshot AS folded USING (account) WHERE posting_id <= folded.upto
  WINDOW whole AS (PARTITION BY account ORDER BY posting_id)) AS counted
WHERE number % 1000 = 0 ORDER BY posting_id
"""

RIGHTS = """
GRANT INSERT ON account_checkpoint TO {app};
"""


def upgrade() -> None:
    execute(CHECKPOINTS, append_only("account_checkpoint"), OF_BEFORE, rights=RIGHTS)
