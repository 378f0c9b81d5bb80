"""The operators' page: who may log in, who is logged in, and unlocks by two people (D35)."""

from foundation.migrations import execute

revision = "0012"
down_revision = "0011"

OPERATOR = """
CREATE TABLE operator (
  name text PRIMARY KEY CHECK (name ~ '^[a-z][a-z0-9.-]{1,31}$'),
  password_hash text NOT NULL CHECK (password_hash LIKE 'scrypt:%'),
  role text NOT NULL CHECK (role IN ('viewer', 'operator')),
  state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'disabled')),
  added_at timestamptz NOT NULL DEFAULT house_now()
);
COMMENT ON COLUMN operator.role IS 'viewer: looks; operator: asks for unlocks and approves those of others';
CREATE TABLE operator_session (
  token_hash bytea PRIMARY KEY CHECK (octet_length(token_hash) = 32),
  name text NOT NULL REFERENCES operator,
  begun_at timestamptz NOT NULL DEFAULT house_now(),
  seen_at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX operator_session_seen ON operator_session (seen_at);
COMMENT ON COLUMN operator_session.token_hash IS 'SHA-256 of 32 random bytes that only the browser has';
"""

UNLOCK = """
ALTER TABLE card ADD COLUMN held_by_bank boolean NOT NULL DEFAULT false;
UPDATE card SET held_by_bank = true WHERE status = 'blocked' AND pin_failures < 15;
ALTER TABLE card ADD CONSTRAINT card_held CHECK (status = 'blocked' OR NOT held_by_bank);
COMMENT ON COLUMN card.held_by_bank IS 'blocked by the bank''s own word, not by wrong codes: no unlock opens it';
CREATE TABLE unlock_request (
  unlock_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  card_id bigint NOT NULL REFERENCES card,
  state text NOT NULL DEFAULT 'asked' CHECK (state IN ('asked', 'approved', 'lapsed')),
  maker text NOT NULL REFERENCES operator,
  reason text NOT NULL CHECK (length(btrim(reason)) BETWEEN 5 AND 300),
  before jsonb NOT NULL,
  after jsonb,
  asked_at timestamptz NOT NULL DEFAULT house_now(),
  expires_at timestamptz NOT NULL,
  checker text REFERENCES operator,
  approved_at timestamptz,
  CONSTRAINT unlock_four_eyes CHECK (checker <> maker),
  CONSTRAINT unlock_in_time CHECK (expires_at = asked_at + interval '24 hours' AND approved_at < expires_at),
  CONSTRAINT unlock_approved CHECK ((state = 'approved') = (checker IS NOT NULL)
    AND (state = 'approved') = (approved_at IS NOT NULL) AND (state = 'approved') = (after IS NOT NULL))
);
CREATE UNIQUE INDEX unlock_open ON unlock_request (card_id) WHERE state = 'asked';
COMMENT ON TABLE unlock_request IS 'one asks, another approves within a day (D35); before and after: the card''s lock';
"""

INDEXES = """
CREATE INDEX card_blocked ON card (card_id) WHERE status = 'blocked';
CREATE INDEX card_pin_locked ON card (pin_locked_until) WHERE pin_locked_until IS NOT NULL;
CREATE INDEX card_paused ON card (card_not_present_paused_until) WHERE card_not_present_paused_until IS NOT NULL;
CREATE INDEX authorisation_declined ON authorisation (card_id, created_at) WHERE state = 'declined';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON operator, operator_session, unlock_request TO {app};
GRANT DELETE ON operator_session TO {app};
"""


def upgrade() -> None:
    execute(OPERATOR, UNLOCK, INDEXES, rights=RIGHTS)
