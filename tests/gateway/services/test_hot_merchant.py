"""A busy merchant's purchases never wait for each other (D32)."""

from concurrent.futures import ThreadPoolExecutor

from gateway.domain.payment import PaymentState
from gateway.services.authorise import Paid
from gateway.store import approvals, attempts
from tests.fakes.shop import Shop, card

WAIT_SECONDS = 8


def test_d32_no_row_of_the_merchant_is_locked_while_one_of_its_payments_is_recorded(shop: Shop) -> None:
    """D32: with one approval's transaction still open, another purchase of the same merchant is paid and confirmed."""
    slow, quick = shop.open(), shop.open()
    values = {"page_token": slow.page_token, "attempt_id": "att_slow", "attempts_max": 5, "issuer_id": "two"}
    values |= {
        "pan_sealed": b"x",
        "pan_masked": card().pan.masked,
        "pan_hash": b"x",
        "answer_within_seconds": 60,
        "promise_seconds": 60,
    }
    with shop.gateway.database.begin() as open_transaction:
        assert attempts.submit(open_transaction, values)
        approval = {"attempt_id": "att_slow", "approval_code": None, "capture_date": None, "in_time": True}
        assert approvals.approve(open_transaction, approval | {"tracking_code": "1" * 14, "card_token": "card_x"})
        with ThreadPoolExecutor(1) as other:
            assert other.submit(shop.pay, quick).result(WAIT_SECONDS) == Paid()
            assert other.submit(shop.confirm, quick).result(WAIT_SECONDS).first_time
    assert [shop.state(payment) for payment in (slow, quick)] == [PaymentState.AUTHORISED, PaymentState.CONFIRMED]
