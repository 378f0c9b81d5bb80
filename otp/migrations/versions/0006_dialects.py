"""Codes that are not bound to every fact: what each is bound to, what it may take, and which PSP may ask (D6, D14)."""

from alembic import op

revision = "0006"
down_revision = "0005"

UNBOUND = """
ALTER TABLE psp ADD COLUMN unbound_max_rial bigint NOT NULL DEFAULT 0 CHECK (unbound_max_rial >= 0);
COMMENT ON COLUMN psp.unbound_max_rial IS
  'the most one code may take that is not bound to every fact; 0: such requests are refused (D6)';
ALTER TABLE challenge
  ADD COLUMN bound text[] NOT NULL
    DEFAULT '{type,amount,fee,acquirer,merchant,terminal,payee,payee_key,ref}' CHECK ('acquirer' = ANY (bound)),
  ADD COLUMN ceiling_rial bigint CHECK (ceiling_rial > 0),
  ADD CONSTRAINT challenge_unbound CHECK ((ceiling_rial IS NULL)
    = (bound @> '{type,amount,fee,acquirer,merchant,terminal,payee,payee_key,ref}'));
COMMENT ON COLUMN challenge.bound IS 'the facts of the canonical text; only its own acquirer can ever spend a code';
COMMENT ON COLUMN challenge.ceiling_rial IS 'of a code that is not bound to every fact; the debit obeys it (D14)';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UNBOUND)
