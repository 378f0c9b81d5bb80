"""The floor's gateway once more, on the packages that ours is made of: Flask, Flask-WTF, Jinja and SQLAlchemy.

The same five steps, statements, commits and messages; what differs is only who carries them. Its ratio to the floor is
what the packages cost before a line of ours has run.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue
from flask_wtf import FlaskForm
from sqlalchemy import TextClause, text
from wtforms import StringField

from bench.floor import books
from bench.floor.gateway import API, NONCE_BYTES
from bench.floor.wire import DATABASE, KEY, SECRET_KEY, Peer, hashed, mac
from foundation.database import Database

PAGE = """<!doctype html><html lang="fa" dir="rtl"><title>پرداخت</title><h1>بازارچهٔ نمونه</h1><p>{{ note }}</p>
<p>{{ amount }} ریال</p><form method="post"><input type="hidden" name="csrf_token" value="{{ proof }}">
{{ form.pan(inputmode="numeric") }}{{ form.cvv2() }}{{ form.exp_month() }}{{ form.exp_year() }}{{ form.pin() }}
<button name="action" value="pay">پرداخت</button>
<button name="action" value="request_pin">درخواست رمز پویا</button></form>
"""


class CardForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF has no types
    """What a payer types."""

    class Meta:
        """The proof is checked by hand, as in the floor."""

        csrf = False

    pan = StringField()
    cvv2 = StringField()
    exp_month = StringField()
    exp_year = StringField()
    pin = StringField()
    action = StringField()


def _statement(plain: str) -> TextClause:
    return text(re.sub(r"%\((\w+)\)s", r":\1", plain))


OPEN, LOOK, SUBMIT, RECORD, CONFIRM = map(
    _statement, (books.OPEN, books.PAGE, books.SUBMIT, books.RECORD, books.CONFIRM)
)
application = Flask(__name__)
_page = application.jinja_env.from_string(PAGE)
_database = Database(os.environ[DATABASE].replace("postgresql:", "postgresql+psycopg:"), application_name="floor")
_bank = Peer()
_known = {hashed(SECRET_KEY)}
_seal = AESGCM(bytes.fromhex(os.environ[KEY]))


@application.before_request
def _prove() -> ResponseReturnValue | None:
    secret = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if request.path.startswith(API) and hashed(secret) not in _known:
        return jsonify({}), HTTPStatus.UNAUTHORIZED
    return None


@application.post(API)
def _open() -> ResponseReturnValue:
    asked = request.get_json()
    payment_id, token = secrets.token_urlsafe(15), secrets.token_urlsafe(24)
    values = {"payment_id": payment_id, "page_token": token}
    with _database.single() as connection:
        connection.execute(OPEN, values | {"order_id": asked["order_id"], "amount": int(asked["amount"])})
    said = {"id": payment_id, "page_url": f"http://{request.host}/pay/{token}", "state": "open"}
    return jsonify(said), HTTPStatus.CREATED


@application.get("/pay/<token>")
def _show(token: str) -> ResponseReturnValue:
    row = _one(LOOK, {"page_token": token})
    return ("", HTTPStatus.NOT_FOUND) if row is None else _html(token, CardForm(), row.state, row.amount)


@application.post("/pay/<token>")
def _press(token: str) -> ResponseReturnValue:
    form = CardForm()
    if not hmac.compare_digest(request.form["csrf_token"], _proof(token)):
        return "", HTTPStatus.UNPROCESSABLE_ENTITY
    return _request_pin(token, form) if form.action.data == "request_pin" else _pay(token, form)


@application.post(f"{API}/<payment_id>/confirm")
def _confirm(payment_id: str) -> ResponseReturnValue:
    values = {"payment_id": payment_id, "amount": int(request.get_json()["amount"])}
    if _one(CONFIRM, values) is None:
        return jsonify({}), HTTPStatus.CONFLICT
    return jsonify({"id": payment_id, "state": "confirmed"})


def _request_pin(token: str, form: CardForm) -> ResponseReturnValue:
    row = _one(LOOK, {"page_token": token})
    if row is None or row.state != "open":
        return "", HTTPStatus.NOT_FOUND
    card = {"pan": form.pan.data, "cvv2": form.cvv2.data, "expiry": f"{form.exp_year.data}{form.exp_month.data}"}
    said = _bank.ask("/issue", {"reference": row.payment_id, "amount": row.amount, **card})
    return _html(token, form, "sent" if said["sent"] else "refused", row.amount)


def _pay(token: str, form: CardForm) -> ResponseReturnValue:
    attempt_id, nonce = secrets.token_urlsafe(15), secrets.token_bytes(NONCE_BYTES)
    sealed = nonce + _seal.encrypt(nonce, str(form.pan.data).encode(), attempt_id.encode())
    row = _one(SUBMIT, {"page_token": token, "attempt_id": attempt_id, "pan_sealed": sealed})
    if row is None:
        return "", HTTPStatus.CONFLICT
    card = {"pan": form.pan.data, "cvv2": form.cvv2.data, "pin": form.pin.data}
    asked = {"attempt_id": attempt_id, "reference": row.payment_id, "amount": row.amount, **card}
    recorded = _one(RECORD, {"attempt_id": attempt_id, "outcome": _bank.ask("/authorise", asked)["outcome"]})
    return _html(token, form, recorded.state if recorded else "unknown", row.amount)


def _one(statement: TextClause, values: Mapping[str, object]) -> Any:
    with _database.single() as connection:
        return connection.execute(statement, values).one_or_none()


def _proof(token: str) -> str:
    return mac(b"form" + token.encode()).hex()


def _html(token: str, form: CardForm, note: str, amount: int) -> str:
    return _page.render(form=form, note=note, amount=amount, proof=_proof(token))
