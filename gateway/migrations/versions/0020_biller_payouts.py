"""A bill's money is paid out to its biller: one line for each bill, in the biller's own statement (D11, D12, I13)."""

from foundation.migrations import execute

revision = "0020"
down_revision = "0019"

OWED = """
ALTER TABLE bill ADD COLUMN owed boolean NOT NULL DEFAULT false;
UPDATE bill SET owed = true FROM payment WHERE payment.payment_id = bill.payment_id
  AND payment.state IN ('confirmed', 'settled') AND NOT EXISTS (SELECT FROM refund
    WHERE refund.payment_id = bill.payment_id AND refund.bill = bill.number AND refund.state = 'done')
  AND NOT EXISTS (SELECT FROM settlement_line AS line
    WHERE line.payment_id = bill.payment_id AND line.merchant_id = bill.biller_id);
CREATE INDEX bill_owed ON bill (biller_id, payment_id, number) WHERE owed;
COMMENT ON COLUMN bill.owed IS
  'its biller is to be paid for it: from the debit until it stands in a batch, or its money is back on the card';
"""

LINE = """
ALTER TABLE settlement_line
  ADD COLUMN bill integer,
  ADD CONSTRAINT settlement_line_bill FOREIGN KEY (payment_id, bill) REFERENCES bill (payment_id, number),
  ADD CONSTRAINT settlement_line_of_payment CHECK (bill IS NULL OR payment_id IS NOT NULL),
  DROP CONSTRAINT settlement_line_payment,
  ADD CONSTRAINT settlement_line_payment UNIQUE NULLS NOT DISTINCT (payment_id, bill, returned_payout);
COMMENT ON COLUMN settlement_line.bill IS
  'which bill of the payment; NULL: the payment is a purchase, or of bills that its own merchant sent, from before';
COMMENT ON CONSTRAINT settlement_line_payment ON settlement_line IS
  'a payment, and each bill of one, is paid out once, in one line (I13)';
CREATE INDEX payment_bills_confirmed ON payment (payment_id) WHERE state = 'confirmed' AND kind = 'BILL_PAYMENT';
"""


def upgrade() -> None:
    execute(OWED, LINE, rights="")
