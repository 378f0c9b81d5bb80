"""An activation by SMS may raise a card's ceiling instead of adding the card to a device (D14)."""

from foundation.migrations import execute

revision = "0009"
down_revision = "0008"

CEILING = """
ALTER TABLE activation
  ADD COLUMN ceiling_rial bigint CHECK (ceiling_rial >= 0),
  ADD CONSTRAINT activation_raises_by_sms CHECK (ceiling_rial IS NULL OR channel = 'sms');
COMMENT ON COLUMN activation.ceiling_rial IS
  'what this code raises the card''s ceiling to, and nothing else; without one it adds the card to a device (D14)';
CREATE INDEX activation_waiting ON activation (expires_at) WHERE state = 'issued';
CREATE INDEX device_waiting ON device (added_at) WHERE state = 'pending';
"""


def upgrade() -> None:
    execute(CEILING, rights="")
