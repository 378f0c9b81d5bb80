"""What of its payable a merchant may spend: payments about which the books differ are found at once (D11, D32)."""

from foundation.migrations import execute

revision = "0027"
down_revision = "0026"

IN_DOUBT = """
CREATE INDEX clearing_exception_in_doubt ON clearing_exception (attempt_id) WHERE NOT settle;
COMMENT ON INDEX clearing_exception_in_doubt IS 'open, or closed without settling: this money is spent on nothing';
"""


def upgrade() -> None:
    execute(IN_DOUBT, rights="")
