"""The second leg of a top-up: its operator delivers, under one reference until the answer is explicit (D7)."""

from __future__ import annotations

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from gateway.domain.outcome import Approved, AuthorisationAnswer, NotReversed, ReversalAnswer
from gateway.domain.top_up import Operator
from gateway.domain.transfer import Credit
from gateway.ports import TopUpRequest
from gateway.services.gateway import Gateway
from gateway.services.open_number import open_number
from gateway.services.recover import Again, NotYet
from gateway.services.second_leg import Leg, step
from gateway.store import top_ups as store
from gateway.store.top_ups import DeliveryRow


def deliver(gateway: Gateway, attempt_id: str) -> Again | NotYet | None:
    """Bring the delivery that an attempt owes one step on; its payment's id is the reference, in every repeat."""
    with gateway.database.single() as connection:
        row = store.read_delivery(connection, attempt_id)
    return None if row is None else step(row, _leg(gateway, row))


def _leg(gateway: Gateway, row: DeliveryRow) -> Leg:
    number = Sensitive(open_number(gateway, row.payment_id, row.mobile_sealed))
    request = TopUpRequest(row.payment_id, Operator(row.operator), number, Rial(row.amount_rial))

    def give() -> AuthorisationAnswer:
        return gateway.top_ups.deliver(request)

    def take_back() -> ReversalAnswer:
        return gateway.top_ups.cancel(request)

    def decide() -> bool:
        with gateway.database.single() as connection:
            return store.decide_cancellation(connection, row.payment_id)

    def given(before: Credit, action_code: str, answer: Approved | NotReversed) -> None:
        reference = answer.approval_code if isinstance(answer, Approved) else None
        with gateway.database.single() as connection:
            store.delivered(connection, row.payment_id, before, action_code=action_code, operator_reference=reference)
        gateway.ring()

    def not_given(before: Credit, after: Credit, action_code: str) -> None:
        with gateway.database.single() as connection:
            store.not_delivered(connection, row.payment_id, before, after, action_code=action_code)
        gateway.ring()

    return Leg(give, take_back, decide, given, not_given)
