"""Until when a payment whose outcome is unknown is decided, so that the order page can name the hour."""

from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.get_bind().exec_driver_sql("ALTER TABLE shop_order ADD COLUMN decided_by timestamptz")
