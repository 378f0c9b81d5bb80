"""Transfers that merchants ask for: open before anybody named a payee, and destinations saved for later (D7, D16)."""

from foundation.migrations import execute

revision = "0025"
down_revision = "0024"

PAYMENT = """
ALTER TABLE payment DROP CONSTRAINT payment_payee_key, DROP CONSTRAINT payment_amount,
  ADD CONSTRAINT payment_payee_key CHECK (CASE WHEN kind IN ('PURCHASE', 'BALANCE_INQUIRY') THEN payee_key = ''
    WHEN kind = 'CARD_TRANSFER' THEN payee_key <> '' OR state IN ('open', 'cancelled', 'expired')
    ELSE payee_key <> '' END),
  ADD CONSTRAINT payment_amount CHECK (CASE kind WHEN 'BALANCE_INQUIRY' THEN amount_rial = 0
    WHEN 'CARD_TRANSFER' THEN amount_rial > 0 OR amount_rial = 0 AND payee_key = '' ELSE amount_rial > 0 END);
COMMENT ON CONSTRAINT payment_payee_key ON payment IS 'a transfer without a payee is never submitted';
CREATE INDEX payment_transfers ON payment (terminal_id, created_at DESC, payment_id DESC) WHERE kind = 'CARD_TRANSFER';
"""

DESTINATION = """
CREATE TABLE saved_destination (
  merchant_id text NOT NULL REFERENCES merchant,
  token text NOT NULL CHECK (token ~ '^dest_[0-9a-f]{32}$'),
  pan_sealed bytea NOT NULL,
  pan_masked text NOT NULL,
  issuer_id text NOT NULL REFERENCES issuer,
  holder_name text NOT NULL,
  saved_at timestamptz NOT NULL DEFAULT house_now(),
  used_at timestamptz NOT NULL DEFAULT house_now(),
  PRIMARY KEY (merchant_id, token)
);
CREATE INDEX saved_destination_newest ON saved_destination (merchant_id, saved_at DESC, token DESC);
CREATE INDEX saved_destination_used ON saved_destination (used_at);
COMMENT ON COLUMN saved_destination.pan_sealed IS 'AES-GCM bound to this row, its own key; gone with the row';
COMMENT ON COLUMN saved_destination.used_at IS 'by when it is kept: the row is deleted so many days later (D43)';
"""

REQUEST = """
CREATE TABLE transfer_request (
  payment_id text PRIMARY KEY REFERENCES payment,
  amount_rial bigint CHECK (amount_rial > 0),
  destination_token text
);
COMMENT ON TABLE transfer_request IS
  'what a merchant fixed of a transfer; the payer''s page says the rest, and only then there is a row in transfer';
COMMENT ON COLUMN transfer_request.destination_token IS 'of saved_destination, which may be deleted meanwhile';
ALTER TABLE transfer ADD COLUMN saving_token text, ADD COLUMN saving_sealed bytea,
  ADD CONSTRAINT transfer_saving CHECK (saving_sealed IS NULL
    OR saving_token IS NOT NULL AND destination_sealed IS NOT NULL);
COMMENT ON COLUMN transfer.saving_sealed IS
  'the destination sealed for saved_destination, where the payer ticked that; moved there when the transfer completes';
"""

KEYS = """
ALTER TABLE api_key DROP CONSTRAINT api_key_scopes;
UPDATE api_key SET scopes = scopes || '{transfers:read,transfers:write}' WHERE scopes @> ARRAY['payments:read',
  'payments:write', 'payments:confirm', 'payments:reverse', 'payments:refund', 'webhooks:read', 'webhooks:write'];
ALTER TABLE api_key ADD CONSTRAINT api_key_scopes CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['payments:read',
  'payments:write', 'payments:confirm', 'payments:reverse', 'payments:refund', 'transfers:read', 'transfers:write',
  'webhooks:read', 'webhooks:write']);
"""

RIGHTS = """
GRANT INSERT, UPDATE, DELETE ON saved_destination TO {app};
GRANT INSERT ON transfer_request TO {app};
"""


def upgrade() -> None:
    execute(PAYMENT, DESTINATION, REQUEST, KEYS, rights=RIGHTS)
