"""The first tables: who sells, who issued the card, one payment, its attempts, what moved, what is still to be told.

Money is a whole number of rials. Every time of decision is ``house_now()`` (D38). The application role may
neither change
nor delete what is append-only, because it has no right to (D39).
"""

from foundation.migrations import CLOCK, execute
from foundation.outbox import DDL as OUTBOX

revision = "0001"
down_revision = None

DIRECTORY = """
CREATE TABLE merchant (
  merchant_id text PRIMARY KEY CHECK (merchant_id ~ '^[0-9]{15}$'),
  name_fa text NOT NULL CHECK (name_fa <> ''),
  name_en text NOT NULL CHECK (name_en <> ''),
  payee_name text NOT NULL
    CHECK (char_length(payee_name) BETWEEN 1 AND 20 AND payee_name !~ '[|=@#/:]' AND payee_name !~ '[0-9]{2}'),
  acquirer_id text NOT NULL CHECK (acquirer_id ~ '^[0-9]{6,11}$'),
  site text NOT NULL,
  webhook_url text,
  webhook_secret_sealed bytea,
  active boolean NOT NULL DEFAULT true,
  CHECK ((webhook_url IS NULL) = (webhook_secret_sealed IS NULL))
);
CREATE TABLE terminal (
  terminal_id text PRIMARY KEY CHECK (terminal_id ~ '^[0-9A-Z]{8}$'),
  merchant_id text NOT NULL REFERENCES merchant,
  active boolean NOT NULL DEFAULT true
);
CREATE TABLE api_key (
  key_id text PRIMARY KEY,
  terminal_id text NOT NULL REFERENCES terminal,
  secret_hash bytea NOT NULL UNIQUE CHECK (octet_length(secret_hash) = 32),
  mode text NOT NULL CHECK (mode IN ('test', 'live')),
  scopes text[] NOT NULL DEFAULT '{payments}',
  created_at timestamptz NOT NULL DEFAULT house_now(),
  expires_at timestamptz,
  revoked_at timestamptz
);
CREATE TABLE issuer (
  issuer_id text PRIMARY KEY CHECK (issuer_id ~ '^[a-z0-9-]{1,32}$'),
  name_fa text NOT NULL,
  name_en text NOT NULL,
  harim_dialect text NOT NULL,
  harim_url text NOT NULL,
  harim_key_id text NOT NULL,
  harim_public_key bytea NOT NULL CHECK (octet_length(harim_public_key) = 32),
  harim_timeout_ms integer NOT NULL CHECK (harim_timeout_ms BETWEEN 100 AND 60000),
  switch_host text NOT NULL,
  switch_port integer NOT NULL CHECK (switch_port BETWEEN 1 AND 65535),
  switch_timeout_ms integer NOT NULL CHECK (switch_timeout_ms BETWEEN 100 AND 60000),
  code_life_seconds integer NOT NULL CHECK (code_life_seconds BETWEEN 30 AND 600),
  resend_wait_seconds integer NOT NULL CHECK (resend_wait_seconds BETWEEN 10 AND 600),
  keeps_tombstones boolean NOT NULL DEFAULT false,
  active boolean NOT NULL DEFAULT true
);
CREATE TABLE issuer_bin (
  bin text PRIMARY KEY CHECK (bin ~ '^[0-9]{6,8}$'),
  issuer_id text NOT NULL REFERENCES issuer
);
"""

