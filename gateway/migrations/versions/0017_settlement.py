"""Reconciliation and settlement: the banks' clearing files, four eyes, IBANs, batches that never change once closed."""

from foundation.migrations import execute

revision = "0017"
down_revision = "0016"

FOUR_EYES = """
CREATE TABLE approval_request (
  request_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  asks text NOT NULL CHECK (asks IN ('exception.resolve', 'iban.add', 'iban.remove')),
  subject text NOT NULL CHECK (subject <> ''),
  maker text NOT NULL CHECK (maker ~ '^[a-z][a-z0-9.-]{1,31}$'),
  reason text NOT NULL CHECK (char_length(btrim(reason)) BETWEEN 5 AND 300),
  facts jsonb NOT NULL,
  before_digest bytea NOT NULL CHECK (octet_length(before_digest) = 32),
  asked_at timestamptz NOT NULL DEFAULT house_now(),
  expires_at timestamptz NOT NULL,
  lapsed_at timestamptz,
  checker text CHECK (checker ~ '^[a-z][a-z0-9.-]{1,31}$'),
  approved_at timestamptz,
  approved_digest bytea,
  CONSTRAINT approval_four_eyes CHECK (checker <> maker),
  CONSTRAINT approval_in_time CHECK (expires_at = asked_at + interval '24 hours' AND approved_at < expires_at),
  CONSTRAINT approval_of_what_was_asked CHECK (approved_digest = before_digest),
  CONSTRAINT approval_whole CHECK (num_nulls(checker, approved_at, approved_digest) IN (0, 3)),
  CHECK (lapsed_at IS NULL OR approved_at IS NULL)
);
CREATE UNIQUE INDEX approval_open ON approval_request (asks, subject) WHERE approved_at IS NULL AND lapsed_at IS NULL;
COMMENT ON TABLE approval_request IS 'one asks, another approves within a day, and nothing changed in between (D35)';
"""

CLEARING = """
CREATE TABLE clearing_file (
  file_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  issuer_id text NOT NULL REFERENCES issuer,
  acquirer_id text NOT NULL,
  day date NOT NULL,
  sha256 bytea NOT NULL CHECK (octet_length(sha256) = 32),
  lines integer NOT NULL CHECK (lines >= 0),
  sum_rial bigint NOT NULL CHECK (sum_rial >= 0),
  imported_at timestamptz NOT NULL DEFAULT house_now(),
  CONSTRAINT clearing_file_once UNIQUE (issuer_id, acquirer_id, day)
);
CREATE TABLE clearing_line (
  line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  file_id bigint NOT NULL REFERENCES clearing_file,
  number integer NOT NULL CHECK (number > 0),
  issuer_id text NOT NULL,
  acquirer_id text NOT NULL,
  terminal_id text NOT NULL,
  stan text NOT NULL,
  rrn text NOT NULL,
  local_time text NOT NULL,
  kind text NOT NULL CHECK (kind IN ('purchase', 'reversal')),
  state text NOT NULL CHECK (state IN ('approved', 'reversed')),
  amount_rial bigint NOT NULL CHECK (amount_rial >= 0),
  captured date NOT NULL,
  duplicate boolean NOT NULL,
  attempt_id text REFERENCES attempt,
  verdict text NOT NULL CHECK (verdict IN ('matched', 'under_way', 'exception')),
  UNIQUE (file_id, number)
);
CREATE UNIQUE INDEX clearing_line_once
  ON clearing_line (acquirer_id, terminal_id, stan, rrn, local_time, kind, issuer_id) WHERE NOT duplicate;
CREATE INDEX clearing_line_attempt ON clearing_line (attempt_id);
CREATE INDEX clearing_line_under_way ON clearing_line (line_id) WHERE verdict = 'under_way';
COMMENT ON TABLE clearing_line IS 'the bank''s word as it came; of it only the verdict on money under way may change';
CREATE TABLE clearing_exception (
  exception_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  file_id bigint NOT NULL REFERENCES clearing_file,
  line_id bigint UNIQUE REFERENCES clearing_line,
  attempt_id text REFERENCES attempt,
  difference text NOT NULL CHECK (difference IN ('missing_here', 'missing_there', 'amount_differs', 'duplicate',
    'reversed_here', 'reversed_there')),
  rial bigint NOT NULL CHECK (rial >= 0),
  theirs jsonb,
  ours jsonb,
  found_at timestamptz NOT NULL DEFAULT house_now(),
  resolved_at timestamptz,
  settle boolean NOT NULL DEFAULT false,
  CHECK (line_id IS NOT NULL OR attempt_id IS NOT NULL),
  CHECK (resolved_at IS NOT NULL OR NOT settle)
);
CREATE UNIQUE INDEX clearing_exception_missing ON clearing_exception (attempt_id, difference) WHERE line_id IS NULL;
CREATE INDEX clearing_exception_open ON clearing_exception (found_at) WHERE resolved_at IS NULL;
CREATE INDEX clearing_exception_attempt ON clearing_exception (attempt_id);
COMMENT ON COLUMN clearing_exception.settle IS 'two people decided that the payment is settled as our books have it';
CREATE INDEX attempt_captured ON attempt (issuer_id, capture_date, submitted_at) WHERE capture_date IS NOT NULL;
CREATE INDEX attempt_voided ON attempt (issuer_id, decided_at) WHERE state = 'voided' AND capture_date IS NOT NULL;
"""

