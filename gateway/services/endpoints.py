"""A merchant says where it wants to hear, changes its secrets, and asks to be told again."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from foundation.sensitive import Sensitive
from gateway.domain import purposes
from gateway.domain import webhooks as rules
from gateway.domain.bill_refusal import SECRET_HOLD_HOURS
from gateway.domain.errors import (
    DuplicateEndpoint,
    EndpointNotFound,
    EventNotFound,
    IdempotencyMismatch,
    RefusedRow,
    RequestInProgress,
    RotationRunning,
    TooManyEndpoints,
)
from gateway.services.gateway import Gateway
from gateway.services.idempotency import IN_PROGRESS, Asked, first_answer, kept_under
from gateway.store import endpoints, events
from gateway.store.endpoints import AddressTaken, NoMerchant
from gateway.store.endpoints import Endpoint as Endpoint
from gateway.store.events import Choice as Choice
from gateway.store.events import Log as Log
from gateway.store.events import Redelivered as Redelivered
from gateway.store.idempotency import Busy, KeyTaken, conflicts
from gateway.store.webhooks import Event as Event

PAGE_MOST = 100
PAGE_USUAL = 25
ATTEMPTS_SHOWN = 25

Done = TypeVar("Done")


def secret_place(merchant_id: str) -> str:
    """Return the one place where a merchant's webhook secrets open."""
    return f"merchant|webhook|{merchant_id}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a merchant wants of an endpoint; ``None`` leaves it as it is, no ``event_types`` means all."""

    url: str | None = None
    description: str | None = None
    event_types: tuple[str, ...] | None = None
    enabled: bool | None = None


@dataclass(frozen=True, slots=True)
class WithSecret:
    """An endpoint with its new secret: seen now, and by whoever repeats the same request under the same key."""

    endpoint: Endpoint
    secret: str


def add_endpoint(gateway: Gateway, merchant_id: str, url: str, wish: Wish, *, asked: Asked | None = None) -> WithSecret:
    """Add an endpoint and make its secret; a request that comes again gets the same.

    Raises:
        InvalidEndpoint: its address or a type is outside the rules.
        DuplicateEndpoint: the merchant has one with this address.
        TooManyEndpoints: it has sixteen.
        IdempotencyMismatch, RequestInProgress: the key is another request's; another request is being carried out.
        RefusedRow: there is no such merchant, told to an operator.
    """
    secret = _new_secret()
    values = {
        "endpoint_id": rules.new_endpoint_id(),
        "merchant_id": merchant_id,
        "url": rules.check_url(url, https_only=_https_only(gateway)),
        "description": wish.description,
        "event_types": list(rules.check_event_types(wish.event_types or ())),
        "secret_sealed": sealed(gateway, merchant_id, secret),
        "hold_hours": _hold_hours(asked),
    }

    def add(connection: Connection, kept: dict[str, object]) -> WithSecret:
        if endpoints.count(connection, merchant_id) >= rules.ENDPOINTS_MAX:
            raise TooManyEndpoints(f"a merchant has at most {rules.ENDPOINTS_MAX} endpoints")
        return WithSecret(endpoints.add(connection, values | kept), secret)

    try:
        return _once(gateway, merchant_id, asked, add, lambda answer: _shown_again(gateway, merchant_id, answer))
    except AddressTaken:
        raise DuplicateEndpoint("you have an endpoint with this address") from None
    except NoMerchant:
        raise RefusedRow(f"there is no merchant {merchant_id}") from None


def list_endpoints(gateway: Gateway, merchant_id: str) -> list[Endpoint]:
    """Return a merchant's endpoints, oldest first; there are at most sixteen."""
    with gateway.database.single() as connection:
        return endpoints.listed(connection, merchant_id)


def get_endpoint(gateway: Gateway, merchant_id: str, endpoint_id: str) -> Endpoint:
    """Return one endpoint.

    Raises:
        EndpointNotFound: the merchant has none with this id.
    """
    with gateway.database.single() as connection:
        return _own(connection, merchant_id, endpoint_id)


