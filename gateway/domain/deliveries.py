"""One message to a merchant, and what its server said: values of the way out (:class:`gateway.ports.Callbacks`)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.sensitive import Sensitive


@dataclass(frozen=True, slots=True)
class Webhook:
    """One message to a merchant, signed under each of its live secrets; ``event_id`` stays the same over retries."""

    event_id: str
    url: str
    secrets: tuple[Sensitive[str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Delivered:
    """The merchant's server answered 2xx."""

    status: int = 200


@dataclass(frozen=True, slots=True)
class NotDelivered:
    """It did not; ``why`` is for the log, ``status`` what it answered if it did, ``gone`` (410): do not try again."""

    why: str
    gone: bool = False
    status: int | None = None
