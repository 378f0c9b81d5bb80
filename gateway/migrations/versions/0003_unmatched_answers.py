"""Answers of issuers' hosts that nobody waits for: late, repeated, to nobody, or not shown to be the host's."""

from foundation.migrations import execute

revision = "0003"
down_revision = "0002"

ANSWERS = """
CREATE TABLE unmatched_answer (
  answer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  issuer_id text NOT NULL REFERENCES issuer,
  why text NOT NULL CHECK (why IN ('late', 'duplicate', 'nobody', 'mac')),
  message_type text NOT NULL,
  processing_code text,
  total_rial bigint,
  stan text,
  local_time text,
  acquirer_id text,
  rrn text,
  action_code text,
  terminal_id text,
  received_at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX unmatched_answer_received ON unmatched_answer (received_at);
COMMENT ON TABLE unmatched_answer IS
  'evidence, never changed or deleted by the application (D39); so many an hour by issuer and why, counted in quota';
COMMENT ON COLUMN unmatched_answer.why IS 'mac: its authentication was wrong, so its fields are anybody''s';
"""

RIGHTS = """
GRANT INSERT ON unmatched_answer TO {app};
"""


def upgrade() -> None:
    execute(ANSWERS, rights=RIGHTS)
