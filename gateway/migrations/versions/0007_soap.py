"""Issuers that are known by certificate: the SOAP dialect of Harim."""

from alembic import op

revision = "0007"
down_revision = "0006"

CERTIFICATES = """
ALTER TABLE issuer ADD COLUMN harim_certificates text NOT NULL DEFAULT '',
  DROP CONSTRAINT issuer_harim_public_key_check,
  ADD CONSTRAINT issuer_harim_key CHECK (octet_length(harim_public_key) = 32
    OR (octet_length(harim_public_key) = 0 AND harim_certificates <> ''));
COMMENT ON COLUMN issuer.harim_certificates IS 'PEM, one after the other, two may live at a time (D41)';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(CERTIFICATES)
