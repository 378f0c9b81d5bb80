"""Keys that this gateway and its issuers exchange over the ISO 8583 link (D22)."""

from foundation.migrations import execute

revision = "0004"
down_revision = "0003"

KEYS = """
CREATE TABLE link_key_set (
  issuer_id text NOT NULL REFERENCES issuer,
  number integer NOT NULL CHECK (number > 0),
  name text NOT NULL CHECK (name ~ '^ks-[0-9a-f]{10}$'),
  kek_id text NOT NULL,
  pin bytea NOT NULL CHECK (octet_length(pin) = 32),
  request_mac bytea NOT NULL CHECK (octet_length(request_mac) = 24),
  answer_mac bytea NOT NULL CHECK (octet_length(answer_mac) = 24),
  made_at timestamptz NOT NULL DEFAULT house_now(),
  active_at timestamptz,
  PRIMARY KEY (issuer_id, number),
  UNIQUE (issuer_id, name)
);
CREATE UNIQUE INDEX link_key_set_offered ON link_key_set (issuer_id) WHERE active_at IS NULL;
COMMENT ON TABLE link_key_set IS 'each key under AES key wrap, never in clear; the newest active one writes (D22)';
COMMENT ON COLUMN link_key_set.active_at IS 'when the host said that it has it; until then nothing is written under it';
"""

RIGHTS = """
GRANT INSERT, UPDATE, DELETE ON link_key_set TO {app};
"""


def upgrade() -> None:
    execute(KEYS, rights=RIGHTS)
