"""A biller of the sandbox at its desk: it is told which of its bills were paid, and refuses one of them (D12)."""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from typing import Any

import psycopg
import requests

from gateway.domain.bills import Bill
from sandbox.bills import Biller
from sandbox.places import CannotRun
from sandbox.running import RunningWorld, wait_for

SECONDS = 30.0


class RefusingBiller:
    """Calls the published API with a key of its own, and signs with the secret of an endpoint of its own.

    The secret was made by the API key and would have to wait two days before it signs a refusal; here they are over.
    """

    def __init__(self, world: RunningWorld, biller: Biller) -> None:
        self._api = f"{world.info['gateway']}/api/v1"
        self._headers = {"Authorization": f"Bearer {_new_key(world, biller.terminal_id)}"}
        hook = {"url": f"https://biller.example/{secrets.token_hex(4)}", "event_types": ["bill.paid"]}
        secret = self._call("POST", "webhook_endpoints", hook)["secret"]
        self._secret = base64.b64decode(secret.removeprefix("whsec_"))
        owner = world.world.database_url("gateway", "owner").replace("+psycopg", "")
        with psycopg.connect(owner, autocommit=True) as connection:
            connection.execute("UPDATE webhook_endpoint SET refuses_from = house_now()")

    def refuse(self, bill: Bill) -> None:
        """Say no to a bill that was paid, and return when its money is back on the card."""
        events = self._call("GET", "events?type=bill.paid")["items"]
        told = next(event["data"] for event in events if event["data"]["bill_id"] == bill.bill_id)
        named = {name: told[name] for name in ("tracking_code", "bill_id", "pay_id")}
        mac = hmac.digest(self._secret, ".".join(("bill.refused", *named.values())).encode(), "sha256")
        refusal = {**named, "signature": f"v1,{base64.b64encode(mac).decode()}"}
        wait_for(lambda: self._call("POST", "bills/refusals", refusal)["state"] == "done", "the refund of a bill")

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        answer = requests.request(method, f"{self._api}/{path}", headers=self._headers, json=body, timeout=SECONDS)
        answer.raise_for_status()
        document: dict[str, Any] = answer.json()
        return document


def _new_key(world: RunningWorld, terminal_id: str) -> str:
    """Make a secret key for a terminal, as the operator of this world.

    Raises:
        CannotRun: with what the command said instead of a key.
    """
    made = world.operate("gateway", "key", "new", "--terminal-id", terminal_id)
    found = re.search(r"sk_test_\w+", made.stdout)
    if not found:
        raise CannotRun(made.stdout + made.stderr)
    return found[0]
