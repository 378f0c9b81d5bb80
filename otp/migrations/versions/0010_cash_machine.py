"""The cash machine: checks of a first PIN, and changes of mobile that wait for the new number's word (D27)."""

from foundation.migrations import execute

revision = "0010"
down_revision = "0009"

CHECKS = """
ALTER TABLE authorisation
  DROP CONSTRAINT authorisation_kind_check,
  ADD CONSTRAINT authorisation_kind_check CHECK (kind IN ('purchase', 'pin_check', 'tombstone')),
  ADD CONSTRAINT authorisation_checks_no_money CHECK (kind <> 'pin_check' OR amount_rial = 0);
COMMENT ON COLUMN authorisation.kind IS
  'purchase; pin_check: a first PIN without money, which opens the services of the cash machine; tombstone';
"""

MOBILE = """
CREATE TABLE mobile_change (
  change_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  card_id bigint NOT NULL REFERENCES card,
  mobile_sealed bytea NOT NULL,
  mobile_token bytea NOT NULL CHECK (octet_length(mobile_token) = 32),
  mobile_last_two text NOT NULL CHECK (mobile_last_two ~ '^[0-9]{2}$'),
  former_sealed bytea,
  nonce bytea NOT NULL CHECK (octet_length(nonce) = 16),
  key_id text NOT NULL,
  state text NOT NULL DEFAULT 'issued' CHECK (state IN ('issued', 'made', 'locked', 'expired', 'superseded')),
  wrong_tries integer NOT NULL DEFAULT 0 CHECK (wrong_tries BETWEEN 0 AND 3),
  issued_at timestamptz NOT NULL DEFAULT house_now(),
  expires_at timestamptz NOT NULL,
  decided_at timestamptz,
  CHECK ((state = 'issued') = (decided_at IS NULL))
);
CREATE UNIQUE INDEX mobile_change_of_card ON mobile_change (card_id) WHERE state = 'issued';
COMMENT ON COLUMN mobile_change.nonce IS 'the code is derived from it and stored nowhere (D25)';
COMMENT ON COLUMN mobile_change.former_sealed IS 'the number before, which is told of the change as well (D27)';
"""

RIGHTS = "GRANT INSERT, UPDATE ON mobile_change TO {app};"


def upgrade() -> None:
    execute(CHECKS, MOBILE, rights=RIGHTS)
