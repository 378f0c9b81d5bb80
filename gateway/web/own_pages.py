"""Pages of the gateway's own, where no shop sent anybody: each is there where what it is for is offered."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, abort, request

from gateway.services.gateway import Gateway
from gateway.web.failures import slow_floods
from gateway.web.headers import guard
from gateway.web.rendering import gateway_of_app


def own_pages(name: str, offered: Callable[[Gateway], bool]) -> Blueprint:
    """Return the place for such pages: not found while ``offered`` says no, slowed and guarded like all others."""
    blueprint = Blueprint(name, __name__)

    def only_where_offered() -> None:
        if not offered(gateway_of_app()):
            abort(HTTPStatus.NOT_FOUND)

    blueprint.before_request(slow_floods)
    blueprint.before_request(only_where_offered)
    blueprint.after_request(guard)
    return blueprint


def count_opening(what: str, most: int) -> None:
    """Answer 429 to an address that opens more than ``most`` of these in a minute (D20)."""
    if not gateway_of_app().flood.allow(f"{what} {request.remote_addr}", most, per_seconds=60):
        abort(HTTPStatus.TOO_MANY_REQUESTS)
