"""Writes the pages that say what code already says: settings, what may follow what, problems, the merchant contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined
from pydantic_settings import BaseSettings

from foundation.machine import Machine
from gateway.api.catalogue import ROWS
from gateway.api.door import OPERATIONS
from gateway.api.openapi import document
from gateway.config import Settings as GatewaySettings
from gateway.domain.attempt import MACHINE as ATTEMPT
from gateway.domain.payment import MACHINE as PAYMENT
from gateway.domain.refund import MACHINE as REFUND
from merchant_demo.config import Settings as ShopSettings
from otp.config import Settings as BankSettings
from otp.domain.activation import ACTIVATION
from otp.domain.challenge import CHALLENGE
from otp.domain.device import DEVICE
from sandbox.world import PORTS, RESTARTS_A_MINUTE

DOCS = Path(__file__).parent.parent / "docs"
NOTE = "<!-- written by `make docs`; change the code instead -->"


def configuration() -> str:
    """Return the page of every setting of every organisation."""
    sections = (
        _settings("Gateway", "GATEWAY_", GatewaySettings),
        _settings("Bank", "OTP_", BankSettings),
        _settings("Shop", "SHOP_", ShopSettings),
    )
    ports = "\n".join(
        f"| `{variable}` | `{usual}` | port of the {name.replace('_', ' ')} |"
        for name, (variable, usual) in PORTS.items()
    )
    return f"""# Configuration
{NOTE}

The environment and nothing else. A required value that is missing stops the process at start with a sentence that
names it.
`python -m gateway check` and `python -m otp check` print the effective settings, secrets starred.
D1 and the like are [decisions](decisions.md).

{"".join(sections)}## Sandbox

| variable | usual | meaning |
|---|---|---|
| `POOYA_STATE` | `var` | directory of data, keys and logs |
| `POOYA_LOG_LEVEL` | `INFO` | of every process of the sandbox |
| `POOYA_RESTARTS_A_MINUTE` | `{RESTARTS_A_MINUTE}` | ends of a process in a minute; one more stops all |
| `POOYA_SETTINGS` | `{{}}` | JSON object: settings of the organisations (`GATEWAY_…`, `OTP_…`, `SHOP_…`) |
| `CRASH_AT` | none | place at which a process dies once: `python -m sandbox crash` lists them |
{ports}
"""


def states() -> str:
    """Return the page of the state machines."""
    return f"""# States
{NOTE}

Each machine is a table in the code; these drawings are made from the tables.

{_drawing("Payment", "one intent to move one amount once (`gateway/domain/payment.py`)", PAYMENT)}
{_drawing("Attempt", "one try to authorise a payment with a card (`gateway/domain/attempt.py`)", ATTEMPT)}
{_drawing("Refund", "money of a kept payment on its way back to the card (`gateway/domain/refund.py`)", REFUND)}
{_drawing("Challenge", "one dynamic PIN at the bank (`otp/domain/challenge.py`)", CHALLENGE)}
{_drawing("Activation", "one code that lets an app have a card (`otp/domain/activation.py`)", ACTIVATION)}
{_drawing("Device", "one app on one device (`otp/domain/device.py`)", DEVICE)}"""


def problems() -> str:
    """Return the page of every problem of the merchant API."""
    rows = "\n".join(
        f'| {row.status} | <a id="{row.code}"></a>`{row.code}` | {row.title.en}<br>{row.title.fa} '
        f"| {row.do.en}<br>{row.do.fa} |"
        for row in ROWS
    )
    return f"""# Problems of the merchant API
{NOTE}

`application/problem+json` (RFC 9457). The `type` of a problem is the gateway's own `/api/v1/problems#code`, which
serves this table as JSON and as a page. `title` is Persian where `Accept-Language` prefers it.

| status | code | meaning | what to do |
|---|---|---|---|
{rows}
"""


def contract() -> str:
    """Return the OpenAPI document of the merchant API, for a gateway at the sandbox's usual address."""
    return json.dumps(document(OPERATIONS, USUAL_ADDRESS), indent=1, ensure_ascii=False) + "\n"


USUAL_ADDRESS = "http://localhost:8000"
PAGES: dict[str, Callable[[], str]] = {
    "configuration.md": configuration,
    "states.md": states,
    "problems.md": problems,
    "../contracts/merchant/v1/openapi.json": contract,
}
"""File, as seen from ``docs/`` → what it says."""


def write_pages() -> None:
    """Write every generated page."""
    for name, page in PAGES.items():
        (DOCS / name).write_text(page())


def _settings(title: str, prefix: str, settings: type[BaseSettings]) -> str:
    rows = "\n".join(
        f"| `{prefix}{name.upper()}` | {_usual(field)} | {_cell(field.description or '')} |"
        for name, field in settings.model_fields.items()
    )
    return f"## {title}\n\n| variable | usual | meaning |\n|---|---|---|\n{rows}\n\n"


def _usual(field: FieldInfo) -> str:
    if field.is_required():
        return "**required**"
    value: Any = field.get_default(call_default_factory=True)
    return "–" if value in (None, PydanticUndefined, {}, ()) else f"`{value}`"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _drawing(title: str, what: str, machine: Machine[Any, Any]) -> str:
    return f"## {title}\n\n{title}: {what}.\n\n```mermaid\n{machine.mermaid().strip()}\n```\n"
