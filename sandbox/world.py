"""What one sandbox consists of: where its files lie, which ports it takes, and each organisation's settings.

Everything can be moved by environment variables: ``POOYA_STATE`` (a directory, ``var`` by default) and the ports of
:data:`PORTS`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sandbox.balances import BALANCE_TERMINAL_ID
from sandbox.banks import BANK_TWO, BANKS, BY_ORGANISATION, Bank
from sandbox.bills import BILL_TERMINAL_ID
from sandbox.places import CannotRun
from sandbox.postgres import Cluster, Roles
from sandbox.redis import RedisServer
from sandbox.short_number import SHORT_NUMBER
from sandbox.top_ups import TOP_UP_TERMINAL_ID, public_settings
from sandbox.transfers import TRANSFER_TERMINAL_ID

ADDRESS = "127.0.0.1"
PORTS = {
    "gateway": ("POOYA_GATEWAY_PORT", 8000),
    "bank": ("POOYA_BANK_PORT", 8102),
    "bank_host": ("POOYA_BANK_HOST_PORT", 8182),
    "bank_front": ("POOYA_BANK_FRONT_PORT", 8192),
    "bank_one": ("POOYA_BANK_ONE_PORT", 8101),
    "bank_one_host": ("POOYA_BANK_ONE_HOST_PORT", 8181),
    "bank_one_front": ("POOYA_BANK_ONE_FRONT_PORT", 8191),
    "hanging_bank": ("POOYA_HANGING_BANK_PORT", 8193),
    "shop": ("POOYA_SHOP_PORT", 8200),
    "top_up": ("POOYA_TOP_UP_PORT", 8300),
}
"""Who listens, the variable that moves it, and the usual port."""

ORGANISATIONS = ("gateway", *BY_ORGANISATION, "shop")
PREFIXES = {"gateway": "GATEWAY_", **dict.fromkeys(BY_ORGANISATION, "OTP_"), "shop": "SHOP_"}
"""What the names of an organisation's settings begin with."""

PROGRAMS = {"gateway": "gateway", **dict.fromkeys(BY_ORGANISATION, "otp"), "shop": "merchant_demo"}
"""Whose commands an organisation's operators run: ``python -m …``."""

CLOCKED = ("gateway", *BY_ORGANISATION)
"""Whose deciding clocks move together."""

METERED = ("gateway", *(bank.web for bank in BANKS))
"""Who shows numbers, as it is called among the ports."""

ACQUIRER_ID = "999100"
TERMINALS_ACQUIRER_ID = "999200"
TERMINALS = "terminals"
"""The cash machines and tills of this sandbox: an acquirer of their own, with keys of their own."""
PSP_ID = "pooya"
ISSUER_ID = BANK_TWO.issuer_id
BANK_BIN = BANK_TWO.bin
BANK_NAME = (BANK_TWO.name_fa, BANK_TWO.name_en)
HANGING_ISSUER_ID = "bank-that-hangs"
HANGING_BIN = "999003"
HANGING_NAME = ("بانکی که پاسخ نمی‌دهد (آزمایشی)", "A bank that hangs (sandbox)")
CODE_LENGTH = 6
UNBOUND_RIAL = 5_000_000
"""The most that a code asked for in a weak dialect may take here; the bank's own default lets nobody buy much."""
CREDIT_DAY_RIAL = 100_000_000_000
"""What the gateway may give to cards of each bank in a day."""
MERCHANT_ID = "000000000000001"
TERMINAL_ID = "10000001"


RESTARTS_A_MINUTE = 5
"""Beyond this a process does not only stumble: something is wrong with it."""


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """What the keys between the terminals and a bank are called, as the terminals see them."""

    mac_out: str
    mac_in: str
    pin: str


def terminal_keys(bank: Bank) -> LinkKeys:
    """Return the names of the keys between the terminals and a bank."""
    return LinkKeys(f"atm-to-{bank.keys}-mac-1", f"{bank.keys}-to-atm-mac-1", f"atm-{bank.keys}-pin-1")


