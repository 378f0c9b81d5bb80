"""Where your server hears: endpoints with their secrets, how events fare there, and telling again."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import quote

from pooya.answers import asked, items, pages, thing
from pooya.models import Event
from pooya.reading import maybe_moment, maybe_whole, moment, text, whole
from pooya.transport import Transport


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of yours.

    Args:
        event_types: what it hears; none means all.
        disabled_why: ``asked``, or ``failing`` after days without one success.
        failures: tries in a row that failed.
        previous_secret_until: until then messages carry the old secret's signature too.
        secret: ``whsec_…``, only after it was added or rotated; keep it.
    """

    id: str
    url: str
    enabled: bool
    event_types: tuple[str, ...]
    description: str | None
    disabled_why: str | None
    disabled_at: dt.datetime | None
    failures: int
    failing_since: dt.datetime | None
    previous_secret_until: dt.datetime | None
    created_at: dt.datetime
    secret: str | None = field(default=None, repr=False)

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read an endpoint; raises :class:`ValueError` for what is none."""
        return cls(
            id=text(body, "id"),
            url=text(body, "url"),
            enabled=body.get("enabled") is True,
            event_types=tuple(map(str, body.get("event_types") or ())),
            description=body.get("description"),
            disabled_why=body.get("disabled_why"),
            disabled_at=maybe_moment(body, "disabled_at"),
            failures=whole(body, "failures"),
            failing_since=maybe_moment(body, "failing_since"),
            previous_secret_until=maybe_moment(body, "previous_secret_until"),
            created_at=moment(body, "created_at"),
            secret=body.get("secret"),
        )


@dataclass(frozen=True, slots=True)
class Try:
    """One try to deliver an event: when, how long, what your server answered, or why it was no delivery."""

    at: dt.datetime
    duration_ms: int
    status: int | None
    error: str | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a try; raises :class:`ValueError` for what is none."""
        return cls(moment(body, "at"), whole(body, "duration_ms"), maybe_whole(body, "status"), body.get("error"))


@dataclass(frozen=True, slots=True)
class Delivery:
    """How an event fares at one endpoint: ``waiting``, ``delivered``, or ``dead`` (given up after three days)."""

    endpoint_id: str
    state: str
    tries: int
    next_try_at: dt.datetime | None
    delivered_at: dt.datetime | None
    last_error: str | None
    attempts: tuple[Try, ...]

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read a delivery; raises :class:`ValueError` for what is none."""
        return cls(
            endpoint_id=text(body, "endpoint_id"),
            state=text(body, "state"),
            tries=whole(body, "tries"),
            next_try_at=maybe_moment(body, "next_try_at"),
            delivered_at=maybe_moment(body, "delivered_at"),
            last_error=body.get("last_error"),
            attempts=tuple(map(Try.of, body.get("attempts") or ())),
        )


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How much was queued to be sent again; with ten thousand, go on from ``until``."""

    queued: int
    until: dt.datetime | None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Self:
        """Read the answer; raises :class:`ValueError` for what is none."""
        return cls(whole(body, "queued"), maybe_moment(body, "until"))


