"""Refunds: money of kept payments on its way back to the card, each with a message key of its own (D11)."""

from foundation.migrations import execute

revision = "0016"
down_revision = "0015"

PAYMENT = """
ALTER TABLE payment
  ADD COLUMN refunded_rial bigint NOT NULL DEFAULT 0,
  ADD COLUMN returned_rial bigint NOT NULL DEFAULT 0,
  DROP CONSTRAINT payment_state_check,
  ADD CONSTRAINT payment_state_check CHECK (state IN ('open', 'paying', 'unknown', 'authorised', 'confirmed', 'settled',
    'reversing', 'reversed', 'disputed', 'refunded', 'cancelled', 'expired')),
  ADD CONSTRAINT payment_refunded CHECK (refunded_rial BETWEEN 0 AND amount_rial),
  ADD CONSTRAINT payment_returned CHECK (returned_rial BETWEEN 0 AND refunded_rial),
  ADD CONSTRAINT payment_refunds_kept CHECK (refunded_rial = 0 OR state IN ('confirmed', 'settled', 'refunded')),
  ADD CONSTRAINT payment_refunded_whole CHECK ((state = 'refunded') = (returned_rial = amount_rial));
COMMENT ON COLUMN payment.refunded_rial IS 'principal of every refund that was not refused, done or on its way';
COMMENT ON COLUMN payment.returned_rial IS 'principal of the refunds that are done';
CREATE INDEX payment_reversible ON payment (merchant_id, confirmed_at) WHERE state = 'confirmed';
CREATE INDEX payment_going_back ON payment (merchant_id) WHERE state IN ('reversing', 'disputed');
ALTER TABLE attempt
  ADD COLUMN refunding integer NOT NULL DEFAULT 0 CHECK (refunding >= 0),
  ADD CONSTRAINT attempt_refunding CHECK (refunding = 0 OR pan_sealed IS NOT NULL);
COMMENT ON COLUMN attempt.refunding IS 'refunds that are not over: as long the sealed PAN stays (D1)';
"""

REFUND = """
CREATE TABLE refund (
  number bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
  terminal_id text NOT NULL REFERENCES terminal,
  refund_id text NOT NULL CHECK (refund_id ~ '^[A-Za-z0-9._-]{1,64}$'),
  payment_id text NOT NULL REFERENCES payment,
  attempt_id text NOT NULL REFERENCES attempt,
  merchant_id text NOT NULL REFERENCES merchant,
  issuer_id text NOT NULL REFERENCES issuer,
  acquirer_id text NOT NULL,
  payee_name text NOT NULL,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  fee_rial bigint NOT NULL CHECK (fee_rial >= 0),
  reason text CHECK (char_length(reason) <= 120),
  state text NOT NULL CHECK (state IN ('waiting', 'requested', 'sent', 'unknown', 'done', 'refused')),
  stan text CHECK (stan ~ '^[0-9]{6}$'),
  rrn text CHECK (rrn ~ '^[0-9]{12}$'),
  local_time text CHECK (local_time ~ '^[0-9]{12}$'),
  asked_by text NOT NULL,
  asked_at timestamptz NOT NULL DEFAULT house_now(),
  checked_by text,
  checked_at timestamptz,
  sent_at timestamptz,
  decided_at timestamptz,
  action_code text,
  approval_code text,
  capture_date text,
  CONSTRAINT refund_key PRIMARY KEY (terminal_id, refund_id),
  CONSTRAINT refund_message UNIQUE (acquirer_id, terminal_id, stan, rrn, local_time),
  CONSTRAINT refund_four_eyes CHECK (checked_by <> asked_by),
  CHECK ((checked_by IS NULL) = (checked_at IS NULL)),
  CHECK (state IN ('waiting', 'refused') OR (stan IS NOT NULL AND rrn IS NOT NULL AND local_time IS NOT NULL)),
  CHECK (state NOT IN ('sent', 'unknown', 'done') OR sent_at IS NOT NULL),
  CHECK ((state IN ('done', 'refused')) = (decided_at IS NOT NULL))
);
COMMENT ON TABLE refund IS 'one id of a terminal means one refund for ever; the message''s key never changes';
CREATE INDEX refund_payment ON refund (payment_id, number);
CREATE INDEX refund_open ON refund (asked_at) WHERE state IN ('waiting', 'requested', 'sent', 'unknown');
CREATE INDEX refund_decided ON refund (decided_at) WHERE decided_at IS NOT NULL;
CREATE VIEW refund_under_way AS
SELECT number, refund_id, payment_id, state, amount_rial + fee_rial AS total_rial,
  coalesce(checked_at, asked_at) AS since,
  house_now() > coalesce(checked_at, asked_at) + interval '24 hours' AS past_promise
FROM refund WHERE state IN ('requested', 'sent', 'unknown');
COMMENT ON VIEW refund_under_way IS 'refunds the issuer has not answered for; past a day they are unexplained (D36)';
ALTER TABLE posting ADD COLUMN refund bigint REFERENCES refund (number);
COMMENT ON COLUMN posting.refund IS 'which refund moved it; NULL: the attempt itself';
CREATE INDEX posting_refund ON posting (refund) WHERE refund IS NOT NULL;
"""

KEYS = """
ALTER TABLE api_key DROP CONSTRAINT api_key_scopes;
UPDATE api_key SET scopes = scopes || '{payments:refund}' WHERE scopes @> ARRAY['payments:read', 'payments:write',
  'payments:confirm', 'payments:reverse', 'webhooks:read', 'webhooks:write'];
ALTER TABLE api_key ADD CONSTRAINT api_key_scopes CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['payments:read',
  'payments:write', 'payments:confirm', 'payments:reverse', 'payments:refund', 'webhooks:read', 'webhooks:write']);
"""

RIGHTS = """
GRANT INSERT, UPDATE ON refund TO {app};
"""


def upgrade() -> None:
    execute(PAYMENT, REFUND, KEYS, rights=RIGHTS)
