"""One call to the gateway with its repeats: bounded, and only where repeating is safe."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from requests.adapters import HTTPAdapter

from pooya.errors import Unavailable, refusal

CONNECTIONS = 16
ANSWER_MAX_BYTES = 1_000_000
CHUNK_BYTES = 65_536
BACKOFF_SECONDS = 0.2
RETRY_AFTER_MAX_SECONDS = 5.0
"""A gateway that asks for a longer pause is not waited for."""
IN_PROGRESS = "request_in_progress"


class Transport:
    """Calls below one address under one key, over kept-alive connections.

    Args:
        timeout_seconds: for connecting, and for each wait for a part of the answer.
        repeats: how often a call without an answer is repeated. Reading is always safe to repeat; a ``POST`` is safe
            because every repeat carries the same idempotency key.
        sleep: waits between repeats.
    """

    def __init__(
        self,
        base_url: str,
        secret_key: str,
        *,
        timeout_seconds: float,
        repeats: int,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._base = f"{base_url.rstrip('/')}/api/v1"
        self._timeout = timeout_seconds
        self._repeats = repeats
        self._sleep = sleep
        self._session = requests.Session()
        self._session.headers.update({"Authorization": f"Bearer {secret_key}", "Accept": "application/json"})
        self._session.trust_env = False
        adapter = HTTPAdapter(pool_maxsize=CONNECTIONS)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)

    def close(self) -> None:
        """End the kept-alive connections."""
        self._session.close()

    def get(self, path: str, query: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Read.

        Raises:
            Unavailable, Refused: no answer, or no.
        """
        return self._call("GET", path, params=dict(query or {}))

    def post(self, path: str, body: Mapping[str, Any] | None, *, key: str) -> dict[str, Any]:
        """Do, once however often it is sent.

        Raises:
            Unavailable, Refused: no answer, or no.
        """
        return self._call("POST", path, json=None if body is None else dict(body), headers={"Idempotency-Key": key})

    def patch(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Change; what is sent says how it shall be, so that repeating is safe.

        Raises:
            Unavailable, Refused: no answer, or no.
        """
        return self._call("PATCH", path, json=dict(body))

    def delete(self, path: str) -> None:
        """Remove; what is gone already when an unanswered call is repeated was removed by it.

        Raises:
            Unavailable, Refused: no answer, or no.
        """
        self._call("DELETE", path, gone_by_then=True)

    def _call(self, method: str, path: str, *, gone_by_then: bool = False, **rest: Any) -> dict[str, Any]:
        first = answer = self._once(method, path, **rest)
        for repeat in range(self._repeats):
            if not answer.worth_repeating:
                break
            self._sleep(_backoff(repeat) if answer.retry_after is None else answer.retry_after)
            answer = self._once(method, path, **rest)
        if gone_by_then and answer is not first and answer.status == HTTPStatus.NOT_FOUND:
            return {}
        if answer.content is None or answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            key = rest.get("headers", {}).get("Idempotency-Key")
            raise Unavailable(f"status {answer.status}" if answer.status else "no answer", idempotency_key=key)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            raise refusal(answer.status, answer.content, retry_after=answer.retry_after)
        return answer.content

    def _once(self, method: str, path: str, **rest: Any) -> _Answer:
        try:
            with self._session.request(
                method, self._base + path, timeout=self._timeout, allow_redirects=False, stream=True, **rest
            ) as answer:
                return _Answer(answer.status_code, _content(answer), _seconds(answer.headers.get("Retry-After")))
        except (requests.RequestException, ValueError):
            return _Answer(0, None, None)


@dataclass(frozen=True, slots=True)
class _Answer:
    """Status (0: none came), the JSON object (none: what came was not one) and the pause that was asked for."""

    status: int
    content: dict[str, Any] | None
    retry_after: float | None

    @property
    def worth_repeating(self) -> bool:
        """Tell whether the same call may soon be answered otherwise."""
        if self.retry_after is not None and self.retry_after > RETRY_AFTER_MAX_SECONDS:
            return False
        if self.content is None or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return True
        return self.status == HTTPStatus.CONFLICT and self.content.get("code") == IN_PROGRESS


def _content(answer: requests.Response) -> dict[str, Any] | None:
    if answer.status_code == HTTPStatus.NO_CONTENT:
        return {}
    body = b""
    for part in answer.iter_content(CHUNK_BYTES):
        body += part
        if len(body) > ANSWER_MAX_BYTES:
            return None
    content = json.loads(body)
    expected = isinstance(content, dict) and not answer.is_redirect
    return content if expected else None


def _seconds(text: str | None) -> float | None:
    return float(text) if text is not None and text.isascii() and text.isdigit() else None


def _backoff(repeat: int) -> float:
    return BACKOFF_SECONDS * (1 << repeat) * random.uniform(0.5, 1.5)  # noqa: S311 - spreads load, guards nothing
