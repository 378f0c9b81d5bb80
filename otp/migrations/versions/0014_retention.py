"""Numbers that were typed at a cash machine, and those they replaced, are erased when their time is over (D43)."""

from foundation.migrations import execute

revision = "0014"
down_revision = "0013"

ERASED = """
ALTER TABLE mobile_change
  ALTER COLUMN mobile_sealed DROP NOT NULL,
  ALTER COLUMN mobile_token DROP NOT NULL,
  ALTER COLUMN mobile_last_two DROP NOT NULL,
  ADD COLUMN erased_at timestamptz,
  ADD CONSTRAINT mobile_change_erased CHECK (
    CASE WHEN erased_at IS NULL
         THEN mobile_sealed IS NOT NULL AND mobile_token IS NOT NULL AND mobile_last_two IS NOT NULL
         ELSE state <> 'issued' AND mobile_sealed IS NULL AND mobile_token IS NULL AND mobile_last_two IS NULL
              AND former_sealed IS NULL END);
COMMENT ON COLUMN mobile_change.erased_at IS 'when its numbers were erased; that there was a change stays (D43)';
CREATE INDEX mobile_change_to_erase ON mobile_change (decided_at) WHERE erased_at IS NULL AND decided_at IS NOT NULL;
CREATE INDEX inbound_message_received ON inbound_message (received_at);
"""


def upgrade() -> None:
    execute(ERASED, rights="")
