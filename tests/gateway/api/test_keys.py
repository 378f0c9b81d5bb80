"""Keys: what each may do, until when, how one replaces another, and how often it may call."""

from __future__ import annotations

import hashlib

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from gateway.api.door import OPERATIONS
from gateway.api.operations import PREFIX
from gateway.app import create_app
from gateway.domain.errors import RefusedRow
from gateway.domain.scopes import ALL, MEANS, Scope
from gateway.services.keys import list_keys, new_key, revoke_key, rotate_key
from tests.fakes.counting import counting
from tests.fakes.shop import MERCHANT, SECRET_KEY, Shop

TERMINAL = MERCHANT.terminal_id
PATH = f"{PREFIX}/payments"


def call(client: FlaskClient, secret: str, method: str = "GET", path: str = PATH) -> TestResponse:
    """Call with a key."""
    return client.open(path, method=method, headers={"Authorization": f"Bearer {secret}"})


def key_id(shop: Shop, secret: str) -> str:
    """Find a key by its hash."""
    hashed = hashlib.sha256(secret.encode()).digest()
    return str(shop.rows("SELECT key_id FROM api_key WHERE secret_hash = :hashed", hashed=hashed)[0][0])


@pytest.mark.parametrize("scope", Scope)
def test_a_key_may_do_what_its_scope_says_and_no_more(shop: Shop, client: FlaskClient, scope: Scope) -> None:
    """Every operation: with its scope it gets past the guard, without it a 403 that names what is missing."""
    secret = new_key(shop.gateway, TERMINAL, scopes=[scope])

    for operation in OPERATIONS:
        path = PREFIX + operation.path.replace("{id}", "pay_x").replace("{order_id}", "none")
        answer = call(client, secret, operation.method, path)
        if operation.scope == scope:
            assert answer.status_code != 403, operation.name
        else:
            assert (answer.status_code, answer.get_json()["scope"]) == (403, operation.scope), operation.name


def test_scopes_are_described_and_those_of_the_database(shop: Shop) -> None:
    """Each scope has its sentence; the database refuses a word that is none."""
    assert MEANS.keys() == set(Scope)
    shop.change("UPDATE api_key SET scopes = :all", all=sorted(ALL))
    for wrong in (["payments:delete"], []):
        with pytest.raises(Exception, match="api_key_scopes"):
            shop.change("UPDATE api_key SET scopes = CAST(:wrong AS text[])", wrong=wrong)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"scopes": ["payments:delete"]}, "there is no scope payments:delete"),
        ({"expires_days": 0}, "a key lives"),
        ({"name": "x" * 65}, "at most 64"),
        ({"secret": "sk_live_" + "A" * 40}, "sk_test_"),
    ],
)
def test_a_wrong_key_is_refused_with_a_sentence(shop: Shop, wrong: dict[str, object], sentence: str) -> None:
    """The operator reads what to correct, and nothing is made."""
    before = len(list_keys(shop.gateway, TERMINAL))
    with pytest.raises(RefusedRow, match=sentence):
        new_key(shop.gateway, TERMINAL, **wrong)  # type: ignore[arg-type]  # fields by name

    assert len(list_keys(shop.gateway, TERMINAL)) == before


def test_a_key_ends_at_its_time(shop: Shop, client: FlaskClient) -> None:
    """A day's key works for a day by the house's clock."""
    secret = new_key(shop.gateway, TERMINAL, expires_days=1)
    assert call(client, secret).status_code == 200
    shop.later(86_401)
    shop.gateway.directory.forget()

    assert call(client, secret).status_code == 401
    assert [row.usable for row in list_keys(shop.gateway, TERMINAL)] == [True, False]


def test_old_and_new_key_overlap_and_the_old_one_ends(shop: Shop, client: FlaskClient) -> None:
    """Rotation: same name and scopes; both work for two hours, then the new one alone."""
    old = new_key(shop.gateway, TERMINAL, name="checkout", scopes=["payments:read"])
    new, _ = rotate_key(shop.gateway, key_id(shop, old), overlap_hours=2)

    assert [call(client, secret).status_code for secret in (old, new)] == [200, 200]
    rows = {row.key_id: row for row in list_keys(shop.gateway, TERMINAL)}
    successor = rows[key_id(shop, new)]
    assert (successor.name, successor.scopes, successor.replaces) == ("checkout", ("payments:read",), key_id(shop, old))
    shop.later(7_201)
    shop.gateway.directory.forget()
    assert [call(client, secret).status_code for secret in (old, new)] == [401, 200]
    with pytest.raises(RefusedRow, match="no usable key"):
        rotate_key(shop.gateway, key_id(shop, old), overlap_hours=2)
    with pytest.raises(RefusedRow, match="overlap"):
        rotate_key(shop.gateway, key_id(shop, new), overlap_hours=-1)


