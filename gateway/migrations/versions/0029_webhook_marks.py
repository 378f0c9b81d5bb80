"""Webhooks: the number up to which the feed is whole, and from when on a secret signs a biller's no (D12)."""

from foundation.migrations import execute

revision = "0029"
down_revision = "0028"

FEED = """
CREATE TABLE webhook_feed (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  whole bigint NOT NULL DEFAULT 0,
  mark bigint NOT NULL DEFAULT 0,
  writers text[] NOT NULL DEFAULT '{}',
  CHECK (whole <= mark)
);
COMMENT ON COLUMN webhook_feed.whole IS 'no event comes in up to this number any more; the feed is shown up to it';
COMMENT ON COLUMN webhook_feed.writers IS
  'who was writing events when the mark was set: a number up to the mark may still be theirs, so they end first';
"""

SECRETS = """
ALTER TABLE webhook_endpoint ADD COLUMN refuses_from timestamptz NOT NULL DEFAULT house_now(),
  ADD COLUMN previous_refuses_from timestamptz;
UPDATE webhook_endpoint SET previous_refuses_from = refuses_from WHERE previous_until IS NOT NULL;
ALTER TABLE webhook_endpoint ADD CHECK ((previous_refuses_from IS NULL) = (previous_until IS NULL));
COMMENT ON COLUMN webhook_endpoint.refuses_from IS
  'from then on the secret signs refusals of bills: two days after an API key made it, at once where an operator did';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON webhook_feed TO {app};
GRANT SELECT ON SEQUENCE webhook_event_number_seq TO {app};
"""


def upgrade() -> None:
    execute(FEED, SECRETS, rights=RIGHTS)
