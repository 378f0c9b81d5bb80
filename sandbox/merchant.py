"""A merchant without a shop: calls the published API and nothing else; an unclear answer is asked for again by key."""

from __future__ import annotations

import secrets
import time
from http import HTTPStatus
from typing import Any

import requests

SECONDS = 30.0
TRIES = 8
PAUSE_SECONDS = 1.0
UNCLEAR = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.GATEWAY_TIMEOUT})


class Merchant:
    """Sells with the sandbox's own key.

    Args:
        info: what ``python -m sandbox info --json`` prints.
    """

    def __init__(self, info: dict[str, Any]) -> None:
        self._api = f"{info['gateway']}/api/v1/payments"
        self._shop = info["shop"]
        self._headers = {"Authorization": f"Bearer {info['merchant']['secret_key']}"}

    def open(self, amount: int, *, tries: int = TRIES) -> dict[str, Any]:
        """Open a payment of so many rials; returns it as the API shows it."""
        body = {"amount": amount, "order_id": f"m-{secrets.token_hex(6)}", "callback_url": f"{self._shop}/"}
        return self._call("POST", "", body, tries)

    def confirm(self, payment_id: str, amount: int) -> dict[str, Any]:
        """Confirm a payment."""
        return self._call("POST", f"/{payment_id}/confirm", {"amount": amount})

    def reverse(self, payment_id: str) -> dict[str, Any]:
        """Give the money back."""
        return self._call("POST", f"/{payment_id}/reverse")

    def refund(self, payment_id: str, amount: int) -> dict[str, Any]:
        """Give so many rials of a kept payment back."""
        body = {"refund_id": f"r-{secrets.token_hex(6)}", "amount": amount}
        return self._call("POST", f"/{payment_id}/refund", body)

    def show(self, payment_id: str) -> dict[str, Any]:
        """Return a payment."""
        return self._call("GET", f"/{payment_id}")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None, tries: int = TRIES) -> dict[str, Any]:
        headers = {**self._headers, "Idempotency-Key": secrets.token_hex(8)}
        for left in reversed(range(tries)):
            try:
                answer = requests.request(method, self._api + path, headers=headers, json=body, timeout=SECONDS)
                if answer.status_code not in UNCLEAR or not left:
                    answer.raise_for_status()
                    document: dict[str, Any] = answer.json()
                    return document
            except (requests.ConnectionError, requests.Timeout):
                if not left:
                    raise
            time.sleep(PAUSE_SECONDS)
        raise AssertionError("the last try returns or raises")
