"""What became of the message of a dynamic PIN, as its issuer tells."""

from alembic import op

revision = "0009"
down_revision = "0008"

DELIVERY = """
ALTER TABLE pin_request ADD COLUMN correlation_id uuid,
  ADD COLUMN delivery text CHECK (delivery IN ('queued', 'accepted', 'refused', 'dropped')),
  ADD COLUMN delivery_checks integer NOT NULL DEFAULT 0 CHECK (delivery_checks >= 0),
  ADD COLUMN delivery_due_at timestamptz;
COMMENT ON COLUMN pin_request.correlation_id IS
  'the issuer''s name for the code; kept where it disclosed anything (D19)';
COMMENT ON COLUMN pin_request.delivery_due_at IS
  'when the issuer may be asked about the message next; NULL: not any more';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(DELIVERY)
