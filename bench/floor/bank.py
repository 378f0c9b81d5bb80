"""The floor's bank: makes a code for a payment, and takes the money against it."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Iterable
from typing import Any

from bench.floor import books
from bench.floor.wire import MAC_HEADER, Books, Environ, StartResponse, answer, body_of, card_token, code_for, mac

_books = Books()


def application(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Serve one signed message."""
    path, raw = environ["PATH_INFO"], body_of(environ)
    if not hmac.compare_digest(environ.get(MAC_HEADER, ""), mac(path.encode() + raw).hex()):
        return answer(start, "401 Unauthorized", b"{}")
    said = json.dumps(_DEEDS[path](json.loads(raw))).encode()
    return answer(start, "200 OK", said, X_Mac=mac(raw + said).hex())


def _code_mac(token: bytes, code: str) -> bytes:
    return mac(token + code.encode())


def _issue(message: dict[str, Any]) -> dict[str, object]:
    token = card_token(message["pan"])
    values = {
        "reference": message["reference"],
        "card_token": token,
        "expiry": message["expiry"],
        "code_mac": _code_mac(token, code_for(message["reference"])),
    }
    return {"sent": _books.changed(books.ISSUE, values)}


def _authorise(message: dict[str, Any]) -> dict[str, object]:
    token = card_token(message["pan"])
    values = {
        "attempt_id": message["attempt_id"],
        "reference": message["reference"],
        "card_token": token,
        "amount": message["amount"],
        "code_mac": _code_mac(token, message["pin"]),
    }
    row = _books.one(books.AUTHORISE, values)
    return {"outcome": row[0] if row else "declined"}


_DEEDS: dict[str, Callable[[dict[str, Any]], dict[str, object]]] = {"/issue": _issue, "/authorise": _authorise}