@dataclass(frozen=True, slots=True)
class World:
    """One sandbox: its directory and its ports."""

    state: Path
    ports: Mapping[str, int]
    detours: Mapping[str, int] = field(default_factory=dict)
    """Ports at which somebody in between is reached instead; read from ``POOYA_DETOURS``."""
    restarts_a_minute: int = RESTARTS_A_MINUTE
    """How often a process may end and be started again before all of it stops; ``POOYA_RESTARTS_A_MINUTE``."""

    @classmethod
    def from_environment(cls) -> World:
        """Read directory and ports.

        Raises:
            CannotRun: when a port, or how many restarts there may be, is not a number.
        """
        ports = {}
        for name, (variable, usual) in PORTS.items():
            text = os.environ.get(variable, str(usual))
            if not text.isdecimal() or not 0 < int(text) < 65_536:  # noqa: PLR2004 - the highest port
                raise CannotRun(f"{variable} must be a port number, not {text!r}")
            ports[name] = int(text)
        restarts = os.environ.get("POOYA_RESTARTS_A_MINUTE", str(RESTARTS_A_MINUTE))
        if not restarts.isdecimal():
            raise CannotRun(f"POOYA_RESTARTS_A_MINUTE must be a number, not {restarts!r}")
        state = Path(os.environ.get("POOYA_STATE", "var")).resolve()
        return cls(state, ports, _json_variable("POOYA_DETOURS"), int(restarts))

    @property
    def cluster(self) -> Cluster:
        """The PostgreSQL server."""
        return Cluster(self.state / "postgres")

    @property
    def redis(self) -> RedisServer:
        """The Redis server."""
        return RedisServer(self.state / "redis")

    @property
    def logs(self) -> Path:
        """Where every process writes."""
        return self.state / "log"

    @property
    def phone_file(self) -> Path:
        """The phone's own store, outside every organisation's database."""
        return self.state / "phone.sqlite"

    @property
    def sales_file(self) -> Path:
        """What the tills sold, outside every organisation's database."""
        return self.state / "sales.sqlite"

    @property
    def top_up_folder(self) -> Path:
        """The book and the keys of the provider of top-ups, outside every organisation's database."""
        return self.state / "top-ups"

    @property
    def faults_file(self) -> Path:
        """What is wrong with this world at present."""
        return self.state / "run" / "faults.json"

    @property
    def guide_file(self) -> Path:
        """What the pages of the sandbox tell people: addresses and cards."""
        return self.state / "run" / "guide.json"

    @property
    def sms_file(self) -> Path:
        """The banks' SMS providers: the phone page, and nobody else."""
        return self.state / "run" / "sms.json"

    @property
    def crash_file(self) -> Path:
        """Where the next process is to die."""
        return self.state / "run" / "crash_at"

    @property
    def secrets_file(self) -> Path:
        """What the shop and the operator were handed when everything was set up."""
        return self.state / "keys" / "handed-out.json"

    @property
    def ready_file(self) -> Path:
        """Present while everything answers."""
        return self.state / "run" / "ready"

    @property
    def processes_file(self) -> Path:
        """Names and ids of the running processes."""
        return self.state / "run" / "processes.json"

    def key_file(self, organisation: str) -> Path:
        """One organisation's keys."""
        return self.state / "keys" / f"{organisation}.json"

    def inbound_file(self, organisation: str) -> Path:
        """Who may push holders' messages to a bank."""
        return self.state / "keys" / f"{organisation}-inbound.json"

    def _inbound_addresses(self) -> list[str]:
        """Return where each bank takes the messages of its holders; none before the keys are drawn."""
        files = {bank: self.inbound_file(bank.organisation) for bank in BANKS}
        secrets = {
            bank: json.loads(file.read_text())["sandbox"]["secret"] for bank, file in files.items() if file.exists()
        }
        return [f"{self.address(bank.web)}/sms/inbound/sandbox/{secret}" for bank, secret in secrets.items()]

    def reached_at(self, name: str) -> int:
        """Return the port at which the other organisations reach it."""
        return self.detours.get(name, self.ports[name])

    def address(self, name: str) -> str:
        """Where a person's browser finds it."""
        return f"http://localhost:{self.ports[name]}"

    def database_url(self, organisation: str, role: str) -> str:
        """Address of an organisation's database for ``owner``, ``application`` or ``reader``."""
        roles = Roles(organisation)
        return self.cluster.url(organisation, str(getattr(roles, role)))

    def handed_out(self) -> dict[str, str]:
        """Return the merchant's secret key and webhook secret.

        Raises:
            CannotRun: when the sandbox was never started.
        """
        try:
            found: dict[str, str] = json.loads(self.secrets_file.read_text())
        except OSError:
            raise CannotRun("there is no sandbox here yet; run: make demo") from None
        return found

    def environment(self, organisation: str) -> dict[str, str]:
        """Return what a process of ``organisation`` finds in its environment."""
        if organisation in BY_ORGANISATION:
            own = self._bank(BY_ORGANISATION[organisation])
        else:
            own = {"gateway": self._gateway, "shop": self._shop}[organisation]()
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR", "TZ") if name in os.environ}
        kept |= {"PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path(__file__).parent.parent)}
        wishes = _json_variable("POOYA_SETTINGS").items()
        wished = {name: text for name, text in wishes if name.startswith(PREFIXES[organisation])}
        return {**kept, "SANDBOX_CRASH_FILE": str(self.crash_file), **own, **wished}

    def _common(self, prefix: str, organisation: str) -> dict[str, str]:
        roles = Roles(organisation)
        values = {
            "DATABASE_URL": self.database_url(organisation, "application"),
            "OWNER_DATABASE_URL": self.database_url(organisation, "owner"),
            "READER_DATABASE_URL": self.database_url(organisation, "reader"),
            "APPLICATION_ROLE": roles.application,
            "READER_ROLE": roles.reader,
            "REDIS_URL": self.redis.url,
            "KEY_FILE": str(self.key_file(organisation)),
            "MODE": "sandbox",
            "METRICS_DIRECTORY": str(self.state / "metrics" / organisation),
            "METRICS_FROM": f'["{ADDRESS}/32"]',
            "LOG_LEVEL": os.environ.get("POOYA_LOG_LEVEL", "INFO"),
        }
        return {f"{prefix}_{name}": value for name, value in values.items()}

    def _gateway(self) -> dict[str, str]:
        return {
            **self._common("GATEWAY", "gateway"),
            "GATEWAY_PUBLIC_URL": self.address("gateway"),
            "GATEWAY_PSP_ID": PSP_ID,
            "GATEWAY_ACQUIRER_ID": ACQUIRER_ID,
            "GATEWAY_SIGNING_KEY_ID": "pooya-harim-1",
            "GATEWAY_SOAP_SIGNING_KEY_ID": "pooya-soap-1",
            "GATEWAY_CALLBACK_ALLOW_LOOPBACK": "true",
            "GATEWAY_BILL_TERMINAL_ID": BILL_TERMINAL_ID,
            "GATEWAY_TRANSFER_TERMINAL_ID": TRANSFER_TERMINAL_ID,
            "GATEWAY_BALANCE_TERMINAL_ID": BALANCE_TERMINAL_ID,
            "GATEWAY_TOP_UP_TERMINAL_ID": TOP_UP_TERMINAL_ID,
            **public_settings(self.top_up_folder, f"http://localhost:{self.reached_at('top_up')}"),
            "SANDBOX_TOP_UP_FOLDER": str(self.top_up_folder),
            "GATEWAY_UNCHALLENGED_PIN_REQUESTS": "1000000",  # every shopper of a sandbox has one address
        }

    def _bank(self, bank: Bank) -> dict[str, str]:
        link = {
            "mac_in": [f"pooya-to-{bank.keys}-mac-1"],
            "mac_out": f"{bank.keys}-to-pooya-mac-1",
            "pin": [f"{bank.keys}-pin-1"],
            "kek": [f"pooya-{bank.keys}-kek-1"],
            "credit_day_rial": CREDIT_DAY_RIAL,
        }
        names = terminal_keys(bank)
        machines = {"mac_in": [names.mac_out], "mac_out": names.mac_in, "pin": [names.pin], "card_present": True}
        return {
            **self._common("OTP", bank.organisation),
            "OTP_PUBLIC_URL": f"http://localhost:{self.reached_at(bank.web)}",
            "OTP_BANK_NAME_FA": bank.name_fa,
            "OTP_BANK_NAME_EN": bank.name_en,
            "OTP_DISCLOSURE": "open",
            "OTP_CONSOLE": "true",
            "OTP_INBOUND_FILE": str(self.inbound_file(bank.organisation)),
            "SANDBOX_SHORT_NUMBERS": json.dumps({SHORT_NUMBER: self._inbound_addresses()}),
            "OTP_AUDIT_HEAD_FILE": str(self.state / f"{bank.organisation}.audit-heads"),
            "OTP_CODE_LENGTH": str(CODE_LENGTH),
            "OTP_UNBOUND_CODE_MAX_RIAL": str(UNBOUND_RIAL),
            "OTP_UNBOUND_DAY_MAX_RIAL": str(2 * UNBOUND_RIAL),
            "OTP_HOST_ADDRESS": ADDRESS,
            "OTP_HOST_PORT": str(self.ports[bank.host]),
            "OTP_HOST_PEERS": json.dumps({ACQUIRER_ID: link, TERMINALS_ACQUIRER_ID: machines}),
            "OTP_SMS_FILE": str(self.sms_file),
            "SANDBOX_PHONE_FILE": str(self.phone_file),
            "SANDBOX_TERMINALS": json.dumps(self._terminals(bank)),
            "SANDBOX_FAULTS_FILE": str(self.faults_file),
            "SANDBOX_GUIDE_FILE": str(self.guide_file),
            "SANDBOX_CLOCKS": json.dumps([self.database_url(name, "owner") for name in CLOCKED]),
        }

    def _terminals(self, here: Bank) -> dict[str, Any]:
        """Return what the cash machine and the till at one bank are told: keys, books, and where each bank answers."""
        lines = {
            bank.bin: {"port": self.reached_at(bank.front), "name": [bank.name_fa, bank.name_en],
                       "url": self.address(bank.web), **asdict(terminal_keys(bank))}
            for bank in BANKS
        }  # fmt: skip
        return {
            "bin": here.bin,
            "key_file": str(self.key_file(TERMINALS)),
            "sales_file": str(self.sales_file),
            "lines": lines,
        }

    def _shop(self) -> dict[str, str]:
        handed = self.handed_out()
        return {
            "SHOP_DATABASE_URL": self.database_url("shop", "application"),
            "SHOP_OWNER_DATABASE_URL": self.database_url("shop", "owner"),
            "SHOP_APPLICATION_ROLE": Roles("shop").application,
            "SHOP_READER_ROLE": Roles("shop").reader,
            "SHOP_GATEWAY_URL": self.address("gateway"),
            "SHOP_SECRET_KEY": handed["secret_key"],
            "SHOP_WEBHOOK_SECRET": handed["webhook_secret"],
            "SHOP_PUBLIC_URL": self.address("shop"),
            "SHOP_SHOPKEEPER_PAGE": "true",
            "SHOP_TESTING_URL": f"{self.address(BANK_TWO.web)}/sandbox/",
        }


def _json_variable(name: str) -> dict[str, Any]:
    """Read an object from the environment; programs that start a sandbox write it."""
    found: dict[str, Any] = json.loads(os.environ.get(name, "{}"))
    return found
