"""What was written of money and of approvals is refused to whoever would change it, the tables' owner too (D39)."""

from foundation.migrations import APPEND_ONLY, append_only, execute

revision = "0030"
down_revision = "0029"

BOOKS = append_only("posting", "payment_event", "ledger_seal")
TRAIL = append_only("audit_entry", "audit_seal")

APPROVALS = """
CREATE TRIGGER append_only BEFORE DELETE OR TRUNCATE ON approval_request
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER asked BEFORE UPDATE OF
  request_id, asks, subject, maker, reason, facts, before_digest, asked_at, expires_at ON approval_request
  FOR EACH STATEMENT EXECUTE FUNCTION append_only();
CREATE TRIGGER decided BEFORE UPDATE ON approval_request FOR EACH ROW
  WHEN (num_nonnulls(OLD.approved_at, OLD.lapsed_at) > 0) EXECUTE FUNCTION append_only();
COMMENT ON TRIGGER decided ON approval_request IS 'approved or lapsed once; what was asked never changes (D35)';
"""

SETTLEMENT = "".join(
    f"""
CREATE TRIGGER closed_whole BEFORE TRUNCATE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION settlement_row_closed();
"""
    for table in ("settlement_batch", "settlement_payout", "settlement_line")
)


def upgrade() -> None:
    execute(APPEND_ONLY, BOOKS, TRAIL, APPROVALS, SETTLEMENT, rights="")
