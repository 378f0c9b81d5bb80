"""Mobile top-up: which operators are topped up here, and the second leg that delivers (D7)."""

from foundation.migrations import execute

revision = "0024"
down_revision = "0023"

PAYMENT = """
ALTER TABLE payment DROP CONSTRAINT payment_kind,
  ADD CONSTRAINT payment_kind
    CHECK (kind IN ('PURCHASE', 'BILL_PAYMENT', 'CARD_TRANSFER', 'TOP_UP', 'BALANCE_INQUIRY'));
COMMENT ON COLUMN payment.payee_key IS
  'the token of the destination card or of the number that is topped up, or the digest of the bills (D5)';
DROP INDEX payment_unconfirmed;
CREATE INDEX payment_unconfirmed ON payment (authorised_at)
  WHERE state = 'authorised' AND kind NOT IN ('CARD_TRANSFER', 'TOP_UP');
"""

TOP_UP = """
CREATE TABLE top_up_operator (
  operator text PRIMARY KEY CHECK (operator IN ('mci', 'irancell', 'rightel', 'shatel')),
  merchant_id text NOT NULL REFERENCES merchant,
  active boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN top_up_operator.merchant_id IS 'to whom what is topped up is owed';
CREATE TABLE top_up (
  payment_id text PRIMARY KEY REFERENCES payment,
  operator text NOT NULL REFERENCES top_up_operator,
  operator_merchant_id text NOT NULL REFERENCES merchant,
  mobile_masked text NOT NULL,
  mobile_sealed bytea,
  credit text NOT NULL DEFAULT 'none'
    CHECK (credit IN ('none', 'owed', 'reversing', 'given', 'refused', 'reversed')),
  owed_at timestamptz,
  deadline_at timestamptz,
  decided_at timestamptz,
  action_code text,
  operator_reference text CHECK (operator_reference ~ '^[!-~]{1,64}$'),
  CHECK (credit NOT IN ('owed', 'reversing') OR mobile_sealed IS NOT NULL),
  CHECK ((credit = 'none') = (owed_at IS NULL) AND (owed_at IS NULL) = (deadline_at IS NULL))
);
CREATE INDEX top_up_sealed ON top_up (payment_id) WHERE mobile_sealed IS NOT NULL;
CREATE INDEX top_up_under_way ON top_up (owed_at) WHERE credit IN ('owed', 'reversing');
COMMENT ON COLUMN top_up.mobile_sealed IS 'AES-GCM bound to this row; wiped once the top-up is decided';
COMMENT ON COLUMN top_up.operator_reference IS 'how the operator calls what it delivered';
"""

RIGHTS = "GRANT INSERT, UPDATE ON top_up_operator, top_up TO {app};"


def upgrade() -> None:
    execute(PAYMENT, TOP_UP, rights=RIGHTS)
