"""Issuers' PIN services with memory: they answer what they are told to, and never inside a transaction."""

from __future__ import annotations

from collections import deque

from foundation.database import guard_no_transaction
from foundation.pan import Pan, with_check_digit
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.issuers import Issuer
from gateway.ports import Delivery, Kind, Order, PinAnswer, PinRequest, PinSent

REQUEST = PinRequest(
    request_id="0b9e1c9e-2f0a-4a53-9a3f-0d3b7c1f6a01",
    sequence=2,
    order=Order(
        Kind.PURCHASE, Rial(250_000), Rial(0), "581672", "000000000000001", "00000001", "کتاب سرا", "", "A" * 16
    ),
    pan=Pan.parse(with_check_digit("999002000000123")),
    cvv2=Sensitive("123"),
    expiry=Sensitive("0812"),
)
SENT = PinSent(code_length=6, expires_in_seconds=120, resend_in_seconds=60, mobile_last_two="67")


class FakeHarim:
    """Implements ``gateway.ports.Harim``; a request id comes once only."""

    def __init__(self) -> None:
        self.answers: deque[PinAnswer] = deque()
        self.asked: list[tuple[Issuer, PinRequest]] = []
        self.deliveries: deque[Delivery | None] = deque()
        self.followed: list[str] = []

    def will(self, *answers: PinAnswer) -> None:
        """Say what the next requests are answered; without a word a PIN is sent."""
        self.answers.extend(answers)

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Answer a request."""
        guard_no_transaction()
        assert request.request_id not in {known.request_id for _, known in self.asked}
        self.asked.append((issuer, request))
        return self.answers.popleft() if self.answers else SENT

    def delivery(self, issuer: Issuer, correlation_id: str) -> Delivery | None:
        """Tell the next state of a message; without a word, that it is on its way."""
        guard_no_transaction()
        assert issuer.issuer_id
        self.followed.append(correlation_id)
        return self.deliveries.popleft() if self.deliveries else Delivery.QUEUED

    def ping(self, issuer: Issuer) -> bool:
        """Answer always."""
        return bool(issuer.issuer_id)

    def speaks(self, dialect: str) -> bool:
        """Know the one wire of v1."""
        return dialect == "harim-v1-rest"
