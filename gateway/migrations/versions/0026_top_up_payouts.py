"""A top-up's money is paid out to its operator: those that wait for it are found (D11, I13)."""

from foundation.migrations import execute

revision = "0026"
down_revision = "0025"

WAITING = """
CREATE INDEX payment_top_ups_confirmed ON payment (payment_id) WHERE state = 'confirmed' AND kind = 'TOP_UP';
COMMENT ON COLUMN top_up_operator.merchant_id IS 'to whom what is topped up is owed, and paid out';
"""


def upgrade() -> None:
    execute(WAITING, rights="")
