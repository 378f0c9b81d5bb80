"""The command line and the composition root, on real files and a real database."""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import text

import gateway.__main__ as commands
from foundation.database import Database
from foundation.settings import InvalidSettings
from gateway import config, wiring
from gateway.app import create_app
from gateway.domain import purposes
from gateway.domain.breaker import SILENCES_MAX
from gateway.domain.health import Health
from gateway.ports import PinUnanswered
from gateway.services import health
from gateway.services.authenticate import authenticate
from tests.fakes.harim import REQUEST
from tests.fakes.pair import wired_switch

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
        for purpose in (*purposes.ALL, "harim-signing")
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
def test_an_issuer_is_paused_listed_and_resumed(capsys: pytest.CaptureFixture[str]) -> None:
    """By its id or a BIN; the list says since when, by whom and why."""
    assert run(ISSUER) == 0
    assert run("issuer pause 999002 --by ali --reason maintenance") == 0
    assert run("issuer list") == 0
    assert re.search(r"two \(Two; 999002\): paused since \S+ \S+ UTC by ali: maintenance", capsys.readouterr().out)
    assert run("issuer resume two") == 0
    assert run("issuer list") == 0
    assert "two (Two; 999002): takes payments" in capsys.readouterr().out


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
        ("issuer pause 999002", "there is no issuer 999002"),
        (f"{ISSUER} --recovery-burst 0", "recovery_burst is 1 to 1000"),
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
def test_an_operator_of_numbers_is_connected(capsys: pytest.CaptureFixture[str]) -> None:
    """To a merchant that is owed what is topped up; one that there is not is refused by name."""
    assert run(MERCHANT) == 0
    assert run("operator add --operator mci --merchant-id 000000000000001") == 0
    assert run("operator add --operator nobody --merchant-id 000000000000001") == 1
    assert "mci" in capsys.readouterr().err


@pytest.mark.usefixtures("environment")
def test_d35_a_biller_goes_to_another_merchant_by_two_people(capsys: pytest.CaptureFixture[str]) -> None:
    """The first at once; another is asked for, and done when somebody else approves it."""
    assert run(MERCHANT) == 0
    assert run(MERCHANT.replace("0001", "0002")) == 0
    add = "biller add --service 4 --company 001 --merchant-id"
    assert run(f"{add} 000000000000001") == 0
    assert "bills of company 001, service 4: owed to 000000000000001" in capsys.readouterr().out
    assert run(f"{add} 000000000000002") == 1
    assert "--by and --reason" in capsys.readouterr().err
    assert run(f"{add} 000000000000002 --by sara --reason contract") == 0
    assert "reconcile approve 1" in capsys.readouterr().out
    assert run("reconcile approve 1 --by ali") == 0
    assert "merchant=000000000000002" in capsys.readouterr().out


@pytest.mark.usefixtures("environment")
def test_d41_a_provider_of_top_ups_has_a_key_and_a_live_one_tls() -> None:
    """Without them nothing starts: an answer that anybody could have given moves money."""
    key = base64.b64encode(bytes(range(32))).decode()
    known = {"top_up_url": "http://localhost:1", "top_up_key_id": "provider-1", "top_up_public_key": key}
    settings = config.load().model_copy(update=known)
    assert settings.top_up_keys() == {"provider-1": bytes(range(32))}
    wiring.build(settings).database.close()
    wrong: tuple[dict[str, str], ...] = (
        {"top_up_public_key": ""},
        {"top_up_public_key": "???"},
        {"top_up_key_id": ""},
        {"mode": "live"},
    )
    for change in wrong:
        with pytest.raises(InvalidSettings, match="GATEWAY_TOP_UP_URL"):
            settings.model_copy(update=change).top_up_keys()


@pytest.mark.usefixtures("environment")
def test_a_missing_setting_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """No default for a secret; the sentence names the variable."""
    del os.environ["GATEWAY_KEY_FILE"]

    assert run("check") == 1
    assert "GATEWAY_KEY_FILE" in capsys.readouterr().err
    with pytest.raises(InvalidSettings, match="GATEWAY_KEY_FILE"):
        config.load()


@pytest.mark.usefixtures("environment")
def test_f18_the_gates_of_both_ways_to_an_issuer_are_read_for_its_health() -> None:
    """Five PIN requests nobody answers make the issuer down here; the switch's gates are those its purchases pass."""
    assert run(ISSUER) == 0
    gateway = wiring.build(config.load())
    issuer = gateway.directory.issuers()["two"]
    assert health.of(gateway, "two") is Health.HEALTHY
    for _ in range(SILENCES_MAX):
        assert gateway.harim.request_pin(issuer, REQUEST) == PinUnanswered("unreachable")

    assert health.of(gateway, "two") is Health.DOWN
    assert gateway.gates[1] is wired_switch(gateway).gates
    gateway.database.close()


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


@pytest.mark.usefixtures("environment")
def test_d22_keys_cannot_be_changed_without_an_issuer_or_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    """Each missing thing is a sentence: the issuer, then its key-exchange key."""
    assert run("issuer change-keys --issuer-id two") == 1
    assert "there is no issuer two" in capsys.readouterr().err
    assert run(ISSUER) == 0
    assert run("issuer change-keys --issuer-id two") == 1
    assert "no active key for iso-kek:two" in capsys.readouterr().err


@pytest.fixture
def reader_url(environment: None, gateway_urls: dict[str, str]) -> None:  # noqa: ARG001 - after the other variables
    """A deployment with a read-only role."""
    os.environ["GATEWAY_READER_DATABASE_URL"] = gateway_urls["reader"]


@pytest.mark.usefixtures("reader_url")
def test_the_monitor_is_a_command(capsys: pytest.CaptureFixture[str], gateway_owner_database: Database) -> None:
    """Text for people, JSON for programs, 0 while all rules hold and 1 when one does not."""
    assert run("monitor") == 0
    said = capsys.readouterr().out
    assert "holds     I1_own_accounts" in said
    assert said.endswith("unexplained: 0 rial\n")
    with gateway_owner_database.single() as connection:
        connection.execute(
            text(
                "INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site) "
                "VALUES ('000000000000009', 'الف', 'A', 'الف', '581672', 'http://localhost'); "
                "INSERT INTO webhook_endpoint (endpoint_id, merchant_id, url, secret_sealed) "
                "VALUES ('whe_1', '000000000000009', 'http://localhost/', 'x'); "
                "INSERT INTO webhook_event (event_id, merchant_id, type, facts) "
                "VALUES ('evt_1', '000000000000009', 'payment.expired', '{}'); "
                "INSERT INTO webhook_delivery (endpoint_id, event_id, number, payment_id, give_up_at) "
                "VALUES ('whe_1', 'evt_1', 1, 'pay_1', house_now() + interval '65 hours')"
            )
        )

    assert run("monitor --json") == 1
    told = json.loads(capsys.readouterr().out)
    assert told["clean"] is False
    assert [row["name"] for row in told["checks"] if row["number"]] == ["I11_webhook_overdue"]
    assert told["measures"]["outbox_waiting"]["webhook"] == 1


@pytest.mark.usefixtures("environment")
def test_no_monitor_without_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    """D39: nobody asks as another role; a live worker does not start without this one."""
    assert run("monitor") == 1
    assert "GATEWAY_READER_DATABASE_URL" in capsys.readouterr().err
    live = config.load().model_copy(update={"mode": "live"})
    with pytest.raises(InvalidSettings, match="GATEWAY_READER_DATABASE_URL"):
        live.require_reader()
