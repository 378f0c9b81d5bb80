"""Webhooks: the number up to which the feed is whole, so that whoever follows it misses nothing."""

from foundation.migrations import execute

revision = "0030"
down_revision = "0026"

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

RIGHTS = """
GRANT INSERT, UPDATE ON webhook_feed TO {app};
GRANT SELECT ON SEQUENCE webhook_event_number_seq TO {app};
"""


def upgrade() -> None:
    execute(FEED, rights=RIGHTS)
