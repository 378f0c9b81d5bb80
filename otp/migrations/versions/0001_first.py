"""The first tables: cards, who asks for their codes, challenges, limits, authorisations, what moved, what is queued.

Money is a whole number of rials. Every time of decision is ``house_now()`` (D38). The application role may neither
change nor delete what is append-only, because it has no right to (D39). No CVV2, no PIN and no code is stored anywhere.
"""

from foundation.migrations import CLOCK, execute
from foundation.outbox import DDL as OUTBOX

revision = "0001"
down_revision = None

CARD = """
CREATE TABLE card (
  card_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  card_token bytea NOT NULL UNIQUE CHECK (octet_length(card_token) = 32),
  pan_sealed bytea NOT NULL,
  expiry text NOT NULL CHECK (expiry ~ '^[0-9]{2}(0[1-9]|1[0-2])$'),
  status text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked')),
  mobile_sealed bytea,
  mobile_token bytea CHECK (octet_length(mobile_token) = 32),
  mobile_last_two text CHECK (mobile_last_two ~ '^[0-9]{2}$'),
  second_pin_active boolean NOT NULL DEFAULT true,
  pin_failures integer NOT NULL DEFAULT 0 CHECK (pin_failures >= 0),
  pin_locked_until timestamptz,
  pin_lock_level integer NOT NULL DEFAULT 0 CHECK (pin_lock_level >= 0),
  card_data_failures integer NOT NULL DEFAULT 0 CHECK (card_data_failures >= 0),
  card_data_failed_since timestamptz,
  card_not_present_paused_until timestamptz,
  balance_rial bigint NOT NULL CHECK (balance_rial >= 0),
  opened_rial bigint NOT NULL CHECK (opened_rial >= 0),
  opened_at timestamptz NOT NULL DEFAULT house_now(),
  CHECK ((mobile_sealed IS NULL) = (mobile_token IS NULL) AND (mobile_sealed IS NULL) = (mobile_last_two IS NULL))
);
COMMENT ON COLUMN card.card_token IS 'HMAC of the PAN under the card-token key';
COMMENT ON COLUMN card.pan_sealed IS 'AES-GCM bound to card|pan|<card_token in hex>';
COMMENT ON COLUMN card.expiry IS 'YYMM, Jalali, as printed on the card';
COMMENT ON COLUMN card.opened_rial IS 'balance = opened + what postings brought - what postings took';
"""

HARIM = """
CREATE TABLE psp (
  psp_id text PRIMARY KEY CHECK (psp_id ~ '^[a-z0-9-]{1,32}$'),
  name text NOT NULL CHECK (name <> ''),
  acquirer_id text NOT NULL UNIQUE CHECK (acquirer_id ~ '^[0-9]{6,11}$'),
  public_keys jsonb NOT NULL CHECK (jsonb_typeof(public_keys) = 'object'),
  disclosure text NOT NULL DEFAULT 'proven' CHECK (disclosure IN ('open', 'proven')),
  webotp_host text CHECK (webotp_host ~ '^[a-z0-9.-]+(:[0-9]{1,5})?$'),
  verify_enabled boolean NOT NULL DEFAULT false,
  active boolean NOT NULL DEFAULT true
);
COMMENT ON COLUMN psp.public_keys IS 'key id to Ed25519 public key (base64), two may live at a time (D41)';
CREATE TABLE harim_request (
  psp_id text NOT NULL REFERENCES psp,
  request_id uuid NOT NULL,
  body_hash bytea NOT NULL CHECK (octet_length(body_hash) = 32),
  transaction_ref text NOT NULL,
  sequence integer NOT NULL CHECK (sequence > 0),
  status integer NOT NULL,
  answer jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT harim_request_once PRIMARY KEY (psp_id, request_id)
);
CREATE INDEX harim_request_sequence ON harim_request (psp_id, transaction_ref, sequence DESC);
COMMENT ON CONSTRAINT harim_request_once ON harim_request IS 'a request id serves once per PSP (D21)';
CREATE TABLE challenge (
  challenge_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  correlation_id uuid NOT NULL UNIQUE,
  card_id bigint NOT NULL REFERENCES card,
  psp_id text NOT NULL REFERENCES psp,
  transaction_ref text NOT NULL CHECK (transaction_ref ~ '^[A-Z2-7]{16}$'),
  state text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'consumed', 'locked', 'expired', 'superseded')),
  nonce bytea NOT NULL CHECK (octet_length(nonce) = 16),
  canonical text NOT NULL,
  binding_digest bytea NOT NULL CHECK (octet_length(binding_digest) = 32),
  code_mac bytea NOT NULL CHECK (octet_length(code_mac) = 32),
  key_id text NOT NULL,
  code_length integer NOT NULL CHECK (code_length BETWEEN 5 AND 12),
  wrong_tries integer NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND tries_max),
  tries_max integer NOT NULL DEFAULT 3 CHECK (tries_max > 0),
  resends integer NOT NULL DEFAULT 0 CHECK (resends >= 0),
  proven boolean NOT NULL,
  channel text NOT NULL DEFAULT 'harim' CHECK (channel = 'harim'),
  delivery text NOT NULL DEFAULT 'queued' CHECK (delivery IN ('queued', 'accepted', 'refused', 'dropped')),
  provider_message_id text,
  delivery_at timestamptz,
  issued_at timestamptz NOT NULL,
  sent_at timestamptz NOT NULL,
  expires_at timestamptz NOT NULL CHECK (expires_at > issued_at),
  decided_at timestamptz,
  CHECK ((state = 'issued') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX challenge_of_payment ON challenge (card_id, psp_id, transaction_ref) WHERE state = 'issued';
COMMENT ON INDEX challenge_of_payment IS 'a newer request supersedes within its own payment reference only (D9b, D17)';
CREATE INDEX challenge_by_code ON challenge (card_id, code_mac);
CREATE INDEX challenge_recent ON challenge (card_id, expires_at);
CREATE INDEX challenge_live ON challenge (expires_at) WHERE state = 'issued';
COMMENT ON COLUMN challenge.key_id IS 'of the code-derive key; the code itself is nowhere (D5)';
COMMENT ON COLUMN challenge.code_mac IS 'HMAC under the code-mac key of card token and code (D5)';
COMMENT ON COLUMN challenge.sent_at IS 'when the code was last queued for sending: the start of the resend wait (D9b)';
CREATE TABLE quota (
  scope text NOT NULL,
  window_start timestamptz NOT NULL,
  used integer NOT NULL CHECK (used > 0),
  PRIMARY KEY (scope, window_start)
);
"""

