"""The audit trail: who did what to what and why, chained (D31)."""

from foundation.audit import DDL, RIGHTS
from foundation.migrations import execute

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    execute(DDL, rights=RIGHTS)
