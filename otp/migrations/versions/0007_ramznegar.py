"""Ramznegar: apps, activations, codes by text message, static PINs, ceilings (D14, D23, D26, D27)."""

from foundation.migrations import execute

revision = "0007"
down_revision = "0006"

CARD = """
ALTER TABLE card
  ADD COLUMN kind text NOT NULL DEFAULT 'debit' CHECK (kind IN ('debit', 'gift')),
  ADD COLUMN customer_token bytea CHECK (octet_length(customer_token) = 32),
  ADD COLUMN first_pin_mac bytea CHECK (octet_length(first_pin_mac) = 32),
  ADD COLUMN first_pin_failures integer NOT NULL DEFAULT 0 CHECK (first_pin_failures >= 0),
  ADD COLUMN first_pin_locked_until timestamptz,
  ADD COLUMN static_second_pin_mac bytea CHECK (octet_length(static_second_pin_mac) = 32),
  ADD COLUMN sms_codes_active boolean NOT NULL DEFAULT false,
  ADD COLUMN unbound_ceiling_rial bigint CHECK (unbound_ceiling_rial >= 0),
  ADD COLUMN unbound_ceiling_next_rial bigint CHECK (unbound_ceiling_next_rial >= 0),
  ADD COLUMN unbound_ceiling_next_at timestamptz,
  ADD COLUMN low_ceiling_until timestamptz,
  ADD CONSTRAINT card_ceiling_next CHECK ((unbound_ceiling_next_rial IS NULL) = (unbound_ceiling_next_at IS NULL));
CREATE INDEX card_of_customer ON card (customer_token) WHERE customer_token IS NOT NULL;
CREATE INDEX card_of_mobile ON card (mobile_token) WHERE mobile_token IS NOT NULL;
COMMENT ON COLUMN card.customer_token IS 'HMAC of the holder''s national code: whose card it is (D23)';
COMMENT ON COLUMN card.first_pin_mac IS 'HMAC of card token and first PIN; the PIN itself is nowhere (D27)';
COMMENT ON COLUMN card.static_second_pin_mac IS
  'HMAC of card token and static second PIN; of a gift card, or where the holder chose one for small sums (D27)';
COMMENT ON COLUMN card.unbound_ceiling_rial IS
  'the holder''s own ceiling of unbound codes; without one the bank''s (D14)';
COMMENT ON COLUMN card.low_ceiling_until IS 'after a change of mobile (D27)';
"""

DEVICE = """
CREATE TABLE device (
  device_id uuid PRIMARY KEY,
  customer_token bytea NOT NULL CHECK (octet_length(customer_token) = 32),
  name text NOT NULL DEFAULT '' CHECK (length(name) <= 40),
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active', 'suspended', 'removed')),
  auth_key_sealed bytea,
  wrap_key_sealed bytea,
  code_root_sealed bytea,
  calls bigint NOT NULL DEFAULT 0 CHECK (calls >= 0),
  wrong_codes integer NOT NULL DEFAULT 0 CHECK (wrong_codes >= 0),
  added_at timestamptz NOT NULL DEFAULT house_now(),
  seen_at timestamptz,
  ended_at timestamptz,
  CHECK ((state = 'removed') = (ended_at IS NOT NULL)),
  CHECK (state <> 'active' OR (code_root_sealed IS NOT NULL AND auth_key_sealed IS NOT NULL)),
  CHECK (state <> 'removed' OR (code_root_sealed IS NULL AND auth_key_sealed IS NULL AND wrap_key_sealed IS NULL))
);
CREATE INDEX device_of_customer ON device (customer_token) WHERE state <> 'removed';
COMMENT ON COLUMN device.code_root_sealed IS
  'AES-GCM bound to device|code-root|<id>: HMAC of the device''s key over the stretched app PIN; nothing tells the PIN';
COMMENT ON COLUMN device.calls IS 'number of the last signed call: a lower one is a copy of the device, or a repeat';
CREATE TABLE device_card (
  card_ref uuid PRIMARY KEY,
  device_id uuid NOT NULL REFERENCES device,
  card_id bigint NOT NULL REFERENCES card,
  state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'active', 'removed')),
  last_second_step bigint NOT NULL DEFAULT 0,
  last_first_step bigint NOT NULL DEFAULT 0,
  last_bound_step bigint NOT NULL DEFAULT 0,
  drift_steps smallint NOT NULL DEFAULT 0 CHECK (drift_steps BETWEEN -2 AND 2),
  added_at timestamptz NOT NULL DEFAULT house_now(),
  ended_at timestamptz,
  CHECK ((state = 'removed') = (ended_at IS NOT NULL))
);
CREATE UNIQUE INDEX device_card_active ON device_card (card_id) WHERE state = 'active';
COMMENT ON INDEX device_card_active IS 'one app makes codes of a card; a new activation ends the old binding (D23)';
CREATE INDEX device_card_of_device ON device_card (device_id) WHERE state <> 'removed';
"""

