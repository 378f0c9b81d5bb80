"""Payments of several kinds: what a code is bound to beside the amount, and who is named as paid (D5)."""

from alembic import op

revision = "0012"
down_revision = "0011"

KINDS = """
ALTER TABLE payment DROP CONSTRAINT payment_kind_check,
  ADD CONSTRAINT payment_kind CHECK (kind IN ('PURCHASE', 'BILL_PAYMENT', 'CARD_TRANSFER')),
  ADD COLUMN payee_key text NOT NULL DEFAULT '' CHECK (payee_key ~ '^([0-9a-f]{64})?$'),
  ADD COLUMN payee_name text
    CHECK (char_length(payee_name) BETWEEN 1 AND 20 AND payee_name !~ '[|=@#/:]' AND payee_name !~ '[0-9]{2}'),
  ADD CONSTRAINT payment_payee_key CHECK ((kind = 'PURCHASE') = (payee_key = ''));
COMMENT ON COLUMN payment.payee_key IS 'the destination card''s token, or the digest of the bills (D5)';
COMMENT ON COLUMN payment.payee_name IS 'what the SMS names as paid; NULL: the merchant''s own payee name';
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(KINDS)
