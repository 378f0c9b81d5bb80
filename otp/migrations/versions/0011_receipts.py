"""What a provider says became of a message is kept at the code's challenge, and asked for while the code lives."""

from foundation.migrations import execute

revision = "0011"
down_revision = "0010"

RECEIPTS = """
ALTER TABLE challenge
  ADD COLUMN receipt_asked_at timestamptz,
  DROP CONSTRAINT challenge_delivery_check,
  ADD CONSTRAINT challenge_delivery_check
    CHECK (delivery IN ('queued', 'accepted', 'refused', 'dropped', 'delivered', 'undelivered'));
COMMENT ON COLUMN challenge.receipt_asked_at IS
  'when its provider was last asked what became of the message; none while nobody waits for an answer';
CREATE INDEX challenge_by_message ON challenge (provider_message_id) WHERE delivery = 'accepted';
CREATE INDEX challenge_unreported ON challenge (expires_at) WHERE delivery = 'accepted';
"""


def upgrade() -> None:
    execute(RECEIPTS, rights="")
