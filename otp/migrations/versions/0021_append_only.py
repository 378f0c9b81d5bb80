"""What moved and who did what is refused to whoever would change it, the tables' owner too (D39)."""

from foundation.migrations import APPEND_ONLY, append_only, execute

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    execute(APPEND_ONLY, append_only("posting", "reversal", "audit_entry", "audit_seal"), rights="")
