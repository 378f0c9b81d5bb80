"""The same key: one effect and one answer, whatever happens in between."""

from __future__ import annotations

import threading

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from gateway.services import sweep
from gateway.services.authorise import pay
from gateway.services.cancel import cancel
from gateway.store import sweeps
from tests.fakes.shop import SECRET_KEY, Shop, card

PATH = "/api/v1/payments"
BODY = {"amount": 250_000, "order_id": "A-1", "callback_url": "http://localhost:8200/back"}


def keyed(key: str) -> dict[str, str]:
    """Call under this key."""
    return {"Authorization": f"Bearer {SECRET_KEY}", "Idempotency-Key": key}


def test_every_post_answers_a_repeat_byte_for_byte(shop: Shop, client: FlaskClient) -> None:
    """Open, confirm and reverse, each repeated after the payment has moved on."""
    opened = client.post(PATH, json=BODY, headers=keyed("open"))
    payment_id = opened.get_json()["id"]
    pay(shop.gateway, opened.get_json()["page_url"].rsplit("/", 1)[1], card())
    confirmed = client.post(f"{PATH}/{payment_id}/confirm", json={"amount": 250_000}, headers=keyed("confirm"))
    again = client.post(f"{PATH}/{payment_id}/confirm", json={"amount": 250_000}, headers=keyed("late"))
    reversed_ = client.post(f"{PATH}/{payment_id}/reverse", headers=keyed("reverse"))
    twice = client.post(f"{PATH}/{payment_id}/reverse", headers=keyed("reverse2"))
    shop.work()

    assert (confirmed.get_json()["first_time"], again.get_json()["first_time"]) == (True, False)
    for key, path, body, first in (
        ("open", "", BODY, opened),
        ("confirm", f"/{payment_id}/confirm", {"amount": 250_000}, confirmed),
        ("late", f"/{payment_id}/confirm", {"amount": 250_000}, again),
        ("reverse", f"/{payment_id}/reverse", {}, reversed_),
        ("reverse2", f"/{payment_id}/reverse", {}, twice),
    ):
        repeat = client.post(PATH + path, json=body, headers=keyed(key))
        assert (repeat.status_code, repeat.data) == (first.status_code, first.data), key
    assert client.get(f"{PATH}/{payment_id}", headers=keyed("-")).get_json()["state"] == "reversed"


def test_a_key_belongs_to_method_path_and_body(shop: Shop, client: FlaskClient) -> None:
    """Another body, another payment, another act: 422 each, and nothing is done."""
    one, two = shop.paid(), shop.paid()
    client.post(f"{PATH}/{one.payment_id}/confirm", json={"amount": 250_000}, headers=keyed("key"))

    for path, body in (
        (f"{PATH}/{one.payment_id}/confirm", {"amount": 1}),
        (f"{PATH}/{two.payment_id}/confirm", {"amount": 250_000}),
        (f"{PATH}/{two.payment_id}/reverse", {}),
        (PATH, BODY),
    ):
        answer = client.post(path, json=body, headers=keyed("key"))
        assert (answer.status_code, answer.get_json()["code"]) == (422, "idempotency_mismatch"), path
    assert shop.state(two).value == "authorised"


def test_a_refusal_keeps_nothing(shop: Shop, client: FlaskClient) -> None:
    """The same key may try again once the reason is gone."""
    payment = shop.open()
    path, body = f"{PATH}/{payment.payment_id}/confirm", {"amount": 250_000}

    assert client.post(path, json=body, headers=keyed("key")).status_code == 409
    shop.pay(payment)
    assert client.post(path, json=body, headers=keyed("key")).get_json()["first_time"] is True


def test_a_part_is_not_reversed(shop: Shop, client: FlaskClient) -> None:
    """An amount is checked, and the whole payment stays as it is when it differs."""
    payment = shop.paid()
    path = f"{PATH}/{payment.payment_id}/reverse"

    refused = client.post(path, json={"amount": 1_000}, headers=keyed("part"))
    assert (refused.status_code, refused.get_json()["code"]) == (409, "amount_mismatch")
    assert shop.state(payment).value == "authorised"
    assert client.post(path, json={"amount": 250_000}, headers=keyed("whole")).status_code == 202


def test_a_twin_is_told_to_wait_and_a_crash_frees_the_key(shop: Shop, client: FlaskClient) -> None:
    """While the first runs: 409 with Retry-After. Its process dies before the commit: the repeat does it, once."""
    held, die = threading.Event(), threading.Event()

    def first_request() -> None:
        with shop.owner.engine.connect() as connection:
            connection.execute(
                text("INSERT INTO idempotency (terminal_id, key, body_hash, answer) VALUES (:t, 'key', '', '{}')"),
                {"t": shop.caller.terminal_id},
            )
            pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
            held.set()
            die.wait(30)
            with pytest.raises(SQLAlchemyError):
                connection.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})

    thread = threading.Thread(target=first_request)
    thread.start()
    assert held.wait(10)
    waiting = client.post(PATH, json=BODY, headers=keyed("key"))
    die.set()
    thread.join(10)

    assert (waiting.status_code, waiting.get_json()["code"]) == (409, "request_in_progress")
    assert int(waiting.headers["Retry-After"]) >= 1
    assert shop.rows("SELECT 1 FROM payment") == []
    done = client.post(PATH, json=BODY, headers=keyed("key"))
    assert done.status_code == 201
    assert client.post(PATH, json=BODY, headers=keyed("key")).data == done.data
    assert shop.rows("SELECT count(*) FROM payment") == [(1,)]


def test_d34_a_lost_answer_is_found_again(shop: Shop, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """D34: the process dies after the commit and before the answer; the repeat reads what was done."""

    def die(*_: object) -> None:
        raise RuntimeError("power")

    with monkeypatch.context() as dying:
        dying.setattr("gateway.api.payments.payment_out", die)
        assert client.post(PATH, json=BODY, headers=keyed("key")).status_code == 503
    kept = shop.rows("SELECT payment_id FROM payment")

    again = client.post(PATH, json=BODY, headers=keyed("key"))
    assert [(again.get_json()["id"],)] == kept


def test_keys_are_kept_for_a_month_and_forgotten_in_batches(shop: Shop) -> None:
    """The contract promises a day; the worker's job deletes no more than its batch at a time."""
    for number in range(5):
        cancel(shop.gateway, shop.open(key=f"key-{number}").page_token)
    shop.later(29 * 86_400)
    sweep.erase(shop.gateway)
    assert shop.rows("SELECT count(*) FROM idempotency") == [(5,)]
    shop.later(31 * 86_400)

    with shop.gateway.database.single() as connection:
        assert sweeps.forget_answers(connection, keep_days=sweep.ANSWERS_KEPT_DAYS, most=3) == 3
    assert shop.rows("SELECT count(*) FROM idempotency") == [(2,)]