PAYMENT = """
CREATE TABLE payment (
  payment_id text PRIMARY KEY,
  page_token text NOT NULL UNIQUE,
  kind text NOT NULL CHECK (kind = 'PURCHASE'),
  terminal_id text NOT NULL REFERENCES terminal,
  merchant_id text NOT NULL REFERENCES merchant,
  order_id text NOT NULL,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  fee_rial bigint NOT NULL CHECK (fee_rial >= 0),
  description text,
  mobile text,
  callback_url text NOT NULL,
  reference text NOT NULL UNIQUE CHECK (reference ~ '^[A-Z2-7]{16}$'),
  state text NOT NULL CHECK (state IN ('open', 'paying', 'unknown', 'authorised', 'confirmed', 'settled', 'reversing',
    'reversed', 'disputed', 'cancelled', 'expired')),
  extensions integer NOT NULL DEFAULT 0 CHECK (extensions BETWEEN 0 AND 2),
  pin_requests integer NOT NULL DEFAULT 0 CHECK (pin_requests BETWEEN 0 AND 5),
  attempts integer NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 5),
  created_at timestamptz NOT NULL DEFAULT house_now(),
  page_expires_at timestamptz NOT NULL,
  confirm_window_seconds integer NOT NULL CHECK (confirm_window_seconds > 0),
  attempt_id text,
  authorised_at timestamptz,
  confirmed_at timestamptz,
  confirmed_by text,
  reversed_at timestamptz,
  issuer_id text REFERENCES issuer,
  pan_masked text,
  card_token text,
  rrn text,
  tracking_code text UNIQUE CHECK (tracking_code ~ '^[0-9]{12,}$'),
  CHECK ((authorised_at IS NULL) = (tracking_code IS NULL)),
  CHECK (state NOT IN ('authorised', 'confirmed', 'settled') OR authorised_at IS NOT NULL),
  CHECK (state NOT IN ('confirmed', 'settled') OR confirmed_at IS NOT NULL)
);
CREATE UNIQUE INDEX payment_order ON payment (terminal_id, order_id)
  WHERE state NOT IN ('cancelled', 'expired', 'reversed');
COMMENT ON INDEX payment_order IS 'an order id again only after the first is cancelled, expired or reversed (D42)';
CREATE INDEX payment_open ON payment (page_expires_at) WHERE state = 'open';
CREATE INDEX payment_unconfirmed ON payment (authorised_at) WHERE state = 'authorised';
CREATE INDEX payment_mobile ON payment (created_at) WHERE mobile IS NOT NULL;
CREATE TABLE attempt (
  attempt_id text PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payment,
  number integer NOT NULL,
  state text NOT NULL CHECK (state IN ('submitted', 'unknown', 'approved', 'declined', 'voiding', 'disputed',
  'voided')),
  acquirer_id text NOT NULL,
  terminal_id text NOT NULL,
  stan text NOT NULL CHECK (stan ~ '^[0-9]{6}$'),
  rrn text NOT NULL CHECK (rrn ~ '^[0-9]{12}$'),
  local_time text NOT NULL CHECK (local_time ~ '^[0-9]{12}$'),
  issuer_id text NOT NULL REFERENCES issuer,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  fee_rial bigint NOT NULL CHECK (fee_rial >= 0),
  pan_sealed bytea,
  pan_masked text NOT NULL,
  pan_hash bytea NOT NULL,
  late boolean NOT NULL DEFAULT false,
  action_code text,
  approval_code text,
  capture_date text,
  submitted_at timestamptz NOT NULL DEFAULT house_now(),
  answer_due_at timestamptz NOT NULL,
  decided_at timestamptz,
  reversal_decided_at timestamptz,
  UNIQUE (payment_id, number),
  UNIQUE (acquirer_id, terminal_id, stan, rrn, local_time),
  CHECK (state NOT IN ('submitted', 'unknown', 'voiding', 'disputed') OR pan_sealed IS NOT NULL),
  CHECK (state NOT IN ('declined', 'voided') OR pan_sealed IS NULL)
);
CREATE UNIQUE INDEX attempt_in_flight ON attempt (payment_id)
  WHERE state IN ('submitted', 'unknown', 'voiding', 'disputed') AND NOT late;
COMMENT ON INDEX attempt_in_flight IS 'one attempt in flight (D8); a late approval goes back beside it';
CREATE INDEX attempt_lost ON attempt (answer_due_at) WHERE state = 'submitted';
CREATE INDEX attempt_sealed ON attempt (decided_at) WHERE pan_sealed IS NOT NULL;
COMMENT ON COLUMN attempt.pan_sealed IS
  'AES-GCM bound to this row, its own key; wiped at declined, voided, else when the refund window ends (D1)';
CREATE SEQUENCE stan MINVALUE 1 MAXVALUE 999999 CYCLE;
CREATE SEQUENCE rrn MINVALUE 1 MAXVALUE 99999999 CYCLE;
CREATE TABLE pin_request (
  request_id uuid PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payment,
  sequence integer NOT NULL,
  issuer_id text NOT NULL REFERENCES issuer,
  pan_hash bytea NOT NULL,
  proven boolean NOT NULL,
  state text NOT NULL CHECK (state IN ('asked', 'sent', 'refused', 'unanswered')),
  reason text,
  code_length integer,
  mobile_last_two text,
  requested_at timestamptz NOT NULL DEFAULT house_now(),
  answered_at timestamptz,
  resend_at timestamptz,
  expires_at timestamptz,
  UNIQUE (payment_id, sequence)
);
CREATE TABLE quota (
  scope text NOT NULL,
  window_start timestamptz NOT NULL,
  used integer NOT NULL CHECK (used > 0),
  PRIMARY KEY (scope, window_start)
);
CREATE TABLE idempotency (
  terminal_id text NOT NULL REFERENCES terminal,
  key text NOT NULL CHECK (char_length(key) BETWEEN 1 AND 128),
  body_hash bytea NOT NULL,
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT idempotency_key PRIMARY KEY (terminal_id, key)
);
"""

APPEND_ONLY = """
CREATE TABLE payment_event (
  event_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payment,
  attempt_id text REFERENCES attempt,
  event text NOT NULL,
  state text NOT NULL,
  at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX payment_event_payment ON payment_event (payment_id);
CREATE TABLE posting (
  posting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  payment_id text NOT NULL REFERENCES payment,
  attempt_id text NOT NULL REFERENCES attempt,
  event text NOT NULL,
  source text NOT NULL,
  destination text NOT NULL CHECK (destination <> source),
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX posting_attempt ON posting (attempt_id);
COMMENT ON TABLE posting IS 'money moves by append: a correction is a new row (D39)';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON merchant, terminal, api_key, issuer, issuer_bin, payment, attempt, pin_request, quota, outbox
  TO {app};
GRANT INSERT ON idempotency, payment_event, posting TO {app};
GRANT DELETE ON idempotency, quota, outbox TO {app};
GRANT USAGE ON SEQUENCE stan, rrn TO {app};
"""


def upgrade() -> None:
    execute(CLOCK, DIRECTORY, PAYMENT, APPEND_ONLY, OUTBOX, rights=RIGHTS)
