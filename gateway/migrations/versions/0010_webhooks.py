"""Webhooks: endpoints as rows, events that are kept, deliveries that are their own queue, and a log of every try."""

from foundation.migrations import execute

revision = "0010"
down_revision = "0009"

ENDPOINTS = """
CREATE TABLE webhook_endpoint (
  endpoint_id text PRIMARY KEY,
  merchant_id text NOT NULL REFERENCES merchant,
  url text NOT NULL CHECK (char_length(url) BETWEEN 1 AND 500),
  description text CHECK (char_length(description) <= 120),
  event_types text[] NOT NULL DEFAULT '{}',
  secret_sealed bytea NOT NULL,
  previous_secret_sealed bytea,
  previous_until timestamptz,
  enabled boolean NOT NULL DEFAULT true,
  disabled_at timestamptz,
  disabled_why text CHECK (disabled_why IN ('asked', 'failing')),
  failures integer NOT NULL DEFAULT 0 CHECK (failures >= 0),
  failing_since timestamptz,
  recovered_at timestamptz,
  slow boolean NOT NULL DEFAULT false,
  created_at timestamptz NOT NULL DEFAULT house_now(),
  deleted_at timestamptz,
  CHECK ((previous_secret_sealed IS NULL) = (previous_until IS NULL)),
  CHECK (enabled = (disabled_at IS NULL)),
  CHECK ((disabled_at IS NULL) = (disabled_why IS NULL)),
  CHECK ((failures = 0) = (failing_since IS NULL))
);
CREATE UNIQUE INDEX webhook_endpoint_url ON webhook_endpoint (merchant_id, url) WHERE deleted_at IS NULL;
COMMENT ON COLUMN webhook_endpoint.event_types IS 'empty means all';
COMMENT ON COLUMN webhook_endpoint.slow IS 'the last answer failed or took long: served by threads of its own kind';
"""

EVENTS = """
CREATE TABLE webhook_event (
  event_id text PRIMARY KEY,
  number bigint GENERATED ALWAYS AS IDENTITY,
  merchant_id text NOT NULL,
  payment_id text REFERENCES payment,
  type text NOT NULL,
  facts jsonb NOT NULL,
  created_at timestamptz NOT NULL DEFAULT house_now()
);
CREATE INDEX webhook_event_feed ON webhook_event (merchant_id, number);
CREATE INDEX webhook_event_age ON webhook_event (created_at);
COMMENT ON COLUMN webhook_event.facts IS 'the payment, or what a notice is about, as it was at that moment';
COMMENT ON COLUMN webhook_event.number IS 'order of the feed; within one payment the order in which it happened';
CREATE TABLE webhook_delivery (
  endpoint_id text NOT NULL,
  event_id text NOT NULL REFERENCES webhook_event,
  number bigint NOT NULL,
  payment_id text NOT NULL,
  state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'dead')),
  tries integer NOT NULL DEFAULT 0,
  fence integer NOT NULL DEFAULT 0,
  due_at timestamptz NOT NULL DEFAULT house_now(),
  leased_until timestamptz,
  give_up_at timestamptz NOT NULL DEFAULT house_now() + interval '3 days',
  tried_at timestamptz,
  delivered_at timestamptz,
  last_error text,
  PRIMARY KEY (event_id, endpoint_id)
);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at) WHERE state = 'waiting';
CREATE INDEX webhook_delivery_line ON webhook_delivery (endpoint_id, payment_id, number) WHERE state = 'waiting';
COMMENT ON TABLE webhook_delivery IS
  'no key to webhook_endpoint: endpoints are never deleted, and a payment does not lock its merchant''s endpoints';
CREATE TABLE webhook_attempt (
  event_id text NOT NULL,
  endpoint_id text NOT NULL,
  number integer NOT NULL,
  at timestamptz NOT NULL DEFAULT house_now(),
  duration_ms integer NOT NULL CHECK (duration_ms >= 0),
  status integer,
  error text,
  PRIMARY KEY (event_id, endpoint_id, number),
  FOREIGN KEY (event_id, endpoint_id) REFERENCES webhook_delivery (event_id, endpoint_id)
);
COMMENT ON TABLE webhook_attempt IS 'what an endpoint answered; never a body or a header of it';
"""

MOVE = """
INSERT INTO webhook_endpoint (endpoint_id, merchant_id, url, secret_sealed)
  SELECT 'whe_' || merchant_id, merchant_id, webhook_url, webhook_secret_sealed FROM merchant
  WHERE webhook_url IS NOT NULL;
INSERT INTO webhook_event (event_id, merchant_id, payment_id, type, facts, created_at)
  SELECT 'evt_' || job.id, p.merchant_id, p.payment_id, job.payload->>'type',
    (to_jsonb(p) - 'mobile' - 'reference') || jsonb_build_object('state', job.payload->>'state'),
    CAST(job.payload->>'at' AS timestamptz)
  FROM outbox AS job JOIN payment AS p ON p.payment_id = job.payload->>'payment_id'
  WHERE job.topic = 'webhook' AND job.done_at IS NULL ORDER BY job.id;
INSERT INTO webhook_delivery (endpoint_id, event_id, number, payment_id, state, last_error)
  SELECT endpoint.endpoint_id, event.event_id, event.number, event.payment_id,
    CASE WHEN job.dead_at IS NULL THEN 'waiting' ELSE 'dead' END, job.last_error
  FROM webhook_event AS event JOIN webhook_endpoint AS endpoint USING (merchant_id)
  JOIN outbox AS job ON event.event_id = 'evt_' || job.id;
DELETE FROM outbox WHERE topic = 'webhook';
ALTER TABLE merchant DROP COLUMN webhook_url, DROP COLUMN webhook_secret_sealed;
ALTER TABLE merchant RENAME webhook_since TO feed_since;
UPDATE merchant SET feed_since = house_now();
ALTER TABLE merchant ALTER feed_since SET DEFAULT house_now(), ALTER feed_since SET NOT NULL;
COMMENT ON COLUMN merchant.feed_since IS 'from then on every change a webhook tells of is in the merchant''s feed';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON webhook_endpoint, webhook_delivery TO {app};
GRANT INSERT ON webhook_event, webhook_attempt TO {app};
GRANT DELETE ON webhook_event, webhook_delivery, webhook_attempt TO {app};
"""


def upgrade() -> None:
    execute(ENDPOINTS, EVENTS, MOVE, rights=RIGHTS)
