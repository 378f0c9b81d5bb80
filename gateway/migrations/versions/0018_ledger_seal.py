"""The ledger's postings in one chain: what was changed, taken away or put between is found (D31)."""

from foundation.migrations import execute

revision = "0018"
down_revision = "0017"

SEAL = """
CREATE TABLE ledger_seal (
  sealed_no bigint PRIMARY KEY CHECK (sealed_no > 0),
  posting_id bigint NOT NULL UNIQUE REFERENCES posting,
  key_id text NOT NULL,
  row_mac bytea NOT NULL CHECK (octet_length(row_mac) = 32),
  chain_mac bytea NOT NULL CHECK (octet_length(chain_mac) = 32),
  sealed_at timestamptz NOT NULL DEFAULT house_now()
);
COMMENT ON TABLE ledger_seal IS 'the one order of committed postings; a MAC covers row and link before (D31)';
"""

RIGHTS = """
GRANT INSERT ON ledger_seal TO {app};
"""


def upgrade() -> None:
    execute(SEAL, rights=RIGHTS)
