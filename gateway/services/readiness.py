"""Whether this process can take payments now, by named part; each part is pinged, none is assumed."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError

from foundation.keys import UnknownKey
from gateway.domain import purposes
from gateway.services.gateway import Gateway


def readiness(gateway: Gateway) -> dict[str, bool]:
    """Return which of the parts that a payment needs answer: database, keys, directory of switches."""
    return {name: answers(gateway) for name, answers in _PARTS.items()}


def redis_answers(gateway: Gateway) -> bool | None:
    """Tell whether Redis answers, ``None`` where none is used; reported only, every outcome is the same (D20)."""
    return None if gateway.wake is None else gateway.wake.ping()


def _keys(gateway: Gateway) -> bool:
    try:
        for purpose in purposes.ALL:
            gateway.keyring.active_id(purpose)
    except UnknownKey:
        return False
    return True


def _directory(gateway: Gateway) -> bool:
    try:
        gateway.directory.issuers()
    except SQLAlchemyError:
        return False
    return True


_PARTS: dict[str, Callable[[Gateway], bool]] = {
    "database": lambda gateway: gateway.database.ping(),
    "keys": _keys,
    "directory": _directory,
}
