"""A biller's no: one refund of just that bill, and the bill is free again when its money is back (D12)."""

from foundation.migrations import execute

revision = "0019"
down_revision = "0018"

REFUND = """
ALTER TABLE refund
  ADD COLUMN bill integer,
  ADD COLUMN signed text,
  ADD CONSTRAINT refund_bill FOREIGN KEY (payment_id, bill) REFERENCES bill (payment_id, number),
  DROP CONSTRAINT refund_refund_id_check,
  ADD CONSTRAINT refund_named CHECK (CASE WHEN bill IS NULL THEN refund_id ~ '^[A-Za-z0-9._-]{1,64}$'
    ELSE refund_id = 'bill:' || payment_id || ':' || bill END),
  ADD CONSTRAINT refund_signed CHECK ((bill IS NULL) = (signed IS NULL));
COMMENT ON COLUMN refund.bill IS
  'which bill of the payment its biller refused; its id follows from both, so that there is one for ever';
COMMENT ON COLUMN refund.signed IS 'the biller''s signature under its no';
COMMENT ON COLUMN refund.merchant_id IS 'who gives the money back: the payment''s merchant, of a bill its biller';
COMMENT ON COLUMN bill.claimed IS
  'from the intent to pay until it is declined, given back or, after its biller''s no, refunded; the numbers stand
without zeros in front (D12)';
"""


def upgrade() -> None:
    execute(REFUND, rights="")