SETTLEMENT = """
CREATE TABLE merchant_iban (
  iban_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  merchant_id text NOT NULL REFERENCES merchant,
  iban text NOT NULL CHECK (iban ~ '^IR[0-9]{24}$'
    AND mod(CAST(substr(iban, 5) || '1827' || substr(iban, 3, 2) AS numeric), 97) = 1),
  parts integer NOT NULL CHECK (parts BETWEEN 1 AND 10000),
  added_at timestamptz NOT NULL DEFAULT house_now(),
  approved_by bigint REFERENCES approval_request,
  approved_at timestamptz,
  usable_from timestamptz,
  removed_by bigint REFERENCES approval_request,
  removed_at timestamptz,
  CONSTRAINT merchant_iban_approved CHECK (num_nulls(approved_by, approved_at, usable_from) IN (0, 3)),
  CONSTRAINT merchant_iban_hold CHECK (usable_from >= approved_at + interval '48 hours'),
  CHECK ((removed_by IS NULL) = (removed_at IS NULL))
);
CREATE UNIQUE INDEX merchant_iban_once ON merchant_iban (merchant_id, iban) WHERE removed_at IS NULL;
COMMENT ON TABLE merchant_iban IS 'where a merchant''s money goes, by parts; a new one waits two days (D11)';
CREATE TABLE settlement_batch (
  batch_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  business_day date NOT NULL UNIQUE,
  value_day date NOT NULL CHECK (value_day > business_day),
  cut_off_at timestamptz NOT NULL,
  opened_at timestamptz NOT NULL DEFAULT house_now(),
  closed_at timestamptz,
  lines integer,
  gross_rial bigint,
  fee_rial bigint,
  net_rial bigint,
  payouts integer,
  CHECK (num_nulls(closed_at, lines, gross_rial, fee_rial, net_rial, payouts) IN (0, 6)),
  CHECK (gross_rial = fee_rial + net_rial)
);
CREATE UNIQUE INDEX settlement_batch_open ON settlement_batch ((closed_at IS NULL)) WHERE closed_at IS NULL;
CREATE TABLE settlement_payout (
  payout_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL REFERENCES settlement_batch,
  merchant_id text NOT NULL REFERENCES merchant,
  iban text NOT NULL,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  UNIQUE (batch_id, merchant_id, iban)
);
CREATE INDEX settlement_payout_merchant ON settlement_payout (merchant_id, batch_id);
CREATE TABLE settlement_return (
  payout_id bigint PRIMARY KEY REFERENCES settlement_payout,
  merchant_id text NOT NULL REFERENCES merchant,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  told_by text NOT NULL CHECK (told_by ~ '^[a-z][a-z0-9.-]{1,31}$'),
  reason text NOT NULL CHECK (char_length(btrim(reason)) BETWEEN 5 AND 300),
  at timestamptz NOT NULL DEFAULT house_now()
);
COMMENT ON TABLE settlement_return IS 'a payout that the bank sent back: owed again, and paid with a later batch';
CREATE TABLE settlement_line (
  line_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  batch_id bigint NOT NULL REFERENCES settlement_batch,
  merchant_id text NOT NULL REFERENCES merchant,
  payment_id text REFERENCES payment,
  returned_payout bigint REFERENCES settlement_return,
  gross_rial bigint NOT NULL CHECK (gross_rial > 0),
  fee_rial bigint NOT NULL CHECK (fee_rial >= 0),
  net_rial bigint NOT NULL CHECK (net_rial >= 0),
  CONSTRAINT settlement_line_payment UNIQUE (payment_id),
  CONSTRAINT settlement_line_returned UNIQUE (returned_payout),
  CHECK (gross_rial = fee_rial + net_rial),
  CHECK (num_nonnulls(payment_id, returned_payout) = 1)
);
CREATE INDEX settlement_line_batch ON settlement_line (batch_id, merchant_id);
CREATE INDEX settlement_line_merchant ON settlement_line (merchant_id, batch_id, line_id);
COMMENT ON CONSTRAINT settlement_line_payment ON settlement_line IS 'a payment is paid out once, in one line (I13)';
CREATE INDEX payment_to_settle ON payment (merchant_id, confirmed_at, payment_id) WHERE state = 'confirmed';
ALTER TABLE posting ALTER COLUMN payment_id DROP NOT NULL, ALTER COLUMN attempt_id DROP NOT NULL,
  ADD COLUMN payout_id bigint REFERENCES settlement_payout,
  ADD CONSTRAINT posting_of CHECK ((payment_id IS NULL) = (attempt_id IS NULL)
    AND num_nonnulls(payment_id, payout_id) = 1);
CREATE INDEX posting_payout ON posting (payout_id) WHERE payout_id IS NOT NULL;
COMMENT ON COLUMN posting.payout_id IS 'a payout that came back or goes out again; all else is of a payment';
"""

