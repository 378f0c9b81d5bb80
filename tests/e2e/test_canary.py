"""No secret rests where it should not: a whole purchase at DEBUG, then every log and every table is searched."""

import base64
import json
import re
from pathlib import Path

import psycopg
from psycopg import sql

from sandbox.postgres import Cluster
from sandbox.shopper import Shopper
from tests.world import RunningWorld

ORGANISATIONS = ("gateway", "bank_two", "bank_one", "shop")


def test_d1_no_secret_in_any_log_or_table(world: RunningWorld) -> None:
    """PAN, CVV2, codes, keys and merchant secrets are in no log line and no row; bytes are read as text too."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("teapot")
    code = shopper.request_pin()
    wrong = f"{(int(code) + 7) % 1_000_000:06d}"
    shopper.pay(wrong)
    paid = shopper.pay(code)
    page_token = shopper.page_token
    shopper.return_to_shop()

    logs = "\n".join(file.read_text(errors="replace") for file in _log_files(world))
    rows = "\n".join(_every_row(world))

    assert paid.status_code == 200
    assert len(logs) > 500, "the processes wrote their logs"
    assert page_token in rows, "the search reads what is there"
    for name, pattern in {**_card_secrets(shopper, code, wrong), **_long_secrets(world)}.items():
        assert not re.search(pattern, logs), f"{name} is in a log"
        assert not re.search(pattern, rows), f"{name} is in a table"


def test_d29_no_card_number_in_any_address_and_no_secret_typed_back(world: RunningWorld) -> None:
    """Redirects lead to addresses without card data; the page repeats neither CVV2 nor code."""
    shopper = Shopper(world, world.fresh_card())
    shopper.check_out("teapot")
    code = shopper.request_pin()
    wrong = f"{(int(code) + 7) % 1_000_000:06d}"

    refused = shopper.pay(wrong)
    paid = shopper.pay(code)

    assert (refused.status_code, paid.status_code) == (422, 200)
    for answer in (*refused.history, refused, *paid.history, paid):
        assert shopper.card["pan"] not in answer.url
        assert f'value="{shopper.card["cvv2"]}"' not in answer.text
        assert wrong not in answer.text
        assert code not in answer.text
    assert shopper.card["pan"] not in re.sub(r"\s", "", paid.text)
    assert refused.headers["Cache-Control"].startswith("no-store")
    shopper.return_to_shop()


def _card_secrets(shopper: Shopper, code: str, wrong: str) -> dict[str, str]:
    pan, cvv2 = str(shopper.card["pan"]), str(shopper.card["cvv2"])
    return {
        "the card number": rf"{pan}|{pan[:4]}[ -]{pan[4:8]}[ -]{pan[8:12]}|{pan.encode().hex()}",
        "the CVV2": rf"(?i)cvv2?\W{{1,6}}{cvv2}\b",
        "the code": rf"(?<![\d.]){code}(?!\d)|{code.encode().hex()}",
        "the wrong code": rf"(?<![\d.]){wrong}(?!\d)|{wrong.encode().hex()}",
    }


def _long_secrets(world: RunningWorld) -> dict[str, str]:
    found = {name: re.escape(value) for name, value in world.info["merchant"].items() if name != "terminal_id"}
    for organisation in ("gateway", "bank_two"):
        for key in json.loads((world.state / "keys" / f"{organisation}.json").read_text())["keys"]:
            material = base64.b64decode(key["material"])
            found[f"key {key['id']}"] = f"{re.escape(key['material'])}|(?i:{material.hex()})"
    return found


def _log_files(world: RunningWorld) -> list[Path]:
    return [*(world.state / "log").glob("*.log"), world.state / "postgres" / "postgres.log"]


def _every_row(world: RunningWorld) -> list[str]:
    lines: list[str] = []
    for organisation in ORGANISATIONS:
        url = Cluster(world.state / "postgres").url(organisation, f"{organisation}_owner").replace("+psycopg", "")
        with psycopg.connect(url) as connection:
            tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
            for (table,) in tables:
                query = sql.SQL("SELECT {0}::text FROM {0}").format(sql.Identifier(table))
                lines += [str(row[0]) for row in connection.execute(query)]
    return lines