def change_endpoint(gateway: Gateway, merchant_id: str, endpoint_id: str, wish: Wish) -> Endpoint:
    """Change an endpoint; enabled again it hears soon what waited for it, as after an outage.

    Raises:
        EndpointNotFound, InvalidEndpoint, DuplicateEndpoint: as when it is added.
    """
    types = wish.event_types
    values = {
        "merchant_id": merchant_id,
        "endpoint_id": endpoint_id,
        "url": None if wish.url is None else rules.check_url(wish.url, https_only=_https_only(gateway)),
        "description": wish.description,
        "event_types": None if types is None else list(rules.check_event_types(types)),
        "enabled": wish.enabled,
    }
    try:
        with gateway.database.single() as connection:
            found = endpoints.change(connection, values)
    except AddressTaken:
        raise DuplicateEndpoint("you have an endpoint with this address") from None
    if found is None:
        raise EndpointNotFound("there is no such endpoint")
    return found


def remove_endpoint(gateway: Gateway, merchant_id: str, endpoint_id: str) -> None:
    """Remove an endpoint; what waits for it is not sent any more.

    Raises:
        EndpointNotFound: the merchant has none with this id.
    """
    with gateway.database.single() as connection:
        removed = endpoints.remove(connection, merchant_id, endpoint_id)
    if not removed:
        raise EndpointNotFound("there is no such endpoint")


def rotate_secret(
    gateway: Gateway, merchant_id: str, endpoint_id: str, *, overlap_seconds: int, asked: Asked | None = None
) -> WithSecret:
    """Give an endpoint a new secret; for ``overlap_seconds`` every message carries a signature of the old one too.

    An overlap of 0 ends every older secret at once, for one that has leaked.

    Raises:
        EndpointNotFound: the merchant has none with this id.
        RotationRunning: an overlap is running; a third live secret there is not.
        InvalidEndpoint: the overlap is longer than a week.
        IdempotencyMismatch, RequestInProgress: as when it is added.
    """
    overlap = rules.check_overlap(overlap_seconds)
    secret = _new_secret()
    values = {
        "merchant_id": merchant_id,
        "endpoint_id": endpoint_id,
        "secret_sealed": sealed(gateway, merchant_id, secret),
        "overlap_seconds": overlap,
        "hold_hours": _hold_hours(asked),
    }

    def rotate(connection: Connection, kept: dict[str, object]) -> WithSecret:
        _own(connection, merchant_id, endpoint_id)
        found = endpoints.rotate(connection, values | kept)
        if found is None:
            raise RotationRunning("the last rotation's overlap is running; wait, or rotate with overlap_seconds 0")
        return WithSecret(found, secret)

    return _once(gateway, merchant_id, asked, rotate, lambda answer: _shown_again(gateway, merchant_id, answer))


def merchant_of_endpoint(gateway: Gateway, endpoint_id: str) -> str:
    """Return whose endpoint this is, for an operator.

    Raises:
        EndpointNotFound: nobody's.
    """
    with gateway.database.single() as connection:
        found = endpoints.merchant_of(connection, endpoint_id)
    if found is None:
        raise EndpointNotFound(f"there is no endpoint {endpoint_id}")
    return found


def list_events(
    gateway: Gateway, merchant_id: str, choice: Choice, *, most: int = PAGE_MOST
) -> tuple[list[Event], bool]:
    """Return up to ``most`` events in the order in which they happened, and whether there are more.

    Raises:
        EventNotFound: ``choice.after`` is no event of this merchant.
    """
    with gateway.database.begin() as connection:
        events.advance(connection)
        if choice.after is not None and events.get(connection, merchant_id, choice.after) is None:
            raise EventNotFound("there is no event where cursor points to")
        found = events.listed(connection, merchant_id, choice, most=most + 1)
    return found[:most], len(found) > most


def get_event(gateway: Gateway, merchant_id: str, event_id: str) -> Event:
    """Return one event.

    Raises:
        EventNotFound: the merchant has none with this id, or it is older than thirty days.
    """
    with gateway.database.single() as connection:
        found = events.get(connection, merchant_id, event_id)
    if found is None:
        raise EventNotFound("there is no such event")
    return found


def deliveries_of(gateway: Gateway, merchant_id: str, event_id: str) -> list[Log]:
    """Return how an event fares at each endpoint, with its newest tries.

    Raises:
        EventNotFound: the merchant has none with this id.
    """
    get_event(gateway, merchant_id, event_id)
    with gateway.database.begin() as connection:
        return events.deliveries(connection, event_id, attempts_most=ATTEMPTS_SHOWN)


