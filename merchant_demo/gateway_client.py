"""The merchant API of the gateway, as a shop sees it (``contracts/merchant/v1``): open, read, confirm."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import UUID

import requests
from requests.adapters import HTTPAdapter

from foundation.database import guard_no_transaction
from foundation.rial import Rial


class GatewayUnavailable(Exception):
    """The gateway did not answer, or not as its contract says; asking again under the same key is safe."""


class GatewayRefused(Exception):
    """The gateway answered no; ``code`` is the problem's code and ``status`` the HTTP status."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment as the merchant API tells it."""

    payment_id: str
    state: str
    amount: Rial
    order_id: str
    page_url: str | None
    rrn: str | None
    tracking_code: str | None
    masked_pan: str | None
    decided_by: dt.datetime | None


class GatewayClient:
    """Calls the gateway with the merchant's secret key over kept-alive connections."""

    def __init__(self, base_url: str, secret_key: str, *, timeout_seconds: float) -> None:
        self._base = f"{base_url.rstrip('/')}/api/v1/payments"
        self._timeout = timeout_seconds
        self._session = requests.Session()
        self._session.headers["Authorization"] = f"Bearer {secret_key}"
        self._session.trust_env = False
        self._session.mount("http", HTTPAdapter(pool_maxsize=16))

    def open_payment(self, *, key: UUID, body: dict[str, Any]) -> Payment:
        """Open a payment; the same ``key`` returns the same payment.

        Raises:
            GatewayUnavailable, GatewayRefused: nothing may be assumed after the first.
        """
        return self._call("POST", "", key=key, json=body)

    def payment(self, payment_id: str) -> Payment:
        """Read a payment.

        Raises:
            GatewayUnavailable, GatewayRefused: as above.
        """
        return self._call("GET", f"/{payment_id}")

    def confirm(self, payment_id: str, amount: Rial, *, key: UUID) -> Payment:
        """Say that the order will be delivered; only then is it paid.

        Raises:
            GatewayUnavailable, GatewayRefused: as above.
        """
        return self._call("POST", f"/{payment_id}/confirm", key=key, json={"amount": amount.amount})

    def close(self) -> None:
        """End the kept-alive connections."""
        self._session.close()

    def _call(self, method: str, path: str, *, key: UUID | None = None, json: dict[str, Any] | None = None) -> Payment:
        guard_no_transaction()
        headers = {"Idempotency-Key": str(key)} if key else {}
        try:
            answer = self._session.request(
                method, self._base + path, json=json, headers=headers, timeout=self._timeout, allow_redirects=False
            )
            body = answer.json()
        except (requests.RequestException, ValueError) as error:
            raise GatewayUnavailable(type(error).__name__) from None
        if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise GatewayUnavailable(f"status {answer.status_code}")
        if not answer.ok:
            raise GatewayRefused(answer.status_code, str(body.get("code", "")))
        return _payment(body)


def _payment(body: dict[str, Any]) -> Payment:
    try:
        card = body.get("card") or {}
        return Payment(
            payment_id=str(body["id"]),
            state=str(body["state"]),
            amount=Rial(body["amount"]),
            order_id=str(body["order_id"]),
            page_url=body.get("page_url"),
            rrn=body.get("rrn"),
            tracking_code=body.get("tracking_code"),
            masked_pan=card.get("masked_pan"),
            decided_by=_moment(body.get("decided_by")),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise GatewayUnavailable(f"unexpected answer: {type(error).__name__}") from None


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
