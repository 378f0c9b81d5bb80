"""The first tables: what customers ordered and what the gateway said about their payments."""

from foundation.migrations import execute

revision = "0001"
down_revision = None

ORDERS = """
CREATE TABLE shop_order (
  order_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  number text NOT NULL UNIQUE,
  page_key text NOT NULL UNIQUE,
  checkout_key text NOT NULL UNIQUE,
  language text NOT NULL CHECK (language IN ('fa', 'en')),
  recipient text NOT NULL CHECK (recipient <> ''),
  mobile text CHECK (mobile ~ '^09[0-9]{9}$'),
  total_rial bigint NOT NULL CHECK (total_rial > 0),
  state text NOT NULL DEFAULT 'placed'
    CHECK (state IN ('placed', 'awaiting', 'checking', 'paid', 'failed', 'mismatch')),
  open_key uuid NOT NULL DEFAULT gen_random_uuid(),
  confirm_key uuid NOT NULL DEFAULT gen_random_uuid(),
  payment_id text UNIQUE,
  page_url text,
  rrn text,
  tracking_code text,
  masked_pan text,
  created_at timestamptz NOT NULL DEFAULT now(),
  paid_at timestamptz,
  CHECK ((state = 'paid') = (paid_at IS NOT NULL)),
  CHECK (state = 'placed' OR payment_id IS NOT NULL)
);
COMMENT ON COLUMN shop_order.page_key IS 'unguessable part of the address of the order page; no cookie is needed';
COMMENT ON COLUMN shop_order.open_key IS 'Idempotency-Key of opening, kept so that a crash cannot open two payments';
CREATE INDEX shop_order_unfinished ON shop_order (order_id) WHERE state IN ('awaiting', 'checking');
CREATE TABLE order_line (
  order_id bigint NOT NULL REFERENCES shop_order,
  product_key text NOT NULL,
  quantity int NOT NULL CHECK (quantity > 0),
  price_rial bigint NOT NULL CHECK (price_rial > 0),
  PRIMARY KEY (order_id, product_key)
);
"""

RIGHTS = """
GRANT INSERT, UPDATE ON shop_order TO {app};
GRANT INSERT ON order_line TO {app};
"""


def upgrade() -> None:
    execute(ORDERS, rights=RIGHTS)
