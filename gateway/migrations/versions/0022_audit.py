"""The approvals trail: who asked, who approved or refused, what and why, chained (D31, D35)."""

from foundation.audit import DDL, RIGHTS
from foundation.migrations import execute

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    execute(DDL, rights=RIGHTS)