ACTIVATION = """
CREATE TABLE activation (
  activation_key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  activation_id text NOT NULL CHECK (activation_id ~ '^[0-9]{8}$'),
  card_id bigint NOT NULL REFERENCES card,
  channel text NOT NULL CHECK (channel IN ('atm', 'sms')),
  device_id uuid REFERENCES device,
  nonce bytea NOT NULL CHECK (octet_length(nonce) = 16),
  key_id text NOT NULL,
  state text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'used', 'locked', 'expired', 'superseded')),
  wrong_tries integer NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND 5),
  issued_at timestamptz NOT NULL DEFAULT house_now(),
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  CHECK ((state = 'issued') = (decided_at IS NULL)),
  CHECK (channel = 'atm' OR device_id IS NOT NULL)
);
CREATE UNIQUE INDEX activation_live ON activation (activation_id) WHERE state = 'issued';
CREATE UNIQUE INDEX activation_of_card ON activation (card_id, channel) WHERE state = 'issued';
COMMENT ON TABLE activation IS
  'both parts of a code are derived from the nonce and stored nowhere; channel atm: slip and SMS, sms: SMS alone (D23)';
"""

CODES = """
ALTER TABLE challenge
  ALTER COLUMN psp_id DROP NOT NULL,
  ALTER COLUMN transaction_ref DROP NOT NULL,
  DROP CONSTRAINT challenge_channel_check,
  DROP CONSTRAINT challenge_bound_check,
  ADD CONSTRAINT challenge_channel_check CHECK (channel IN ('harim', 'sms')),
  ADD CONSTRAINT challenge_of_channel CHECK (
    (channel = 'harim') = (psp_id IS NOT NULL) AND (channel = 'harim') = (transaction_ref IS NOT NULL)
    AND CASE channel WHEN 'harim' THEN 'acquirer' = ANY (bound) ELSE cardinality(bound) = 0 END);
CREATE UNIQUE INDEX challenge_by_sms ON challenge (card_id) WHERE channel = 'sms' AND state = 'issued';
COMMENT ON INDEX challenge_by_sms IS 'one live code by text message per card (D26)';
ALTER TABLE authorisation
  ADD COLUMN code_channel text CHECK (code_channel IN ('harim', 'sms', 'app', 'app_bound', 'static', 'first_pin')),
  ADD COLUMN unbound boolean NOT NULL DEFAULT false,
  ADD COLUMN card_ref uuid REFERENCES device_card;
UPDATE authorisation SET code_channel = 'harim', unbound = challenge.ceiling_rial IS NOT NULL
  FROM challenge WHERE challenge.challenge_id = authorisation.challenge_id;
COMMENT ON COLUMN authorisation.unbound IS 'counts on the card''s day of unbound codes (D14)';
CREATE TABLE inbound_message (
  provider text NOT NULL,
  message_id text NOT NULL,
  sender_token bytea NOT NULL CHECK (octet_length(sender_token) = 32),
  outcome text NOT NULL,
  received_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT inbound_message_once PRIMARY KEY (provider, message_id)
);
COMMENT ON TABLE inbound_message IS 'what a holder texted is not kept; the id makes a repeat harmless (D26)';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON device, device_card, activation TO {app};
GRANT INSERT, UPDATE, DELETE ON inbound_message TO {app};
"""


def upgrade() -> None:
    execute(CARD, DEVICE, ACTIVATION, CODES, rights=RIGHTS)
