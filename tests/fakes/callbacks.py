"""Merchants' webhook addresses that remember what they got."""

from __future__ import annotations

from collections import deque

from foundation.database import guard_no_transaction
from gateway.ports import Delivered, NotDelivered, Webhook


class FakeCallbacks:
    """Implements ``gateway.ports.Callbacks``."""

    def __init__(self) -> None:
        self.answers: deque[Delivered | NotDelivered] = deque()
        self.sent: list[Webhook] = []

    def will(self, *answers: Delivered | NotDelivered) -> None:
        """Say what the next webhooks meet; without a word they are delivered."""
        self.answers.extend(answers)

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Take one."""
        guard_no_transaction()
        self.sent.append(webhook)
        return self.answers.popleft() if self.answers else Delivered()
