"""What a browser loads for a page: bytes over the wire by kind, headers included, and the addresses asked for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from playwright.sync_api import CDPSession


class Wire:
    """Counts what one page loads."""

    def __init__(self, session: CDPSession) -> None:
        self.kinds: Counter[str] = Counter()
        self.addresses: list[str] = []
        self._kind: dict[str, str] = {}
        session.send("Network.enable")
        session.on("Network.requestWillBeSent", self._sent)
        session.on("Network.loadingFinished", self._done)

    def _sent(self, event: dict[str, Any]) -> None:
        if not event["request"]["url"].startswith("data:"):
            self._kind[event["requestId"]] = event["type"]
            self.addresses.append(event["request"]["url"])

    def _done(self, event: dict[str, Any]) -> None:
        if event["requestId"] in self._kind:
            self.kinds[self._kind[event["requestId"]]] += int(event["encodedDataLength"])
