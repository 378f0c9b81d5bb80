"""Questions for a balance: told to the holder who asked, and told the same under the same key (D9)."""

from foundation.migrations import execute

revision = "0019"
down_revision = "0018"

QUESTIONS = """
ALTER TABLE authorisation
  ADD COLUMN told_rial bigint CHECK (told_rial >= 0),
  DROP CONSTRAINT authorisation_kind_check,
  ADD CONSTRAINT authorisation_kind_check
    CHECK (kind IN ('purchase', 'transfer', 'credit', 'balance', 'pin_check', 'tombstone')),
  ADD CONSTRAINT authorisation_balance CHECK (CASE WHEN kind = 'balance' AND state IN ('approved', 'reversed')
    THEN amount_rial = fee_rial AND told_rial IS NOT NULL ELSE told_rial IS NULL END);
COMMENT ON COLUMN authorisation.kind IS 'purchase; transfer: a card pays another; credit: money comes in; '
  'balance: its holder asks what is left; pin_check: a PIN alone; tombstone';
COMMENT ON COLUMN authorisation.told_rial IS 'the balance that was told: the same key gets the same answer (D9)';
"""


def upgrade() -> None:
    execute(QUESTIONS, rights="")