class Endpoints:
    """Your webhook endpoints, at most sixteen; ``Client.endpoints``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self) -> Sequence[Endpoint]:
        """Return every endpoint, oldest first."""
        return items(Endpoint.of, self._transport.get("/webhook_endpoints"))

    def add(
        self,
        url: str,
        *,
        event_types: Iterable[str] = (),
        description: str | None = None,
        idempotency_key: str | None = None,
    ) -> Endpoint:
        """Add an endpoint; the answer has its ``secret``, and a repeat under the same key has it again.

        Args:
            url: https, on the public internet.
            event_types: what it hears; none means all.
            description: for your own eyes, at most 120 characters.
            idempotency_key: as for payments.

        Raises:
            InvalidRequest: a value is outside its rules.
            DuplicateEndpoint, TooManyEndpoints: you have one with this address; you have sixteen.
        """
        body: dict[str, Any] = {"url": url, "event_types": list(event_types)}
        body |= {} if description is None else {"description": description}
        return self._post("", body, idempotency_key)

    def get(self, endpoint_id: str) -> Endpoint:
        """Read an endpoint; raises :class:`pooya.NotFound` if you have none with this id."""
        return thing(Endpoint.of, self._transport.get(_path(endpoint_id)))

    def change(
        self,
        endpoint_id: str,
        *,
        url: str | None = None,
        event_types: Iterable[str] | None = None,
        description: str | None = None,
        enabled: bool | None = None,
    ) -> Endpoint:
        """Change what is given; enabled again, an endpoint hears within a minute what waited for it.

        Raises:
            NotFound, InvalidRequest, DuplicateEndpoint: as when it is read and added.
        """
        types = None if event_types is None else list(event_types)
        wish = {"url": url, "event_types": types, "description": description, "enabled": enabled}
        body = {name: value for name, value in wish.items() if value is not None}
        return thing(Endpoint.of, self._transport.patch(_path(endpoint_id), body))

    def remove(self, endpoint_id: str) -> None:
        """Remove an endpoint with what waits for it; raises :class:`pooya.NotFound` if you have none with this id."""
        self._transport.delete(_path(endpoint_id))

    def rotate(
        self, endpoint_id: str, *, overlap_seconds: int | None = None, idempotency_key: str | None = None
    ) -> Endpoint:
        """Give an endpoint a new ``secret``; for a day, or the overlap given, messages carry both signatures.

        Raises:
            NotFound: you have none with this id.
            RotationRunning: the last overlap is running; an overlap of 0 ends every older secret at once.
        """
        body = {} if overlap_seconds is None else {"overlap_seconds": overlap_seconds}
        return self._post(f"/{quote(endpoint_id, safe='')}/rotate", body, idempotency_key)

    def redeliver(self, endpoint_id: str, *, since: dt.datetime, idempotency_key: str | None = None) -> Redelivered:
        """Have everything since a time, which has a zone, sent to an endpoint again, oldest first.

        Raises:
            NotFound: you have none with this id.
        """
        key = idempotency_key or str(uuid.uuid4())
        answer = self._transport.post(f"{_path(endpoint_id)}/redeliver", {"since": since.isoformat()}, key=key)
        return thing(Redelivered.of, answer, key=key)

    def _post(self, path: str, body: Mapping[str, Any], key: str | None) -> Endpoint:
        key = key or str(uuid.uuid4())
        return thing(Endpoint.of, self._transport.post(f"/webhook_endpoints{path}", body, key=key), key=key)


class Events:
    """Everything that happened to your payments, told or not, for thirty days; ``Client.events``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(
        self,
        *,
        type: str | None = None,  # noqa: A002 - the contract's name of the parameter
        payment_id: str | None = None,
        since: dt.datetime | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> Iterator[Event]:
        """Go over the feed in its order, page by page; ``cursor`` is the id of the last event that you read here.

        What you keep the last event of, and go on from there, misses nothing.

        Raises:
            InvalidRequest, NotFound: a value is outside its rules; ``cursor`` is no event.
        """
        wanted = {"type": type, "payment_id": payment_id, "since": since, "limit": limit, "cursor": cursor}
        query = {name: asked(value) for name, value in wanted.items() if value is not None}
        return pages(lambda page: self._transport.get("/events", page), Event.of, query)

    def get(self, event_id: str) -> Event:
        """Read an event; raises :class:`pooya.NotFound` if there is none, or it is too old."""
        return thing(Event.of, self._transport.get(_event_path(event_id)))

    def deliveries(self, event_id: str) -> Sequence[Delivery]:
        """Return how an event fares at each endpoint, with its newest tries; raises :class:`pooya.NotFound`."""
        return items(Delivery.of, self._transport.get(f"{_event_path(event_id)}/deliveries"))

    def redeliver(
        self, event_id: str, *, endpoint_id: str | None = None, idempotency_key: str | None = None
    ) -> Redelivered:
        """Have an event sent again, to one endpoint or to all that hear its type; raises :class:`pooya.NotFound`."""
        key, body = idempotency_key or str(uuid.uuid4()), {} if endpoint_id is None else {"endpoint_id": endpoint_id}
        return thing(Redelivered.of, self._transport.post(f"{_event_path(event_id)}/redeliver", body, key=key), key=key)


def _path(endpoint_id: str) -> str:
    return f"/webhook_endpoints/{quote(endpoint_id, safe='')}"


def _event_path(event_id: str) -> str:
    return f"/events/{quote(event_id, safe='')}"