CLOSED = """
CREATE FUNCTION settlement_batch_closed() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
  IF OLD.closed_at IS NOT NULL OR TG_OP = 'DELETE' THEN
    RAISE EXCEPTION 'a closed batch never changes (I13)' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $do$;
CREATE FUNCTION settlement_row_closed() RETURNS trigger LANGUAGE plpgsql AS $do$ BEGIN
  IF TG_OP = 'INSERT' THEN
    PERFORM FROM settlement_batch WHERE batch_id = NEW.batch_id AND closed_at IS NULL FOR SHARE;
    IF FOUND THEN RETURN NEW; END IF;
  END IF;
  RAISE EXCEPTION 'a closed batch never changes (I13)' USING ERRCODE = 'restrict_violation';
END $do$;
COMMENT ON FUNCTION settlement_row_closed IS 'waits for whoever closes the batch, then looks (D4)';
CREATE TRIGGER closed BEFORE UPDATE OR DELETE ON settlement_batch
  FOR EACH ROW EXECUTE FUNCTION settlement_batch_closed();
CREATE TRIGGER closed BEFORE INSERT OR UPDATE OR DELETE ON settlement_line
  FOR EACH ROW EXECUTE FUNCTION settlement_row_closed();
CREATE TRIGGER closed BEFORE INSERT OR UPDATE OR DELETE ON settlement_payout
  FOR EACH ROW EXECUTE FUNCTION settlement_row_closed();
"""

RIGHTS = """
GRANT INSERT ON approval_request, clearing_file, clearing_line, clearing_exception, merchant_iban, settlement_batch,
  settlement_payout, settlement_return, settlement_line TO {app};
GRANT UPDATE (lapsed_at, checker, approved_at, approved_digest) ON approval_request TO {app};
GRANT UPDATE (verdict) ON clearing_line TO {app};
GRANT UPDATE (resolved_at, settle) ON clearing_exception TO {app};
GRANT UPDATE (approved_by, approved_at, usable_from, removed_by, removed_at) ON merchant_iban TO {app};
GRANT UPDATE (closed_at, lines, gross_rial, fee_rial, net_rial, payouts) ON settlement_batch TO {app};
"""


def upgrade() -> None:
    execute(FOUR_EYES, CLEARING, SETTLEMENT, CLOSED, rights=RIGHTS)