def redeliver_event(
    gateway: Gateway, merchant_id: str, event_id: str, *, endpoint_id: str | None = None, asked: Asked | None = None
) -> int:
    """Send one event again, to one endpoint or to all that hear its type; return to how many.

    Raises:
        EventNotFound: the merchant has none with this id.
        EndpointNotFound: it has no such endpoint.
        IdempotencyMismatch, RequestInProgress: as when an endpoint is added.
    """
    return _redeliver(gateway, merchant_id, {"event_id": event_id, "endpoint_id": endpoint_id}, asked).queued


def redeliver_since(
    gateway: Gateway, merchant_id: str, endpoint_id: str, since: dt.datetime, *, asked: Asked | None = None
) -> Redelivered:
    """Send an endpoint every event since a time again, at most ten thousand at once, oldest first.

    Raises:
        EndpointNotFound: the merchant has none with this id.
        IdempotencyMismatch, RequestInProgress: as when an endpoint is added.
    """
    return _redeliver(gateway, merchant_id, {"endpoint_id": endpoint_id, "since": since}, asked)


def sealed(gateway: Gateway, merchant_id: str, secret: str) -> bytes:
    """Return a webhook secret as the database keeps it."""
    return gateway.keyring.seal(purposes.WEBHOOK_SECRET, secret.encode(), bound_to=secret_place(merchant_id))


def refusing_secrets(gateway: Gateway, merchant_id: str) -> tuple[Sensitive[str], ...]:
    """Open the secrets under which a merchant may refuse bills: none that an API key made in the last two days."""
    with gateway.database.single() as connection:
        found = endpoints.refusing_secrets(connection, merchant_id)
    place = secret_place(merchant_id)
    return tuple(Sensitive(gateway.keyring.open(each, bound_to=place).decode()) for each in found)


def _redeliver(gateway: Gateway, merchant_id: str, only: dict[str, Any], asked: Asked | None) -> Redelivered:
    def redeliver(connection: Connection, kept: dict[str, object]) -> Redelivered:
        if "event_id" in only and events.get(connection, merchant_id, only["event_id"]) is None:
            raise EventNotFound("there is no such event")
        if only["endpoint_id"] is not None:
            _own(connection, merchant_id, only["endpoint_id"])
        values = {"merchant_id": merchant_id, "types": list(rules.EVENT_TYPES), "most": rules.REDELIVER_MAX}
        return events.redeliver(connection, {"event_id": None, "since": None} | values | only | kept)

    return _once(gateway, merchant_id, asked, redeliver, Redelivered.of)


def _once(
    gateway: Gateway,
    merchant_id: str,
    asked: Asked | None,
    change: Callable[[Connection, dict[str, object]], Done],
    again: Callable[[Mapping[str, Any]], Done],
) -> Done:
    """Carry a request out, or give its first answer again; the requests of one merchant wait for each other.

    ``change`` is given the values under which the store keeps its answer. An operator (``asked`` is none) has no key.

    Raises:
        IdempotencyMismatch, RequestInProgress: the key is another request's; the wait is over.
    """
    idempotency = asked.idempotency if asked else None
    kept = {"terminal_id": asked.caller.terminal_id if asked else None, **kept_under(idempotency)}
    try:
        with conflicts(), gateway.database.begin() as connection:
            endpoints.lock(connection, merchant_id)
            answer = first_answer(connection, asked.caller, idempotency) if asked else None
            return change(connection, kept) if answer is None else again(answer)
    except Busy:
        raise RequestInProgress(IN_PROGRESS) from None
    except KeyTaken:
        raise IdempotencyMismatch from None


def _own(connection: Connection, merchant_id: str, endpoint_id: str) -> Endpoint:
    found = endpoints.get(connection, merchant_id, endpoint_id)
    if found is None:
        raise EndpointNotFound("there is no such endpoint")
    return found


def _shown_again(gateway: Gateway, merchant_id: str, answer: Mapping[str, Any]) -> WithSecret:
    """Read a kept answer: it has the secret as the database keeps it, sealed."""
    secret = gateway.keyring.open(endpoints.sealed_secret_of(answer), bound_to=secret_place(merchant_id))
    return WithSecret(Endpoint.of(answer), secret.decode())


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(rules.SECRET_BYTES)).decode()


def _hold_hours(asked: Asked | None) -> int:
    """Return how long a new secret refuses no bill: whoever holds an API key waits, an operator does not."""
    return SECRET_HOLD_HOURS if asked else 0


def _https_only(gateway: Gateway) -> bool:
    return gateway.settings.mode == "live"
