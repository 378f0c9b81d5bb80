"""A merchant says where it wants to hear, changes its secrets, and asks to be told again."""

from __future__ import annotations

import base64
import datetime as dt
import secrets
from dataclasses import dataclass

from gateway.domain import webhooks as rules
from gateway.domain.errors import (
    DuplicateEndpoint,
    EndpointNotFound,
    EventNotFound,
    RotationRunning,
    TooManyEndpoints,
)
from gateway.services.gateway import Gateway
from gateway.store import endpoints, events
from gateway.store.endpoints import AddressTaken
from gateway.store.endpoints import Endpoint as Endpoint
from gateway.store.events import Choice as Choice
from gateway.store.events import Log as Log
from gateway.store.webhooks import Event as Event

SECRET_PURPOSE = "webhook-secret"  # noqa: S105 - a purpose of a key, not a secret
PAGE_MOST = 100
PAGE_USUAL = 25
ATTEMPTS_SHOWN = 25


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
    """An endpoint with its new secret, the only time it can be seen."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class Redelivered:
    """How many deliveries were queued; past ``until`` there may be more, for the next call."""

    queued: int
    until: dt.datetime | None


def add_endpoint(gateway: Gateway, merchant_id: str, url: str, wish: Wish, *, secret: str | None = None) -> WithSecret:
    """Add an endpoint, by its own or a given secret.

    Raises:
        InvalidEndpoint: its address, a type or the secret is outside the rules.
        DuplicateEndpoint: the merchant has one with this address.
        TooManyEndpoints: it has sixteen.
    """
    secret = _new_secret() if secret is None else rules.check_secret(secret)
    values = {
        "endpoint_id": rules.new_endpoint_id(),
        "merchant_id": merchant_id,
        "url": rules.check_url(url, https_only=_https_only(gateway)),
        "description": wish.description,
        "event_types": list(rules.check_event_types(wish.event_types or ())),
        "secret_sealed": sealed(gateway, merchant_id, secret),
    }
    try:
        with gateway.database.begin() as connection:
            if endpoints.count_locked(connection, merchant_id) >= rules.ENDPOINTS_MAX:
                raise TooManyEndpoints(f"a merchant has at most {rules.ENDPOINTS_MAX} endpoints")
            return WithSecret(endpoints.add(connection, values), secret)
    except AddressTaken:
        raise DuplicateEndpoint("you have an endpoint with this address") from None


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
        found = endpoints.get(connection, merchant_id, endpoint_id)
    if found is None:
        raise EndpointNotFound("there is no such endpoint")
    return found


def change_endpoint(gateway: Gateway, merchant_id: str, endpoint_id: str, wish: Wish) -> Endpoint:
    """Change an endpoint; enabled again it hears at once what waited for it.

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


def rotate_secret(gateway: Gateway, merchant_id: str, endpoint_id: str, *, overlap_seconds: int) -> WithSecret:
    """Give an endpoint a new secret; for ``overlap_seconds`` every message carries a signature of the old one too.

    An overlap of 0 ends every older secret at once, for one that has leaked.

    Raises:
        EndpointNotFound: the merchant has none with this id.
        RotationRunning: an overlap is running; a third live secret there is not.
        InvalidEndpoint: the overlap is longer than a week.
    """
    overlap = rules.check_overlap(overlap_seconds)
    get_endpoint(gateway, merchant_id, endpoint_id)
    secret = _new_secret()
    values = {
        "merchant_id": merchant_id,
        "endpoint_id": endpoint_id,
        "secret_sealed": sealed(gateway, merchant_id, secret),
        "overlap_seconds": overlap,
    }
    with gateway.database.single() as connection:
        found = endpoints.rotate(connection, values)
    if found is None:
        raise RotationRunning("the last rotation's overlap is running; wait, or rotate with overlap_seconds 0")
    return WithSecret(found, secret)


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
    with gateway.database.single() as connection:
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
    with gateway.database.single() as connection:
        return events.deliveries(connection, event_id, attempts_most=ATTEMPTS_SHOWN)


def redeliver_event(gateway: Gateway, merchant_id: str, event_id: str, *, endpoint_id: str | None = None) -> int:
    """Send one event again, to one endpoint or to all that hear its type; return to how many.

    Raises:
        EventNotFound: the merchant has none with this id.
        EndpointNotFound: it has no such endpoint.
    """
    get_event(gateway, merchant_id, event_id)
    if endpoint_id is not None:
        get_endpoint(gateway, merchant_id, endpoint_id)
    return _redeliver(gateway, merchant_id, {"event_id": event_id, "endpoint_id": endpoint_id}).queued


def redeliver_since(gateway: Gateway, merchant_id: str, endpoint_id: str, since: dt.datetime) -> Redelivered:
    """Send an endpoint every event since a time again, at most ten thousand at once, oldest first.

    Raises:
        EndpointNotFound: the merchant has none with this id.
    """
    get_endpoint(gateway, merchant_id, endpoint_id)
    return _redeliver(gateway, merchant_id, {"endpoint_id": endpoint_id, "since": since})


def sealed(gateway: Gateway, merchant_id: str, secret: str) -> bytes:
    """Return a webhook secret as the database keeps it."""
    return gateway.keyring.seal(SECRET_PURPOSE, secret.encode(), bound_to=secret_place(merchant_id))


def _redeliver(gateway: Gateway, merchant_id: str, only: dict[str, object]) -> Redelivered:
    with gateway.database.single() as connection:
        queued, until = events.redeliver(
            connection, merchant_id, rules.EVENT_TYPES, most=rules.REDELIVER_MAX, only=only
        )
    return Redelivered(queued, until)


def _new_secret() -> str:
    return "whsec_" + base64.b64encode(secrets.token_bytes(rules.SECRET_BYTES)).decode()


def _https_only(gateway: Gateway) -> bool:
    return gateway.settings.mode == "live"
