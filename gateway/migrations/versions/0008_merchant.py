"""The merchant API whole: scopes and rotation of keys, and indexes behind every filter and page of the lists."""

from alembic import op

revision = "0008"
down_revision = "0007"

KEYS = """
ALTER TABLE api_key ADD COLUMN name text NOT NULL DEFAULT '' CHECK (char_length(name) <= 64);
ALTER TABLE api_key ADD COLUMN last_used_on date;
ALTER TABLE api_key ADD COLUMN replaces text REFERENCES api_key;
ALTER TABLE api_key ALTER COLUMN scopes DROP DEFAULT;
UPDATE api_key SET scopes = ARRAY['payments:read', 'payments:write', 'payments:confirm', 'payments:reverse',
  'webhooks:read', 'webhooks:write'];
ALTER TABLE api_key ADD CONSTRAINT api_key_scopes CHECK (cardinality(scopes) > 0 AND scopes <@ ARRAY['payments:read',
  'payments:write', 'payments:confirm', 'payments:reverse', 'webhooks:read', 'webhooks:write']);
CREATE INDEX api_key_terminal ON api_key (terminal_id);
COMMENT ON COLUMN api_key.last_used_on IS 'day in Tehran, written with the first use of a day only';
"""

LISTS = """
CREATE FUNCTION outside_state(state text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
  $$ SELECT CASE state WHEN 'paying' THEN 'open' WHEN 'disputed' THEN 'reversing' ELSE state END $$;
COMMENT ON FUNCTION outside_state IS 'the word merchants read; a test compares it with the table in the domain';
CREATE INDEX payment_listed ON payment (terminal_id, created_at, payment_id);
CREATE INDEX payment_by_state ON payment (terminal_id, outside_state(state), created_at, payment_id);
CREATE INDEX payment_by_amount ON payment (terminal_id, amount_rial, created_at, payment_id);
CREATE INDEX payment_by_order ON payment (terminal_id, order_id, created_at, payment_id);
CREATE INDEX payment_by_card ON payment (terminal_id, card_token, created_at, payment_id)
  WHERE card_token IS NOT NULL;
CREATE INDEX payment_by_rrn ON payment (terminal_id, rrn) WHERE rrn IS NOT NULL;
CREATE INDEX payment_to_confirm ON payment (terminal_id, authorised_at, payment_id) WHERE state = 'authorised';
CREATE INDEX idempotency_age ON idempotency (created_at);
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(KEYS)
    op.get_bind().exec_driver_sql(LISTS)
