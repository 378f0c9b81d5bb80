"""The certificates by which a PSP's SOAP messages are known."""

from alembic import op

revision = "0004"
down_revision = "0003"

CERTIFICATES = """
ALTER TABLE psp ADD COLUMN certificates text NOT NULL DEFAULT '';
COMMENT ON COLUMN psp.certificates IS 'PEM, one after the other, two may live at a time (D41); empty: speaks no SOAP';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CERTIFICATES)
