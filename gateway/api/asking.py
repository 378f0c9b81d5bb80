"""Reading a merchant's request: who calls, with what body, query and idempotency key. Wrong ones name the place."""

from __future__ import annotations

import hashlib
import json
import re
from typing import TypeVar, cast

from flask import current_app, g, request
from pydantic import BaseModel, ValidationError

from gateway.domain.errors import Flaw, MalformedMessage, Place, UnsupportedMediaType
from gateway.services.authenticate import Caller
from gateway.services.gateway import Gateway
from gateway.services.idempotency import Idempotency

In = TypeVar("In", bound=BaseModel)

FLAWS_MOST = 20
NAME_MOST = 100
_KEY = re.compile(r"[\x21-\x7e]{1,128}")


def gateway_of_app() -> Gateway:
    """Return the gateway that this application serves."""
    return cast("Gateway", current_app.extensions["gateway"])


def caller() -> Caller:
    """Return who calls, as the guard of the blueprint proved it."""
    return cast("Caller", g.caller)


def body(model: type[In], *, required: bool = True) -> In:
    """Read the JSON body; where it is not ``required``, no body at all reads as an empty object.

    Raises:
        UnsupportedMediaType: it is not JSON.
        MalformedMessage: it does not follow ``model``; the flaws carry JSON pointers.
    """
    content = request.get_data()
    if not content and not required:
        return model()
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("the body is application/json")
    try:
        return model.model_validate_json(content)
    except ValidationError as error:
        raise MalformedMessage(*_flaws(error, Place.BODY)) from None


def query(model: type[In]) -> In:
    """Read the query: parameters of ``model`` alone, each at most once.

    Raises:
        MalformedMessage: naming the parameter.
    """
    repeated = [name for name, values in request.args.lists() if len(values) > 1]
    if repeated:
        raise MalformedMessage(
            *(Flaw(Place.QUERY, name[:NAME_MOST], "is given once") for name in repeated[:FLAWS_MOST])
        )
    try:
        return model.model_validate(request.args.to_dict())
    except ValidationError as error:
        raise MalformedMessage(*_flaws(error, Place.QUERY)) from None


def idempotency(read: BaseModel | None = None) -> Idempotency | None:
    """Return the caller's key with the hash of the request it stands for: method, path and the body as read.

    Raises:
        MalformedMessage: the key has another shape.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise MalformedMessage(Flaw(Place.HEADER, "Idempotency-Key", "has 1 to 128 visible ASCII characters"))
    canonical = json.dumps(read.model_dump(mode="json") if read else {}, sort_keys=True)
    hashed = hashlib.sha256(f"{request.method} {request.path}\n{canonical}".encode()).digest()
    return Idempotency(key, hashed)


def _flaws(error: ValidationError, place: Place) -> list[Flaw]:
    rows = error.errors(include_input=False, include_url=False, include_context=False)
    return [Flaw(place, _name(row["loc"], place), str(row["msg"])) for row in rows[:FLAWS_MOST]]


def _name(where: tuple[int | str, ...], place: Place) -> str:
    if place is Place.BODY:
        parts = (str(part)[:NAME_MOST].replace("~", "~0").replace("/", "~1") for part in where)
        return "#" + "".join(f"/{part}" for part in parts)
    return ".".join(str(part)[:NAME_MOST] for part in where)
