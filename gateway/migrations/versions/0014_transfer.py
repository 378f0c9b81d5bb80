"""Card to card: whose card gets the money, and the second leg that gives it (D7, D28)."""

from foundation.migrations import execute

revision = "0014"
down_revision = "0013"

PAYMENT = """
ALTER TABLE payment ADD COLUMN inside boolean NOT NULL DEFAULT false,
  ADD CONSTRAINT payment_inside CHECK (kind = 'CARD_TRANSFER' OR NOT inside);
COMMENT ON COLUMN payment.inside IS 'a transfer between two cards of one bank: one message, one transaction (D7)';
ALTER TABLE attempt DROP CONSTRAINT attempt_state_check,
  ADD CONSTRAINT attempt_state_check CHECK (state IN ('submitted', 'unknown', 'approved', 'declined', 'voiding',
    'disputed', 'voided', 'stood'));
COMMENT ON COLUMN attempt.state IS 'stood: it could not be reversed any more, and so is complete (D7)';
DROP INDEX payment_unconfirmed;
CREATE INDEX payment_unconfirmed ON payment (authorised_at) WHERE state = 'authorised' AND kind <> 'CARD_TRANSFER';
"""

TRANSFER = """
CREATE TABLE transfer (
  payment_id text PRIMARY KEY REFERENCES payment,
  source_hash bytea NOT NULL,
  destination_hash bytea NOT NULL,
  destination_sealed bytea,
  destination_masked text NOT NULL,
  destination_issuer_id text NOT NULL REFERENCES issuer,
  holder_name text NOT NULL,
  named_at timestamptz NOT NULL DEFAULT house_now(),
  credit text NOT NULL DEFAULT 'none'
    CHECK (credit IN ('none', 'owed', 'reversing', 'given', 'refused', 'reversed')),
  stan text CHECK (stan ~ '^[0-9]{6}$'),
  rrn text CHECK (rrn ~ '^[0-9]{12}$'),
  local_time text CHECK (local_time ~ '^[0-9]{12}$'),
  owed_at timestamptz,
  deadline_at timestamptz,
  decided_at timestamptz,
  action_code text,
  capture_date text,
  CHECK (credit NOT IN ('owed', 'reversing') OR destination_sealed IS NOT NULL),
  CHECK ((credit = 'none') = (stan IS NULL) AND (stan IS NULL) = (rrn IS NULL)
    AND (stan IS NULL) = (local_time IS NULL))
);
CREATE INDEX transfer_of_card ON transfer (source_hash, named_at);
CREATE INDEX transfer_sealed ON transfer (payment_id) WHERE destination_sealed IS NOT NULL;
CREATE INDEX transfer_under_way ON transfer (owed_at) WHERE credit IN ('owed', 'reversing');
COMMENT ON COLUMN transfer.destination_sealed IS 'AES-GCM bound to this row; wiped once the transfer is decided';
COMMENT ON COLUMN transfer.holder_name IS 'as the destination''s bank told it, masked (D28)';
COMMENT ON COLUMN transfer.stan IS 'with rrn and local_time the one key of the credit, however often it is sent (D7)';
"""

RIGHTS = "GRANT INSERT, UPDATE ON transfer TO {app};"


def upgrade() -> None:
    execute(PAYMENT, TRANSFER, rights=RIGHTS)
