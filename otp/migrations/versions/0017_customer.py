"""A customer is a row of its own: cards and apps hang on it, and its key changes while the bank serves (D23, D41)."""

from foundation.migrations import execute

revision = "0017"
down_revision = "0016"

CUSTOMER = """
CREATE TABLE customer (
  customer_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_token bytea NOT NULL UNIQUE CHECK (octet_length(customer_token) = 32),
  customer_token_key text,
  national_code_sealed bytea
);
COMMENT ON TABLE customer IS 'whose cards and apps they are; nothing but the opening of a card finds one by its hash';
COMMENT ON COLUMN customer.customer_token IS 'HMAC of the national code';
COMMENT ON COLUMN customer.customer_token_key IS 'id of the key of customer_token; NULL: from before ids were kept';
COMMENT ON COLUMN customer.national_code_sealed IS
  'AES-GCM bound to customer|code|<customer_id>, opened only to make the hash anew; NULL: from before codes were kept';
INSERT INTO customer (customer_token)
  SELECT customer_token FROM card WHERE customer_token IS NOT NULL UNION SELECT customer_token FROM device;
"""

BELONGING = """
ALTER TABLE card ADD COLUMN customer_id bigint REFERENCES customer;
UPDATE card SET customer_id = customer.customer_id FROM customer WHERE customer.customer_token = card.customer_token;
ALTER TABLE card DROP COLUMN customer_token;
CREATE INDEX card_of_customer ON card (customer_id) WHERE customer_id IS NOT NULL;
COMMENT ON COLUMN card.customer_id IS 'whose card it is; NULL where nobody is known, as with a gift card (D23)';
ALTER TABLE device ADD COLUMN customer_id bigint REFERENCES customer;
UPDATE device SET customer_id = customer.customer_id FROM customer
 WHERE customer.customer_token = device.customer_token;
ALTER TABLE device DROP COLUMN customer_token, ALTER COLUMN customer_id SET NOT NULL;
CREATE INDEX device_of_customer ON device (customer_id) WHERE state <> 'removed';
"""

RIGHTS = "GRANT INSERT, UPDATE ON customer TO {app};"


def upgrade() -> None:
    execute(CUSTOMER, BELONGING, rights=RIGHTS)
