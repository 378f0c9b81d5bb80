"""Issuers under trouble: a cap on the questions of recovery, and a switch that stops an issuer's new business."""

from foundation.migrations import execute

revision = "0005"
down_revision = "0004"

ISSUERS = """
ALTER TABLE issuer
  ADD COLUMN recovery_per_second integer NOT NULL DEFAULT 10 CHECK (recovery_per_second BETWEEN 1 AND 1000),
  ADD COLUMN recovery_burst integer NOT NULL DEFAULT 20 CHECK (recovery_burst BETWEEN 1 AND 1000),
  ADD COLUMN paused_at timestamptz,
  ADD COLUMN paused_by text,
  ADD COLUMN pause_reason text,
  ADD CONSTRAINT issuer_pause CHECK (
    (paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (pause_reason IS NULL));
COMMENT ON COLUMN issuer.recovery_per_second IS
  'inquiries and reversals to this issuer per second, over all processes; recovery_burst more at once after a rest';
COMMENT ON COLUMN issuer.paused_at IS
  'since then no new PIN request and no purchase; what was begun is brought to its end';
CREATE TABLE recovery_pace (
  issuer_id text PRIMARY KEY REFERENCES issuer,
  spent_until timestamptz NOT NULL,
  asked_until timestamptz NOT NULL,
  wait_seconds double precision NOT NULL CHECK (wait_seconds >= 0)
);
COMMENT ON COLUMN recovery_pace.spent_until IS 'the turns taken so far are paid for until then, one refill each';
COMMENT ON COLUMN recovery_pace.asked_until IS 'when the last one turned away was told to come back';
COMMENT ON COLUMN recovery_pace.wait_seconds IS 'what the last one to ask was told; 0 is a turn';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON recovery_pace TO {app};
"""


def upgrade() -> None:
    execute(ISSUERS, rights=RIGHTS)
