"""The floor's gateway: the same addresses, forms and JSON as ours, so that the same buyers buy at both."""

from __future__ import annotations

import hmac
import json
import os
import secrets
from collections.abc import Iterable
from urllib.parse import parse_qsl

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bench.floor import books
from bench.floor.wire import KEY, SECRET_KEY, Books, Environ, Peer, StartResponse, answer, body_of, hashed, mac

API = "/api/v1/payments"
HTML = "text/html; charset=utf-8"
NONCE_BYTES = 12
PAGE = """<!doctype html><html lang="fa" dir="rtl"><title>پرداخت</title><h1>بازارچهٔ نمونه</h1><p>%s</p><p>%d ریال</p>
<form method="post"><input type="hidden" name="csrf_token" value="%s"><input name="pan" inputmode="numeric">
<input name="cvv2"><input name="exp_month"><input name="exp_year"><input name="pin">
<button name="action" value="pay">پرداخت</button>
<button name="action" value="request_pin">درخواست رمز پویا</button></form>
"""

_books, _bank = Books(), Peer()
_known = {hashed(SECRET_KEY)}
_seal = AESGCM(bytes.fromhex(os.environ[KEY]))


def application(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    """Serve one of the five steps."""
    method, path = environ["REQUEST_METHOD"], environ["PATH_INFO"]
    if path.startswith("/pay/"):
        token = path.removeprefix("/pay/")
        return _page(token, start, "") if method == "GET" else _pressed(token, environ, start)
    if hashed(environ.get("HTTP_AUTHORIZATION", "").removeprefix("Bearer ")) not in _known:
        return answer(start, "401 Unauthorized", b"{}")
    if path == API:
        return _open(environ, start)
    return _confirm(path.removeprefix(API + "/").removesuffix("/confirm"), environ, start)


def _open(environ: Environ, start: StartResponse) -> Iterable[bytes]:
    asked = json.loads(body_of(environ))
    payment_id, token = secrets.token_urlsafe(15), secrets.token_urlsafe(24)
    values = {
        "payment_id": payment_id,
        "page_token": token,
        "order_id": asked["order_id"],
        "amount": int(asked["amount"]),
    }
    _books.changed(books.OPEN, values)
    said = {"id": payment_id, "page_url": f"http://{environ['HTTP_HOST']}/pay/{token}", "state": "open"}
    return answer(start, "201 Created", json.dumps(said).encode())


def _page(token: str, start: StartResponse, note: str) -> Iterable[bytes]:
    row = _books.one(books.PAGE, {"page_token": token})
    if row is None:
        return answer(start, "404 Not Found", b"")
    return _html(start, token, note or row[2], row[1])


def _pressed(token: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
    form = dict(parse_qsl(body_of(environ).decode()))
    if not hmac.compare_digest(form["csrf_token"], _proof(token)):
        return answer(start, "422 Unprocessable Content", b"")
    return _request_pin(token, form, start) if form["action"] == "request_pin" else _pay(token, form, start)


def _request_pin(token: str, form: dict[str, str], start: StartResponse) -> Iterable[bytes]:
    row = _books.one(books.PAGE, {"page_token": token})
    if row is None or row[2] != "open":
        return answer(start, "404 Not Found", b"")
    card = {"pan": form["pan"], "cvv2": form["cvv2"], "expiry": form["exp_year"] + form["exp_month"]}
    said = _bank.ask("/issue", {"reference": row[0], "amount": row[1], **card})
    return _html(start, token, "sent" if said["sent"] else "refused", row[1])


def _pay(token: str, form: dict[str, str], start: StartResponse) -> Iterable[bytes]:
    attempt_id = secrets.token_urlsafe(15)
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + _seal.encrypt(nonce, form["pan"].encode(), attempt_id.encode())
    row = _books.one(books.SUBMIT, {"page_token": token, "attempt_id": attempt_id, "pan_sealed": sealed})
    if row is None:
        return answer(start, "409 Conflict", b"")
    card = {"pan": form["pan"], "cvv2": form["cvv2"], "pin": form["pin"]}
    said = _bank.ask("/authorise", {"attempt_id": attempt_id, "reference": row[0], "amount": row[1], **card})
    recorded = _books.one(books.RECORD, {"attempt_id": attempt_id, "outcome": said["outcome"]})
    return _html(start, token, recorded[0] if recorded else "unknown", row[1])


def _confirm(payment_id: str, environ: Environ, start: StartResponse) -> Iterable[bytes]:
    amount = int(json.loads(body_of(environ))["amount"])
    if _books.one(books.CONFIRM, {"payment_id": payment_id, "amount": amount}) is None:
        return answer(start, "409 Conflict", b"{}")
    return answer(start, "200 OK", json.dumps({"id": payment_id, "state": "confirmed"}).encode())


def _proof(token: str) -> str:
    return mac(b"form" + token.encode()).hex()


def _html(start: StartResponse, token: str, note: str, amount: int) -> Iterable[bytes]:
    return answer(start, "200 OK", (PAGE % (note, amount, _proof(token))).encode(), HTML)
