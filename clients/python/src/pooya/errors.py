"""What can go wrong: no answer, or one of the gateway's problems by its code."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class PooyaError(Exception):
    """Every error of this package."""


class Unavailable(PooyaError):
    """The gateway did not answer, or not as its contract says: the call may or may not have been carried out.

    Args:
        why: for a log; holds no secret.
        idempotency_key: the key of the call that was lost. The same call under it is safe at any time.
    """

    def __init__(self, why: str, *, idempotency_key: str | None = None) -> None:
        super().__init__(why)
        self.idempotency_key = idempotency_key


class WebhookRefused(PooyaError):
    """The message is not from the gateway, was changed, or is too old; answer 401 and do nothing."""


class Refused(PooyaError):
    """The gateway answered no; ``code`` is stable, ``problem`` is all it said (RFC 9457)."""

    def __init__(self, status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> None:
        self.status = status
        self.problem = dict(problem)
        self.code = str(problem.get("code", ""))
        self.detail = str(problem.get("detail", ""))
        self.retry_after = retry_after
        super().__init__(f"{status} {self.code}: {self.detail}")


class InvalidRequest(Refused):
    """A value is outside its rules; ``errors`` names the places where it says them."""

    @property
    def errors(self) -> list[dict[str, Any]]:
        """Return the places that are wrong."""
        found = self.problem.get("errors")
        return list(found) if isinstance(found, list) else []


class NotAllowed(Refused):
    """The key is missing, unknown, ended, of the other mode, or may not do this."""


class NotFound(Refused):
    """There is no such thing, or it is not yours."""


class NotPossible(Refused):
    """The payment's state forbids it."""

    @property
    def state(self) -> str | None:
        """Return how the payment stands, where the gateway says it."""
        found = self.problem.get("state")
        return found if isinstance(found, str) else None


class AmountMismatch(Refused):
    """The amount is not the payment's; nothing was changed. Do not deliver."""


class DuplicateOrder(Refused):
    """The order has a live payment."""

    @property
    def payment_id(self) -> str | None:
        """Return that payment's id."""
        found = self.problem.get("payment_id")
        return found if isinstance(found, str) else None


class BillAlreadyPaid(Refused):
    """Somebody paid one of the bills before, or is paying it now; nothing was opened."""


class RefundRefused(Refused):
    """The refund is more than what is left or than you are owed, one too many, or its id stands for another one."""


class DuplicateEndpoint(Refused):
    """You have an endpoint with this address."""


class TooManyEndpoints(Refused):
    """You have as many endpoints as there may be."""


class RotationRunning(Refused):
    """The last rotation's overlap is running; wait, or end it with an overlap of 0."""


class IdempotencyMismatch(Refused):
    """The idempotency key was used for another request."""


class RequestInProgress(Refused):
    """The same request is being carried out at this moment; repeat it after ``retry_after`` seconds."""


class TooManyCalls(Refused):
    """Wait ``retry_after`` seconds."""


BY_CODE: dict[str, type[Refused]] = {
    "malformed": InvalidRequest,
    "unsupported_media_type": InvalidRequest,
    "body_too_large": InvalidRequest,
    "invalid_amount": InvalidRequest,
    "invalid_order_id": InvalidRequest,
    "invalid_callback": InvalidRequest,
    "invalid_text": InvalidRequest,
    "invalid_bill": InvalidRequest,
    "invalid_bills": InvalidRequest,
    "unknown_biller": InvalidRequest,
    "invalid_top_up": InvalidRequest,
    "operator_not_offered": InvalidRequest,
    "transfer_limit": InvalidRequest,
    "destination_not_found": NotFound,
    "bill_already_paid": BillAlreadyPaid,
    "bill_not_found": NotFound,
    "refusal_not_signed": NotAllowed,
    "invalid_cursor": InvalidRequest,
    "invalid_endpoint": InvalidRequest,
    "unauthenticated": NotAllowed,
    "key_of_other_mode": NotAllowed,
    "scope_missing": NotAllowed,
    "payment_not_found": NotFound,
    "order_not_found": NotFound,
    "endpoint_not_found": NotFound,
    "event_not_found": NotFound,
    "settlement_not_found": NotFound,
    "not_found": NotFound,
    "not_possible": NotPossible,
    "attempt_in_progress": NotPossible,
    "reversal_window_over": NotPossible,
    "refunds_exist": NotPossible,
    "refund_window_over": NotPossible,
    "refund_not_offered": NotPossible,
    "refund_above_rest": RefundRefused,
    "refund_id_taken": RefundRefused,
    "payable_too_low": RefundRefused,
    "too_many_refunds": RefundRefused,
    "amount_mismatch": AmountMismatch,
    "duplicate_order": DuplicateOrder,
    "duplicate_endpoint": DuplicateEndpoint,
    "too_many_endpoints": TooManyEndpoints,
    "rotation_running": RotationRunning,
    "idempotency_mismatch": IdempotencyMismatch,
    "request_in_progress": RequestInProgress,
    "too_many_calls": TooManyCalls,
}
"""Problem code → class; a code of a later version is a plain :class:`Refused`."""


def refusal(status: int, problem: Mapping[str, Any], *, retry_after: float | None = None) -> Refused:
    """Make the error of a problem."""
    kind = BY_CODE.get(str(problem.get("code", "")), Refused)
    return kind(status, problem, retry_after=retry_after)
