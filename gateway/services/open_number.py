"""The number of a top-up: sealed until it is decided, opened for the operator and for its payer's own page."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.domain import purposes
from gateway.domain.top_up import NAMES, Operator
from gateway.ports import Kind
from gateway.services.gateway import Gateway
from gateway.store import top_ups


@dataclass(frozen=True, slots=True)
class ShownTopUp:
    """A top-up as its page shows it; the number is masked once it is decided, and the operator's reference is there."""

    name_fa: str
    name_en: str
    number: str
    operator_reference: str | None


def seal_number(gateway: Gateway, payment_id: str, number: str) -> bytes:
    """Seal a number; it opens for its own payment only."""
    return gateway.keyring.seal(purposes.ATTEMPT_PAN, number.encode(), bound_to=_place(payment_id))


def open_number(gateway: Gateway, payment_id: str, sealed: bytes) -> str:
    """Open the number of a top-up that is not decided yet."""
    return gateway.keyring.open(sealed, bound_to=_place(payment_id)).decode()


def shown_top_up(gateway: Gateway, kind: str, payment_id: str) -> ShownTopUp | None:
    """Return what the page of a payment shows of its top-up, if it is one."""
    if kind != Kind.TOP_UP:
        return None
    with gateway.database.single() as connection:
        line = top_ups.of_payment(connection, payment_id)
    sealed = line.mobile_sealed
    number = line.mobile_masked if sealed is None else open_number(gateway, payment_id, sealed)
    name_fa, name_en = NAMES[Operator(line.operator)]
    return ShownTopUp(name_fa, name_en, number, line.operator_reference)


def _place(payment_id: str) -> str:
    return f"top-up|mobile|{payment_id}"
