"""What the floor's two programs share: a request as WSGI brings it, signed messages, and pools of what is kept open."""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from queue import LifoQueue
from typing import Any, Generic, Protocol, TypeVar

import psycopg


class Closeable(Protocol):
    """What can be closed."""

    def close(self) -> None:
        """Close it."""


T = TypeVar("T", bound=Closeable)
KEPT_OPEN = 8
"""Database connections of one process, as many as a process of ours has."""

HTTP_KEPT_OPEN = 64
TIMEOUT_SECONDS = 10.0
CODE_DIGITS = 6
SECRET_KEY = "sk_test_floor"  # noqa: S105 - the one merchant's key; it guards nothing
MAC_HEADER = "HTTP_X_MAC"

DATABASE, BANK, KEY = "FLOOR_DATABASE", "FLOOR_BANK", "FLOOR_KEY"
"""Variables of the environment: the database's address, the bank's port, and the one key there is, in hexadecimal."""

Environ = Mapping[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], object]


class Pool(Generic[T]):
    """So many of a thing, made when first needed; the one used last is lent first."""

    def __init__(self, make: Callable[[], T], most: int) -> None:
        self._make = make
        self._kept: LifoQueue[T | None] = LifoQueue()
        for _ in range(most):
            self._kept.put(None)

    @contextmanager
    def lend(self) -> Iterator[T]:
        """Lend one; one that failed is made anew."""
        thing = self._kept.get(timeout=TIMEOUT_SECONDS)
        kept: T | None = None
        try:
            if thing is None:
                thing = self._make()
            yield thing
            kept = thing
        finally:
            self._kept.put(kept)

    def close(self) -> None:
        """Close what nobody has been lent; the pool is of no use afterwards."""
        while not self._kept.empty():
            if (thing := self._kept.get()) is not None:
                thing.close()


class Books:
    """One organisation's database, in autocommit."""

    def __init__(self) -> None:
        self._pool = Pool(lambda: psycopg.connect(os.environ[DATABASE], autocommit=True), KEPT_OPEN)

    def one(self, statement: str, values: Mapping[str, object]) -> tuple[Any, ...] | None:
        """Run one statement and return its first row."""
        with self._pool.lend() as connection:
            return connection.execute(statement.encode(), values).fetchone()

    def changed(self, statement: str, values: Mapping[str, object]) -> bool:
        """Run one statement that returns nothing, and tell whether it wrote a row."""
        with self._pool.lend() as connection:
            return connection.execute(statement.encode(), values).rowcount == 1


class Peer:
    """The other organisation, over kept-alive connections."""

    def __init__(self) -> None:
        port = int(os.environ[BANK])
        self._pool = Pool(
            lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS), HTTP_KEPT_OPEN
        )

    def ask(self, path: str, message: dict[str, object]) -> dict[str, Any]:
        """Send one signed message and return what the signed answer says."""
        body = json.dumps(message).encode()
        with self._pool.lend() as line:
            line.request("POST", path, body, {"X-Mac": mac(path.encode() + body).hex()})
            answer = line.getresponse()
            said = answer.read()
        if not hmac.compare_digest(answer.headers["X-Mac"], mac(body + said).hex()):
            raise ValueError("not the bank's answer to this question")
        document: dict[str, Any] = json.loads(said)
        return document


def mac(data: bytes) -> bytes:
    """Return the HMAC of something under the floor's key."""
    return hmac.digest(bytes.fromhex(os.environ[KEY]), data, "sha256")


def card_token(pan: str) -> bytes:
    """Return the keyed hash under which a card is known."""
    return mac(b"card" + pan.encode())


def code_for(reference: str) -> str:
    """Return the dynamic PIN for a payment: whoever measures derives it, where a person would read an SMS."""
    return str(int.from_bytes(mac(b"code" + reference.encode())[:8], "big"))[-CODE_DIGITS:]


def hashed(text: str) -> str:
    """Return the SHA-256 of a text."""
    return hashlib.sha256(text.encode()).hexdigest()


def body_of(environ: Environ) -> bytes:
    """Read the body of a request."""
    content: bytes = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    return content


def answer(
    start: StartResponse, status: str, content: bytes, kind: str = "application/json", **headers: str
) -> Iterable[bytes]:
    """Answer a request."""
    own = [("Content-Type", kind), ("Content-Length", str(len(content)))]
    start(status, own + [(name.replace("_", "-"), value) for name, value in headers.items()])
    return [content]
