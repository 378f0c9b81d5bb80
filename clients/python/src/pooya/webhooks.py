"""Webhooks of the gateway: signed as Standard Webhooks 1.0 says (https://www.standardwebhooks.com)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from typing import Any

from pooya.errors import WebhookRefused
from pooya.models import Event

TOLERANCE_SECONDS = 300
"""How far the sender's clock may be from ours; older messages are refused as replays."""
SIGNATURES_MAX = 16
STAMP_MAX = 20
"""Digits of a time, at most; thousands of them would be no number to Python."""
_PREFIX = "whsec_"
_VERSION = "v1"


def verify_webhook(
    body: bytes, headers: Mapping[str, str], *secrets: str, now: float | None = None, tolerance: int = TOLERANCE_SECONDS
) -> Event:
    """Return the event, if one of ``secrets`` signed exactly this message not long ago.

    Args:
        body: the bytes as they came, before any parsing.
        headers: of the request, in any case.
        secrets: ``whsec_…``; two while a secret is being rotated.
        now: seconds since 1970; the machine's clock by default.
        tolerance: seconds that the message's time may be away from ``now``.

    Raises:
        WebhookRefused: unsigned, altered, of another secret, too old or too new, or not an event.
    """
    given = {name.lower(): value for name, value in headers.items()}
    message_id, stamp = given.get("webhook-id", ""), given.get("webhook-timestamp", "")
    if not (stamp.isascii() and stamp.isdigit() and len(stamp) <= STAMP_MAX) or not message_id:
        raise WebhookRefused("the headers of a signed message are missing")
    if abs((time.time() if now is None else now) - int(stamp)) > tolerance:
        raise WebhookRefused("the message is too old or too new")
    offered = given.get("webhook-signature", "").split(" ")[:SIGNATURES_MAX]
    wanted = [sign_webhook(secret, message_id, stamp, body) for secret in secrets]
    if not any(hmac.compare_digest(one.encode(), other.encode()) for one in offered for other in wanted):
        raise WebhookRefused("no signature matches")
    return _event(message_id, body)


def sign_webhook(secret: str, message_id: str, timestamp: str, body: bytes) -> str:
    """Return one signature, ``v1,`` and base64: for tests of a receiver.

    Raises:
        WebhookRefused: the secret is not one.
    """
    return _signature(secret, b".".join((message_id.encode(), timestamp.encode(), body)))


def sign_refusal(secret: str, tracking_code: str, bill_id: str, pay_id: str) -> str:
    """Return a biller's signature under its no to a bill that was paid; the three as ``bill.paid`` told them.

    Raises:
        WebhookRefused: the secret is not one.
    """
    return _signature(secret, f"bill.refused.{tracking_code}.{bill_id}.{pay_id}".encode())


def _signature(secret: str, signed: bytes) -> str:
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise WebhookRefused("the secret is not base64") from None
    if not key:
        raise WebhookRefused("the secret is empty")
    return f"{_VERSION}," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


def _event(message_id: str, body: bytes) -> Event:
    try:
        content: Any = json.loads(body)
        event = Event.of(content)
    except (ValueError, AttributeError):
        raise WebhookRefused("the message is not an event") from None
    if event.id != message_id:
        raise WebhookRefused("the message is another event's")
    return event