MONEY = """
CREATE TABLE authorisation (
  authorisation_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  acquirer_id text NOT NULL,
  terminal_id text NOT NULL,
  stan text NOT NULL CHECK (stan ~ '^[0-9]{6}$'),
  rrn text NOT NULL,
  local_time text NOT NULL CHECK (local_time ~ '^[0-9]{12}$'),
  request_hash bytea,
  kind text NOT NULL CHECK (kind IN ('purchase', 'tombstone')),
  card_id bigint REFERENCES card,
  transaction_ref text,
  amount_rial bigint NOT NULL CHECK (amount_rial >= 0),
  fee_rial bigint NOT NULL CHECK (fee_rial >= 0),
  action_code text CHECK (action_code ~ '^[0-9]{3}$'),
  reason text,
  approval_code text,
  capture_date text CHECK (capture_date ~ '^[0-9]{4}$'),
  challenge_id bigint REFERENCES challenge,
  state text NOT NULL CHECK (state IN ('received', 'approved', 'declined', 'reversed', 'tombstone')),
  created_at timestamptz NOT NULL DEFAULT house_now(),
  decided_at timestamptz,
  CONSTRAINT authorisation_key UNIQUE (acquirer_id, terminal_id, stan, rrn, local_time),
  CHECK ((kind = 'tombstone') = (state = 'tombstone')),
  CHECK (state <> 'approved' OR (action_code = '000' AND card_id IS NOT NULL AND decided_at IS NOT NULL))
);
CREATE UNIQUE INDEX authorisation_of_challenge ON authorisation (challenge_id) WHERE challenge_id IS NOT NULL;
CREATE INDEX authorisation_of_card ON authorisation (card_id, created_at) WHERE state IN ('approved', 'reversed');
COMMENT ON CONSTRAINT authorisation_key ON authorisation IS
  'one row per message key, whichever comes first: purchase or tombstone (D2, D9); amount_rial is the total of DE 4';
COMMENT ON INDEX authorisation_of_challenge IS 'a code serves once (D4)';
CREATE TABLE reversal (
  reversal_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  acquirer_id text NOT NULL,
  terminal_id text NOT NULL,
  stan text NOT NULL CHECK (stan ~ '^[0-9]{6}$'),
  rrn text NOT NULL,
  local_time text NOT NULL CHECK (local_time ~ '^[0-9]{12}$'),
  authorisation_id bigint NOT NULL REFERENCES authorisation,
  action_code text NOT NULL CHECK (action_code ~ '^[0-9]{3}$'),
  created_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT reversal_key UNIQUE (acquirer_id, terminal_id, stan, rrn, local_time)
);
CREATE TABLE posting (
  posting_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  authorisation_id bigint NOT NULL REFERENCES authorisation,
  event text NOT NULL,
  source text NOT NULL,
  destination text NOT NULL CHECK (destination <> source),
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX posting_authorisation ON posting (authorisation_id);
COMMENT ON TABLE posting IS 'money moves by append: a correction is a new row (D39)';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON card, psp, challenge, quota, authorisation, outbox TO {app};
GRANT INSERT ON harim_request, reversal, posting TO {app};
GRANT DELETE ON quota TO {app};
"""


def upgrade() -> None:
    execute(CLOCK, CARD, HARIM, MONEY, OUTBOX, rights=RIGHTS)
