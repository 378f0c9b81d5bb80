"""One signed POST to a merchant (Standard Webhooks 1.0). Retries belong to the outbox."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
from collections.abc import Callable
from urllib.parse import urlsplit

import urllib3
from standardwebhooks import Webhook as Signature

from foundation.database import guard_no_transaction
from gateway.ports import Delivered, NotDelivered, Webhook

BODY_MAX_BYTES = 4_096
CONNECT_SECONDS_MAX = 3.0
CONNECTIONS_PER_MERCHANT = 4
"""As many as a worker has threads; more are closed after use."""

GONE = 410
SUCCESS = range(200, 300)
HTTPS_PORT = 443


class WebhookSender:
    """Implements :class:`gateway.ports.Callbacks`.

    Args:
        timeout_seconds: for the whole answer's first byte.
        public_only: refuse addresses that are not public, so that no merchant can point us at our own network, and
            plain http (D10).
        now: the time in the signature; the receiver refuses messages older than five minutes.
    """

    def __init__(self, *, timeout_seconds: float, public_only: bool, now: Callable[[], dt.datetime]) -> None:
        self._timeout = urllib3.Timeout(connect=min(timeout_seconds, CONNECT_SECONDS_MAX), read=timeout_seconds)
        self._public_only = public_only
        self._now = now
        self._pool = urllib3.PoolManager(maxsize=CONNECTIONS_PER_MERCHANT, retries=False)

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Send once: no redirects, a bounded answer, any 2xx is a yes."""
        guard_no_transaction()
        if self._public_only and not _is_public(webhook.url):
            return NotDelivered("address is not public")
        if self._public_only and urlsplit(webhook.url).scheme != "https":
            return NotDelivered("address is not https")
        try:
            status = self._post(webhook)
        except urllib3.exceptions.HTTPError as error:
            return NotDelivered(type(error).__name__)
        return Delivered() if status in SUCCESS else NotDelivered(f"status {status}", gone=status == GONE)

    def _post(self, webhook: Webhook) -> int:
        now = self._now()
        signature = Signature(webhook.secret.reveal()).sign(webhook.event_id, now, webhook.body.decode())
        response = self._pool.request(
            "POST",
            webhook.url,
            body=webhook.body,
            headers={
                "Content-Type": "application/json",
                "User-Agent": "Pooya-Webhooks/1",
                "webhook-id": webhook.event_id,
                "webhook-timestamp": str(int(now.timestamp())),
                "webhook-signature": signature,
            },
            timeout=self._timeout,
            redirect=False,
            preload_content=False,
            decode_content=False,
        )
        response.read1(BODY_MAX_BYTES)
        response.close()
        return response.status


def _is_public(url: str) -> bool:
    parts = urlsplit(url)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port or HTTPS_PORT, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(address[4][0]).is_global for address in found)