def test_rotation_never_lengthens_a_key(shop: Shop) -> None:
    """A key that ends tomorrow ends tomorrow, whatever the overlap."""
    old = new_key(shop.gateway, TERMINAL, expires_days=1)
    before = next(row for row in list_keys(shop.gateway, TERMINAL) if row.key_id == key_id(shop, old)).expires_at
    _, ends = rotate_key(shop.gateway, key_id(shop, old), overlap_hours=72)

    assert ends == before


def test_a_revoked_key_is_refused_and_cannot_be_revoked_again(shop: Shop, client: FlaskClient) -> None:
    """At once in the process that did it, elsewhere once the directory is read again."""
    secret = new_key(shop.gateway, TERMINAL)
    assert call(client, secret).status_code == 200
    revoke_key(shop.gateway, key_id(shop, secret))

    assert call(client, secret).status_code == 401
    with pytest.raises(RefusedRow, match="to revoke"):
        revoke_key(shop.gateway, key_id(shop, secret))


def test_the_day_of_the_last_use_costs_one_write_a_day(shop: Shop, client: FlaskClient) -> None:
    """The first use of a day writes it, later ones do not, not even when the directory is read again."""
    secret = new_key(shop.gateway, TERMINAL)
    writes = []
    for _ in range(3):
        shop.gateway.directory.forget()
        with counting(shop.gateway.database) as counted:
            call(client, secret)
        writes.append(sum("last_used_on =" in statement for statement in counted.statements))
    shop.later(86_400)
    shop.gateway.directory.forget()
    with counting(shop.gateway.database) as counted:
        call(client, secret)
        call(client, secret)

    assert writes == [1, 0, 0]
    assert sum("last_used_on =" in statement for statement in counted.statements) == 1


def test_nothing_of_a_secret_is_kept(shop: Shop) -> None:
    """The database has the hash; the list has neither."""
    secret = new_key(shop.gateway, TERMINAL)

    assert secret[8:] not in str(shop.rows("SELECT * FROM api_key"))
    assert secret[8:] not in str(list_keys(shop.gateway, TERMINAL))


def tightened(shop: Shop, **settings: int) -> FlaskClient:
    """Build the API with other limits."""
    object.__setattr__(shop.gateway, "settings", shop.gateway.settings.model_copy(update=settings))
    return create_app(gateway=shop.gateway).test_client()


def test_a_share_is_the_keys_own(shop: Shop) -> None:
    """One workers' share: three calls, told as they go; another key of the shop at the same address is untouched."""
    client = tightened(shop, api_calls_per_minute=3, api_stranger_calls_per_minute=5)
    other = new_key(shop.gateway, TERMINAL)
    answers = [call(client, SECRET_KEY) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["2", "1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"3"}
    assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
    assert answers[3].headers["Retry-After"] == answers[3].headers["RateLimit-Reset"]
    assert call(client, other).status_code == 200


def test_a_busy_shop_is_not_a_stranger(shop: Shop) -> None:
    """Calls under a good key cost its address nothing; wrong keys and none are stopped after theirs."""
    client = tightened(shop, api_calls_per_minute=1_000, api_stranger_calls_per_minute=3)

    assert {call(client, SECRET_KEY).status_code for _ in range(40)} == {200}
    guesses = [call(client, f"sk_test_{number:040}").status_code for number in range(4)]
    assert guesses == [401, 401, 401, 429]
    assert client.get(f"{PREFIX}/openapi.json").status_code == 429
    assert call(client, SECRET_KEY).status_code == 200


def test_every_answer_has_a_number_to_ask_about(client: FlaskClient) -> None:
    """Request-Id, good or bad."""
    assert len(call(client, SECRET_KEY).headers["Request-Id"]) == 16
    assert len(call(client, "wrong").headers["Request-Id"]) == 16
