"""When a provider took a code's message over is kept beside the moment of its receipt, which comes later."""

from foundation.migrations import execute

revision = "0020"
down_revision = "0019"

ACCEPTED = """
ALTER TABLE challenge ADD COLUMN accepted_at timestamptz;
COMMENT ON COLUMN challenge.accepted_at IS 'when its provider accepted the last message; none while it has not';
COMMENT ON COLUMN challenge.delivery_at IS 'when "delivery" was last told: of accepted, or of the receipt after it';
UPDATE challenge SET accepted_at = delivery_at
 WHERE delivery = 'accepted' AND expires_at > house_now() - interval '1 day';
"""


def upgrade() -> None:
    execute(ACCEPTED, rights="")
