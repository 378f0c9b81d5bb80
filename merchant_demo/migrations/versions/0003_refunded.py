"""What of a paid order went back to the card, so that its page says so."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.get_bind().exec_driver_sql(
        "ALTER TABLE shop_order ADD COLUMN refunded_rial bigint NOT NULL DEFAULT 0 "
        "CHECK (refunded_rial BETWEEN 0 AND total_rial)"
    )
