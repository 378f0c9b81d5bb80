"""The file of the bank's SMS providers, and the providers themselves made from it.

The file of ``OTP_SMS_FILE`` is JSON, readable by its owner only: a list of rows as ``docs/sms.md`` describes them.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, TypeAdapter, ValidationError

from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings
from otp.ports import ProviderReceipts, Receipt, SmsProvider
from otp.sms.failover import Failover, Member, Watcher
from otp.sms.ghasedak import GHASEDAK
from otp.sms.health import Health
from otp.sms.ippanel import IPPANEL
from otp.sms.kavenegar import KAVENEGAR
from otp.sms.magfa import MAGFA
from otp.sms.melipayamak import MELIPAYAMAK
from otp.sms.panel import Account, Panel, Template
from otp.sms.provider import HttpProvider
from otp.sms.sender import Sender
from otp.sms.smpp import SmppProvider
from otp.sms.smpp_centre import Centre
from otp.sms.smsir import SMSIR

PANELS: Mapping[str, Panel] = {
    "kavenegar": KAVENEGAR,
    "smsir": SMSIR,
    "ghasedak": GHASEDAK,
    "melipayamak": MELIPAYAMAK,
    "magfa": MAGFA,
    "ippanel": IPPANEL,
}
FACTORY, SMPP = "factory", "smpp"
PROVIDERS_MOST = 8
_CENTRE = re.compile(r"(smpps?)://([\w.-]+):(\d{1,5})", re.ASCII)
_ADDRESS = re.compile(r"https://[\w.:-]+(?:/[\w./-]*[\w.-])?|http://127\.0\.0\.1:\d+", re.ASCII)


class _Template(BaseModel):
    model_config = ConfigDict(extra="forbid")

    id: str = Field(min_length=1)
    values: dict[str, str] = Field(min_length=1)


class _Smpp(BaseModel):
    model_config = ConfigDict(extra="forbid")

    system_type: Annotated[str, Field(max_length=12)] = ""
    window: Annotated[int, Field(ge=1, le=1000)] = 10
    per_second: Annotated[int, Field(ge=1, le=10_000)] = 50
    source: tuple[int, int] = (0, 1)
    dest: tuple[int, int] = (1, 1)


class _Row(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9-]{1,32}$")
    kind: str
    credentials: dict[str, SecretStr] = {}
    line: str | None = None
    templates: dict[str, _Template] = {}
    weight: int = Field(100, ge=1, le=1000)
    timeout_seconds: float = Field(3.0, gt=0, le=30)
    address: str | None = None
    states: dict[str, Receipt] = {}
    factory: str | None = None
    smpp: _Smpp = Field(default_factory=_Smpp)


_ROWS = TypeAdapter(Annotated[list[_Row], Field(min_length=1, max_length=PROVIDERS_MOST)])


def open_providers(path: Path, watcher: Watcher) -> Failover:
    """Read the file of providers and make them.

    Args:
        path: of the file.
        watcher: counts what providers answer.

    Raises:
        InvalidSettings: when it is missing, readable by others, or a row of it is wrong; no value of it is shown.
    """
    if not path.is_file() or path.stat().st_mode & 0o077:
        raise InvalidSettings(f"OTP_SMS_FILE: {path} must be a file that its owner alone can read")
    try:
        rows = _ROWS.validate_json(path.read_bytes())
    except ValidationError as error:
        wrong = ", ".join(".".join(map(str, row["loc"])) or "the whole" for row in error.errors())
        raise InvalidSettings(f"OTP_SMS_FILE: set these correctly in {path}: {wrong}") from None
    if len({row.name for row in rows}) < len(rows):
        raise InvalidSettings(f"OTP_SMS_FILE: two rows of {path} have one name")
    sender = Sender()
    return Failover([_member(row, sender) for row in rows], watcher)


def _member(row: _Row, sender: Sender) -> Member:
    health = Health(row.weight)
    if row.kind == FACTORY:
        made = _made_by(row)
        receipts = made if isinstance(made, ProviderReceipts) else None
        return Member(row.name, made, row.timeout_seconds, health, receipts)
    if row.kind == SMPP:
        centre = SmppProvider(_centre(row))
        return Member(row.name, centre, row.timeout_seconds, health, session=centre)
    panel = PANELS.get(row.kind)
    if panel is None:
        raise InvalidSettings(f"OTP_SMS_FILE: kind of {row.name} is none of {', '.join((*PANELS, SMPP, FACTORY))}")
    _check_credentials(row, panel.credentials)
    if row.address is not None and not _ADDRESS.fullmatch(row.address):
        raise InvalidSettings(f"OTP_SMS_FILE: address of {row.name} must be https://… without a slash at the end")
    try:
        provider = HttpProvider(_account(row), panel, sender)
    except ValueError:
        raise InvalidSettings(f"OTP_SMS_FILE: line or a template's id of {row.name} must be a number") from None
    return Member(row.name, provider, row.timeout_seconds, health, provider)


def _check_credentials(row: _Row, names: Sequence[str]) -> None:
    if set(row.credentials) != set(names):
        raise InvalidSettings(f"OTP_SMS_FILE: credentials of {row.name} are {' and '.join(names)}")


def _centre(row: _Row) -> Centre:
    _check_credentials(row, ("system_id", "password"))
    found = _CENTRE.fullmatch(row.address or "")
    if found is None:
        raise InvalidSettings(f"OTP_SMS_FILE: address of {row.name} must be smpp://host:port or smpps://host:port")
    return Centre(
        name=row.name,
        host=found[2],
        port=int(found[3]),
        system_id=Sensitive(row.credentials["system_id"].get_secret_value()),
        password=Sensitive(row.credentials["password"].get_secret_value()),
        line=row.line,
        tls=found[1] == "smpps",
        system_type=row.smpp.system_type,
        window=row.smpp.window,
        per_second=row.smpp.per_second,
        source=row.smpp.source,
        dest=row.smpp.dest,
    )


def _account(row: _Row) -> Account:
    return Account(
        credentials={name: Sensitive(value.get_secret_value()) for name, value in row.credentials.items()},
        line=row.line,
        templates={name: Template(each.id, each.values) for name, each in row.templates.items()},
        address=row.address,
        states=row.states,
    )


def _made_by(row: _Row) -> SmsProvider:
    module, _, factory = (row.factory or "").partition(":")
    try:
        return cast("SmsProvider", getattr(importlib.import_module(module), factory)())
    except (ImportError, AttributeError, ValueError):
        raise InvalidSettings(f"OTP_SMS_FILE: factory of {row.name} is no module:factory") from None
