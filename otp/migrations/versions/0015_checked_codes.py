"""Codes that are checked without a purchase say where and how they were judged: guessing shows there too (D13, D20)."""

from foundation.migrations import execute

revision = "0015"
down_revision = "0014"

CHECKED = """
ALTER TABLE harim_request ADD COLUMN terminal_id text, ADD COLUMN reason text,
  ADD CONSTRAINT harim_request_checked_whole CHECK ((terminal_id IS NULL) = (reason IS NULL));
COMMENT ON COLUMN harim_request.reason IS 'of VerifyDynamicPin alone, as authorisation.reason says it';
CREATE INDEX harim_request_checked ON harim_request (created_at) WHERE reason IS NOT NULL;
"""


def upgrade() -> None:
    execute(CHECKED, rights="")
