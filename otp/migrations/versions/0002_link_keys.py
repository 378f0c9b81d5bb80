"""Keys that acquirers and this bank exchange over the ISO 8583 link (D22)."""

from foundation.migrations import execute

revision = "0002"
down_revision = "0001"

KEYS = """
CREATE TABLE link_key_set (
  set_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  acquirer_id text NOT NULL,
  name text NOT NULL CHECK (name ~ '^ks-[0-9a-f]{10}$'),
  kek_id text NOT NULL,
  pin bytea NOT NULL CHECK (octet_length(pin) = 32),
  request_mac bytea NOT NULL CHECK (octet_length(request_mac) = 24),
  answer_mac bytea NOT NULL CHECK (octet_length(answer_mac) = 24),
  replaces text,
  kept_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT link_key_set_name UNIQUE (acquirer_id, name)
);
COMMENT ON TABLE link_key_set IS
  'each key under AES key wrap, never in clear; the newest set of an acquirer is valid, and the one it replaces (D22)';
"""

RIGHTS = """
GRANT INSERT, DELETE ON link_key_set TO {app};
"""


def upgrade() -> None:
    execute(KEYS, rights=RIGHTS)
