"""What one operation of the merchant API is: the row from which route, guard, OpenAPI and reference page are made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Response
from pydantic import BaseModel

from gateway.domain.scopes import Scope

PREFIX = "/api/v1"


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence in both languages."""

    fa: str
    en: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path.

    Args:
        name: the ``operationId``.
        path: below :data:`PREFIX`, with ``{id}`` for what varies.
        serve: the view; it takes what varies in the path.
        scope: what a key needs.
        body: the model of the request's body; ``None`` means that there is none.
        body_required: whether the body may be left out.
        query: the model of the request's query; ``None`` takes no parameter.
        answer: the model of the good answer; ``None`` means that it has no body.
        status: of the good answer.
        problems: codes of the catalogue that this operation answers with, besides those of :data:`ALWAYS`.
    """

    name: str
    method: str
    path: str
    serve: Callable[..., Response]
    scope: Scope
    summary: Said
    answer: type[BaseModel] | None
    body: type[BaseModel] | None = None
    body_required: bool = True
    query: type[BaseModel] | None = None
    status: int = 200
    problems: tuple[str, ...] = ()

    @property
    def idempotent_by_key(self) -> bool:
        """Tell whether the operation takes an Idempotency-Key: every POST does."""
        return self.method == "POST"

    @property
    def rule(self) -> str:
        """Return the path as Flask writes it; what varies arrives under the same name."""
        return self.path.replace("{", "<").replace("}", ">")

    def every_problem(self) -> tuple[str, ...]:
        """Return the codes of every problem that may come back."""
        of_body = ("body_too_large", "unsupported_media_type") if self.body else ()
        of_request = ("malformed",) if self.body or self.query or self.idempotent_by_key else ()
        of_key = ("idempotency_mismatch", "request_in_progress") if self.idempotent_by_key else ()
        return tuple(dict.fromkeys((*ALWAYS, *of_request, *of_body, *of_key, *self.problems)))


ALWAYS = ("unauthenticated", "key_of_other_mode", "scope_missing", "too_many_calls", "unavailable")
"""Problems of every operation that asks for a key."""

Parameters = dict[str, Any]
