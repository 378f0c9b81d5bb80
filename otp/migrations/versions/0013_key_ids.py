"""Under which key a card is found and its PINs are kept: these keys change while the bank serves (D41)."""

from foundation.migrations import execute

revision = "0013"
down_revision = "0012"

KEY_IDS = """
ALTER TABLE card
  ADD COLUMN card_name bytea CHECK (octet_length(card_name) = 32),
  ADD COLUMN card_token_key text,
  ADD COLUMN mobile_token_key text,
  ADD COLUMN first_pin_key text,
  ADD COLUMN static_pin_key text;
COMMENT ON COLUMN card.card_name IS
  'what codes, PINs and sealed values of this card are bound to, whatever it is found by; NULL: its card_token';
COMMENT ON COLUMN card.card_token_key IS 'id of the key of card_token; NULL: from before ids were kept';
COMMENT ON COLUMN card.mobile_token_key IS 'as card_token_key, of mobile_token';
COMMENT ON COLUMN card.first_pin_key IS 'as card_token_key, of first_pin_mac';
COMMENT ON COLUMN card.static_pin_key IS 'as card_token_key, of static_second_pin_mac';
COMMENT ON COLUMN card.pan_sealed IS 'AES-GCM bound to card|pan|<card_name in hex>';
ALTER TABLE mobile_change ADD COLUMN mobile_token_key text;
COMMENT ON COLUMN mobile_change.mobile_token_key IS 'id of the key that mobile_token was made under';
"""


def upgrade() -> None:
    execute(KEY_IDS, rights="")
