"""Money that comes in and moves inside the bank: credits under a daily sum, transfers, holders' names (D7, D28)."""

from foundation.migrations import execute

revision = "0016"
down_revision = "0015"

HOLDER = """
ALTER TABLE card ADD COLUMN holder_name_sealed bytea;
COMMENT ON COLUMN card.holder_name_sealed IS 'AES-GCM bound to card|holder|<card_name in hex>; leaves masked (D28)';
"""

MONEY = """
ALTER TABLE authorisation
  ADD COLUMN credited_card_id bigint REFERENCES card,
  ADD COLUMN credited_on date,
  ADD COLUMN reversal_refused boolean NOT NULL DEFAULT false,
  DROP CONSTRAINT authorisation_kind_check,
  DROP CONSTRAINT authorisation_check1,
  ADD CONSTRAINT authorisation_kind_check
    CHECK (kind IN ('purchase', 'transfer', 'credit', 'pin_check', 'tombstone')),
  ADD CONSTRAINT authorisation_approved CHECK (state <> 'approved' OR (action_code = '000' AND decided_at IS NOT NULL
    AND (card_id IS NOT NULL OR credited_card_id IS NOT NULL))),
  ADD CONSTRAINT authorisation_credit CHECK (kind <> 'credit' OR (card_id IS NULL AND fee_rial = 0
    AND (state NOT IN ('approved', 'reversed') OR credited_on IS NOT NULL))),
  ADD CONSTRAINT authorisation_two_cards CHECK (card_id <> credited_card_id);
CREATE INDEX authorisation_credited ON authorisation (credited_card_id, created_at) WHERE credited_card_id IS NOT NULL;
COMMENT ON COLUMN authorisation.kind IS
  'purchase; transfer: a card pays another; credit: money comes in; pin_check: a PIN alone; tombstone';
COMMENT ON COLUMN authorisation.card_id IS 'the card that pays; none of a credit';
COMMENT ON COLUMN authorisation.credited_card_id IS 'the card that gets amount_rial - fee_rial';
COMMENT ON COLUMN authorisation.credited_on IS 'the day in Tehran on whose sum of its acquirer a credit counts (D7)';
COMMENT ON COLUMN authorisation.reversal_refused IS 'its money was gone when it should be taken back: it stands';
CREATE TABLE credit_day (
  acquirer_id text NOT NULL,
  day date NOT NULL,
  credited_rial bigint NOT NULL CHECK (credited_rial >= 0),
  PRIMARY KEY (acquirer_id, day)
);
COMMENT ON TABLE credit_day IS 'what an acquirer gave to cards in a Tehran day, less what was taken back (D7, D20)';
"""

RIGHTS = "GRANT INSERT, UPDATE ON credit_day TO {app};"


def upgrade() -> None:
    execute(HOLDER, MONEY, rights=RIGHTS)
