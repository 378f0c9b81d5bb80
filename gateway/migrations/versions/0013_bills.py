"""Bills: who sends them, which ones a payment is for, and that each is paid once (D12)."""

from foundation.migrations import execute

revision = "0013"
down_revision = "0012"

BILLS = """
CREATE TABLE biller (
  merchant_id text NOT NULL REFERENCES merchant,
  service integer NOT NULL CHECK (service BETWEEN 1 AND 9),
  company text NOT NULL CHECK (company ~ '^[0-9]{3}$'),
  active boolean NOT NULL DEFAULT true,
  PRIMARY KEY (service, company)
);
COMMENT ON TABLE biller IS 'which merchant is paid for the bills of a company; digits of the bill id say which';
CREATE TABLE bill (
  payment_id text NOT NULL REFERENCES payment,
  number integer NOT NULL CHECK (number BETWEEN 1 AND 10),
  bill_id text NOT NULL CHECK (bill_id ~ '^[1-9][0-9]{5,12}$'),
  pay_id text NOT NULL CHECK (pay_id ~ '^[1-9][0-9]{5,12}$'),
  biller_id text NOT NULL REFERENCES merchant,
  amount_rial bigint NOT NULL CHECK (amount_rial > 0),
  claimed boolean NOT NULL DEFAULT false,
  PRIMARY KEY (payment_id, number)
);
CREATE UNIQUE INDEX bill_claimed ON bill (bill_id, pay_id) WHERE claimed;
COMMENT ON INDEX bill_claimed IS 'one pair is paid once, whatever payment it is in (I15)';
COMMENT ON COLUMN bill.claimed IS
  'from the intent to pay until it is declined or given back; the numbers stand without zeros in front (D12)';
"""

RIGHTS = """
GRANT INSERT, UPDATE ON biller, bill TO {app};
"""


def upgrade() -> None:
    execute(BILLS, rights=RIGHTS)
