"""Several issuer rows may share one ISO 8583 link: one bank whose Harim service is reached in several ways."""

from alembic import op

revision = "0011"
down_revision = "0010"

SHARED = """
ALTER TABLE issuer ADD COLUMN switch_of text REFERENCES issuer CHECK (switch_of <> issuer_id);
COMMENT ON COLUMN issuer.switch_of IS 'the issuer whose link and link keys this one uses; NULL: its own';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(SHARED)
