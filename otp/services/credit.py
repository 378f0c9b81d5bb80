"""Take a credit: money of a transfer, or of a purchase that is given back, goes to a card (D7).

Three statements and one commit: the key, the card's lock, the write with the day's sum of its acquirer (D4, D20).
"""

from __future__ import annotations

import hashlib
import json

from otp.domain.action_codes import CODES
from otp.domain.credit import REFUND, CreditFacts, refusal_of
from otp.domain.financial import Credit, HostAnswer
from otp.services.authorise import answer_again, approval_code
from otp.services.desk import Desk
from otp.store import authorisations
from otp.store.receivers import Gift, give, lock_cards

_CODES = json.dumps({str(reason): str(code) for reason, code in CODES.items()})


def take_credit(desk: Desk, credit: Credit) -> HostAnswer:
    """Decide a credit and answer it; sent again under the same key, give the first answer (D9)."""
    tokens = desk.card_tokens(credit.pan)
    hashes = [_request_hash(credit, token) for token in tokens]
    intent = authorisations.Intent(
        key=credit.key,
        request_hash=hashes[0],
        sent_at=credit.sent_at,
        amount_rial=credit.total.amount,
        fee_rial=0,
        transaction_ref=credit.transaction_ref,
        kind="credit",
    )
    with desk.database.begin() as connection:
        authorisation_id = authorisations.insert_purchase(connection, intent)
        if authorisation_id is None:
            return answer_again(connection, credit.key, hashes)
        receiver = next((held.receiver for held in lock_cards(connection, tokens).values()), None)
        facts = CreditFacts(
            processing_code=credit.processing_code,
            type_word=credit.type_word,
            total=credit.total,
            fee=credit.fee,
            day_max=credit.day_max,
            receiver=receiver,
        )
        gift = Gift(
            authorisation_id=authorisation_id,
            acquirer_id=credit.key.acquirer_id,
            card_id=None if receiver is None else receiver.card_id,
            amount_rial=credit.total.amount,
            day_max_rial=credit.day_max.amount,
            transaction_ref=credit.transaction_ref,
            refund=credit.processing_code == REFUND,
            refused=refusal_of(facts),
            approval_code=approval_code(authorisation_id),
        )
        return give(connection, gift, _CODES)


def _request_hash(credit: Credit, card_token: bytes) -> bytes:
    amounts = f"{credit.total.amount}|{credit.fee.amount}"
    names = (credit.merchant_id, credit.payee_name, credit.transaction_ref)
    parts = ("credit", card_token.hex(), credit.processing_code, amounts, *names)
    return hashlib.sha256("\x00".join(parts).encode()).digest()
