"""Questions for a card's balance: payments of nothing but a fee; the balance itself is in no column."""

from foundation.migrations import execute

revision = "0023"
down_revision = "0022"

PAYMENT = """
ALTER TABLE payment DROP CONSTRAINT payment_kind, DROP CONSTRAINT payment_payee_key,
  DROP CONSTRAINT payment_amount_rial_check, DROP CONSTRAINT payment_refunded_whole,
  ADD CONSTRAINT payment_kind CHECK (kind IN ('PURCHASE', 'BILL_PAYMENT', 'CARD_TRANSFER', 'BALANCE_INQUIRY')),
  ADD CONSTRAINT payment_payee_key CHECK ((kind IN ('PURCHASE', 'BALANCE_INQUIRY')) = (payee_key = '')),
  ADD CONSTRAINT payment_amount CHECK (amount_rial >= 0 AND (amount_rial = 0) = (kind = 'BALANCE_INQUIRY')),
  ADD CONSTRAINT payment_refunded_whole
    CHECK ((state = 'refunded') = (amount_rial > 0 AND returned_rial = amount_rial));
ALTER TABLE attempt DROP CONSTRAINT attempt_amount_rial_check,
  ADD CONSTRAINT attempt_amount CHECK (amount_rial >= 0);
COMMENT ON COLUMN payment.amount_rial IS 'without the fee; zero where only a balance is asked for';
"""


def upgrade() -> None:
    execute(PAYMENT, rights="")
