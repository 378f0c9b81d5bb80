"""Codes that were checked without a purchase: the proof that stands for one, and until when (D13)."""

from alembic import op

revision = "0005"
down_revision = "0004"

PROOF = """
ALTER TABLE challenge ADD COLUMN proof_mac bytea CHECK (octet_length(proof_mac) = 32),
  ADD COLUMN proof_expires_at timestamptz,
  DROP CONSTRAINT challenge_state_check,
  ADD CONSTRAINT challenge_state_check
    CHECK (state IN ('issued', 'verified', 'consumed', 'locked', 'expired', 'superseded')),
  ADD CONSTRAINT challenge_proof CHECK ((proof_mac IS NULL) = (proof_expires_at IS NULL)
    AND (state <> 'verified' OR proof_mac IS NOT NULL));
CREATE UNIQUE INDEX challenge_by_proof ON challenge (proof_mac) WHERE proof_mac IS NOT NULL;
CREATE INDEX challenge_verified ON challenge (proof_expires_at) WHERE state = 'verified';
COMMENT ON COLUMN challenge.proof_mac IS
  'HMAC under the code-mac key of card token, acquirer and proof; the proof itself is nowhere (D13)';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(PROOF)
