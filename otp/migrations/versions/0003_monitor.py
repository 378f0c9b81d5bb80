"""What the monitor needs: its row, and small indexes over what is recent and over debits."""

from foundation.migrations import execute
from foundation.monitor import DDL as MONITOR
from foundation.monitor import RIGHTS

revision = "0003"
down_revision = "0002"

INDEXES = """
CREATE INDEX authorisation_created ON authorisation USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX authorisation_debit ON authorisation (transaction_ref) WHERE state = 'approved';
CREATE INDEX challenge_issued ON challenge USING brin (issued_at) WITH (autosummarize = on);
CREATE INDEX posting_at ON posting USING brin (at) WITH (autosummarize = on);
CREATE INDEX outbox_dead ON outbox (topic) WHERE dead_at IS NOT NULL;
"""


def upgrade() -> None:
    execute(INDEXES, MONITOR, rights=RIGHTS)
