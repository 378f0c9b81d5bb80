"""Nothing kept escapes the banks' files (I14); two people say that a payout came back, or another is owed (D35)."""

from foundation.migrations import execute

revision = "0028"
down_revision = "0027"

_DATE = """
UPDATE {table} SET capture_date = to_char({at} AT TIME ZONE 'Asia/Tehran', 'MMDD') WHERE {kept}
  AND coalesce(capture_date <> ALL (ARRAY(
    SELECT to_char(({at} AT TIME ZONE 'Asia/Tehran') + days * interval '1 day', 'MMDD')
    FROM generate_series(-2, 7) AS days)), true);
COMMENT ON COLUMN {table}.capture_date IS
  'MMDD: in the file of which day it is looked for; DE 17 where that can be, otherwise its own day in Tehran';
"""
DATES = "".join(
    _DATE.format(table=table, kept=kept, at=at)
    for table, kept, at in (
        ("attempt", "state IN ('approved', 'stood')", "submitted_at"),
        ("transfer", "credit = 'given'", "owed_at"),
        ("refund", "state = 'done'", "sent_at"),
    )
)

UNNAMED = """
CREATE INDEX attempt_rested_late ON attempt (decided_at)
  WHERE state IN ('approved', 'stood') AND decided_at - submitted_at > interval '5 minutes';
CREATE INDEX transfer_rested_late ON transfer (decided_at)
  WHERE credit = 'given' AND decided_at - owed_at > interval '5 minutes';
COMMENT ON COLUMN clearing_exception.file_id IS
  'by which it was found; of a day whose file never came, the newest file of that bank';
"""


FOUR_EYES = """
ALTER TABLE approval_request DROP CONSTRAINT approval_request_asks_check,
  ADD CONSTRAINT approval_request_asks_check CHECK (asks IN ('exception.resolve', 'iban.add', 'iban.remove',
    'payout.return', 'biller.move', 'operator.move'));
ALTER TABLE settlement_return ADD COLUMN approved_by bigint UNIQUE REFERENCES approval_request,
  ADD CONSTRAINT settlement_return_four_eyes CHECK (approved_by IS NOT NULL) NOT VALID;
COMMENT ON CONSTRAINT settlement_return_four_eyes ON settlement_return IS 'older ones are one person''s word';
ALTER TABLE biller ADD COLUMN moved_by bigint UNIQUE REFERENCES approval_request;
ALTER TABLE top_up_operator ADD COLUMN moved_by bigint UNIQUE REFERENCES approval_request;
CREATE FUNCTION owed_to_another() RETURNS trigger LANGUAGE plpgsql AS $do$
DECLARE
  row jsonb := to_jsonb(NEW);
  own text := coalesce('biller:' || (row ->> 'service') || (row ->> 'company'), 'operator:' || (row ->> 'operator'));
BEGIN
  IF NEW.merchant_id <> OLD.merchant_id AND NOT EXISTS (
    SELECT FROM approval_request WHERE request_id = NEW.moved_by AND approved_at IS NOT NULL AND subject = own
      AND facts ->> 'merchant' = NEW.merchant_id AND facts ->> 'was' = OLD.merchant_id) THEN
    RAISE EXCEPTION 'two people say that another is owed this (D35)' USING ERRCODE = 'restrict_violation';
  END IF;
  RETURN NEW;
END $do$;
CREATE TRIGGER four_eyes BEFORE UPDATE ON biller FOR EACH ROW EXECUTE FUNCTION owed_to_another();
CREATE TRIGGER four_eyes BEFORE UPDATE ON top_up_operator FOR EACH ROW EXECUTE FUNCTION owed_to_another();
"""

RIGHTS = """
REVOKE UPDATE ON biller, top_up_operator FROM {app};
GRANT UPDATE (merchant_id, active, moved_by) ON biller, top_up_operator TO {app};
"""


def upgrade() -> None:
    execute(DATES, UNNAMED, FOUR_EYES, rights=RIGHTS)
