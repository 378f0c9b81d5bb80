"""The interbank account: what the bank owes for transfers to other banks, less what it was owed for theirs (D7)."""

from foundation.migrations import execute

revision = "0018"
down_revision = "0017"

INTERBANK = """
INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
SELECT authorisation_id, 'interbank', 'acquirer:' || acquirer_id, 'interbank:' || acquirer_id, amount_rial - fee_rial
FROM authorisation
WHERE kind = 'transfer' AND credited_card_id IS NULL AND state = 'approved' AND amount_rial > fee_rial
UNION ALL
SELECT authorisation_id, 'interbank', 'interbank:' || acquirer_id, 'acquirer:' || acquirer_id, amount_rial
FROM authorisation AS credit
WHERE kind = 'credit' AND state = 'approved' AND NOT EXISTS (
  SELECT FROM authorisation AS paid WHERE paid.transaction_ref = credit.transaction_ref
    AND paid.acquirer_id = credit.acquirer_id AND paid.kind = 'purchase' AND paid.card_id = credit.credited_card_id);
COMMENT ON COLUMN posting.source IS
  'card:<id>, acquirer:<id>, or interbank:<acquirer>: owed to other banks for what cards sent through it (D7)';
"""


def upgrade() -> None:
    execute(INTERBANK, rights="")
