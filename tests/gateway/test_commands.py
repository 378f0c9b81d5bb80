"""The command line and the composition root, on real files and a real database."""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

import gateway.__main__ as commands
from foundation.database import Database
from foundation.settings import InvalidSettings
from gateway import config, wiring
from gateway.app import create_app
from gateway.services.authenticate import authenticate
from tests.fakes.shop import PURPOSES

MERCHANT = (
    "merchant add --merchant-id 000000000000001 --terminal-id 00000001 --name-fa کتاب --name-en Books "
    "--payee-name کتاب --site http://localhost:8200"
)
ISSUER = (
    "issuer add --issuer-id two --name-fa دو --name-en Two --harim-dialect harim-v1-rest "
    "--harim-url http://127.0.0.1:1 --harim-key-id bank-two --switch-host 127.0.0.1 --switch-port 1 --bin 999002 "
    f"--switch-timeout-ms 200 --harim-timeout-ms 200 --harim-public-key {base64.b64encode(bytes(32)).decode()}"
)


@pytest.fixture
def environment(tmp_path: Path, gateway_database: Database, gateway_urls: dict[str, str]) -> Iterator[None]:
    """A deployment's variables and key file."""
    assert gateway_database.ping()
    key_file = tmp_path / "keys.json"
    rows = [
        {"id": f"{purpose}-1", "purpose": purpose, "material": base64.b64encode(secrets.token_bytes(32)).decode()}
        for purpose in (*PURPOSES, "harim-signing")
    ]
    key_file.write_text(json.dumps({"keys": rows}))
    key_file.chmod(0o600)
    values = {
        "GATEWAY_DATABASE_URL": gateway_urls["application"],
        "GATEWAY_OWNER_DATABASE_URL": gateway_urls["owner"],
        "GATEWAY_KEY_FILE": str(key_file),
        "GATEWAY_PUBLIC_URL": "http://localhost:8000",
        "GATEWAY_MODE": "sandbox",
        "GATEWAY_PSP_ID": "pooya",
        "GATEWAY_ACQUIRER_ID": "581672",
        "GATEWAY_SIGNING_KEY_ID": "harim-signing-1",
    }
    before = dict(os.environ)
    os.environ.update(values)
    yield
    os.environ.clear()
    os.environ.update(before)


def run(line: str) -> int:
    """Run one command line."""
    return commands.main(line.split())


@pytest.mark.usefixtures("environment")
def test_a_gateway_is_set_up_by_commands(capsys: pytest.CaptureFixture[str]) -> None:
    """Migrate (again is fine), add a merchant, an issuer and a key, check."""
    assert run("migrate") == 0
    assert run(MERCHANT) == 0
    assert run(ISSUER) == 0
    capsys.readouterr()
    assert run("key new --terminal-id 00000001") == 0
    secret = capsys.readouterr().out.strip()

    gateway = wiring.build(config.load())
    assert authenticate(gateway, secret).merchant_id == "000000000000001"
    gateway.database.close()
    assert run("check") == 0
    said = capsys.readouterr().out
    assert "issuer two: Harim does not answer, switch does not answer" in said
    assert "postgresql" not in said


@pytest.mark.usefixtures("environment")
def test_keys_are_made_listed_rotated_and_revoked(capsys: pytest.CaptureFixture[str]) -> None:
    """A key's whole life on the command line; only the commands that make one print one."""
    run(MERCHANT)
    capsys.readouterr()
    assert run("key new --terminal-id 00000001 --name checkout --scope payments:read --expires-days 30") == 0
    old = capsys.readouterr().out.strip()
    assert run("key list --terminal-id 00000001") == 0
    listed = capsys.readouterr().out
    key_id = listed.split(" ")[0]
    assert "checkout · test · usable · ends " in listed
    assert "never used · payments:read" in listed
    assert run(f"key rotate {key_id} --overlap-hours 1") == 0
    said = capsys.readouterr()
    assert said.out.startswith("sk_test_")
    assert f"{key_id} ends at" in said.err
    assert run(f"key revoke {key_id}") == 0
    capsys.readouterr()
    assert run("key list --terminal-id 00000001") == 0
    listed = capsys.readouterr().out
    assert [" revoked " in line for line in listed.splitlines()] == [True, False]
    assert old not in listed
    assert run(f"key revoke {key_id}") == 1


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("key new --terminal-id 99999999", "there is no terminal 99999999"),
        ("key rotate key_x", "there is no usable key key_x"),
        (MERCHANT.replace("000000000000001", "1"), "merchant_id has 15 digits"),
        (ISSUER.replace("harim-v1-rest", "harim-v9"), "there is no dialect harim-v9"),
        (ISSUER.replace("--bin 999002", "--bin 621986"), "real bank"),
    ],
)
def test_a_wrong_row_is_a_sentence_not_a_traceback(
    line: str, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The operator reads what to correct."""
    assert run(line) == 1
    said = capsys.readouterr().err
    assert sentence in said
    assert "Traceback" not in said


@pytest.mark.usefixtures("environment")
def test_a_missing_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """No default for a secret; the sentence names the variable."""
    del os.environ["GATEWAY_KEY_FILE"]

    assert run("check") == 1
    assert "GATEWAY_KEY_FILE" in capsys.readouterr().err
    with pytest.raises(InvalidSettings, match="GATEWAY_KEY_FILE"):
        config.load()


@pytest.mark.usefixtures("environment")
def test_migrations_need_the_owner(capsys: pytest.CaptureFixture[str]) -> None:
    """D39: the application role cannot migrate."""
    del os.environ["GATEWAY_OWNER_DATABASE_URL"]

    assert run("migrate") == 1
    assert "GATEWAY_OWNER_DATABASE_URL" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_the_application_is_built_from_the_environment() -> None:
    """One factory; it serves even while the database is away."""
    app = create_app()
    assert app.test_client().get("/readyz").status_code == 200
    app.extensions["gateway"].database.close()

    away = config.load().model_copy(
        update={"database_url": SecretStr("postgresql+psycopg://nobody@/nowhere?host=/nonexistent")}
    )
    client = create_app(away).test_client()
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
