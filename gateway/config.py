"""Settings of the gateway: ``GATEWAY_*`` environment variables and nothing else."""

from __future__ import annotations

import base64
import datetime as dt
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from foundation.keys import Keyring
from foundation.networks import Networks
from foundation.proxies import DESCRIPTION as TRUSTED_PROXIES
from foundation.settings import InvalidSettings, from_environment
from foundation.tls import TlsFiles
from gateway.domain.limits import UNCHALLENGED_PIN_REQUESTS

PUBLIC_KEY_BYTES = 32


class Settings(BaseSettings):
    """What a deployment decides. A missing required value stops the process with a sentence that names it."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="postgresql+psycopg://… as the application role")
    owner_database_url: SecretStr | None = Field(None, description="as the owner role; only `migrate` uses it")
    application_role: str = Field("gateway_app", description="role that migrations grant the application's rights to")
    reader_database_url: SecretStr | None = Field(
        None, description="as the read-only role; the monitor asks as nobody else; a live worker requires it (D39)"
    )
    reader_role: str = Field("gateway_reader", description="role that may only read")
    redis_url: str | None = Field(None, description="flood control and wake-ups; every outcome is the same without")
    key_file: Path = Field(description="JSON key file, readable by its owner only")
    master_key: str | None = Field(
        None, description="file:/path or pkcs11:/module.so?token=…&object=…: wraps the key file; live requires it (D41)"
    )
    master_pin_file: Path | None = Field(None, description="PIN of the HSM's token, readable by its owner only")
    public_url: str = Field(description="address of this gateway as browsers see it, without a slash at the end")
    mode: Literal["sandbox", "live"] = Field("live", description="one process serves one mode (D10)")
    psp_id: str = Field(description="who we are to the issuers")
    acquirer_id: str = Field(description="DE 32, 6–11 digits")
    signing_key_id: str = Field(description="id of the Ed25519 key that signs our Harim requests")
    soap_signing_key_id: str | None = Field(
        None, description="id of the key file's PEM (private key and certificate) that signs Harim requests over SOAP"
    )
    switch_tls_certificate: Path | None = Field(
        None, description="PEM file: our certificate; with the next two the switch speaks TLS; live requires it (D22)"
    )
    switch_tls_key: Path | None = Field(None, description="PEM file: its private key, readable by its owner only")
    switch_tls_authorities: Path | None = Field(None, description="PEM file: who may vouch for an issuer's host")
    database_pool_size: int = Field(8, ge=1, description="connections per process")
    workers: int = Field(2, ge=1, description="web processes, for the share of flood control when Redis is away")
    log_level: str = "INFO"
    metrics_directory: Path | None = Field(
        None, description="of this organisation on this machine; its processes add their numbers up there"
    )
    trusted_proxies: Networks = Field((), description=TRUSTED_PROXIES)
    metrics_from: Networks = Field(
        (), description='JSON list of networks, e.g. ["10.9.0.0/16"], that may read /metrics; without, nobody may'
    )

    page_seconds: int = Field(900, description="how long a page may be paid")
    extension_seconds: int = Field(300, ge=60, description="what one extension adds; pages name its whole minutes")
    confirm_window_seconds: int = Field(900, description="a payment not confirmed by then goes back by itself")
    reverse_window_seconds: int = Field(1800, description="how long after its confirmation a merchant may reverse")
    switch_margin_seconds: int = Field(5, description="beyond an issuer's time-out, before an attempt counts as lost")
    promise_seconds: int = Field(
        3_600, ge=60, description="by when an unanswered payment is decided or its money is back (D36)"
    )
    dispute_after_seconds: int = Field(86_400, description="age at which an unfinished reversal alarms a person")
    refund_window_days: int = Field(
        90, ge=1, description="how long a payment can be refunded; then its sealed PAN is wiped (D1)"
    )
    refund_four_eyes_rial: int = Field(
        500_000_000, ge=1, description="refunds of one payment, together so large, wait for a second person (D35)"
    )
    ledger_head_file: Path | None = Field(
        None,
        description="where heads of the ledger's chain are kept, on another machine's disk; needs a key audit-head",
    )
    audit_head_file: Path | None = Field(
        None, description="the same for the approvals trail; a file of its own, signed by the same key"
    )
    settlement_cutoff_hour: int = Field(
        16, ge=0, le=23, description="hour in Tehran at which a business day is cut off and its batch is made"
    )
    settlement_thursdays: bool = Field(
        False,  # noqa: FBT003 - the usual value of a setting
        description="whether Thursdays are business days",
    )
    extra_holidays: tuple[dt.date, ...] = Field(
        (), description='JSON list of dates, e.g. ["2026-12-01"], on which banks are closed besides the known holidays'
    )
    directory_seconds: float = Field(5.0, description="how long merchants, keys and issuers are remembered")
    callback_timeout_seconds: float = Field(10.0, gt=0, le=60, description="for one webhook, from connecting to answer")
    callback_allow_loopback: bool = Field(
        False,  # noqa: FBT003 - the usual value of a setting
        description="webhooks may go to this machine itself, for a shop that runs beside its sandbox; live refuses it",
    )
    webhook_disable_after_days: int = Field(
        7, ge=1, description="an endpoint that fails for so long without one success is disabled"
    )
    bill_terminal_id: str | None = Field(
        None, description="terminal under which people pay bills on the page /bill; without, there is no such page"
    )
    transfer_terminal_id: str | None = Field(
        None, description="terminal under which people send money on the page /transfer; without, there is no such page"
    )
    top_up_terminal_id: str | None = Field(
        None, description="terminal under which people top up numbers on the page /topup; without, no such page"
    )
    top_up_url: str | None = Field(
        None, description="address of whoever delivers top-ups (contracts/topup/v1); without, none is opened"
    )
    top_up_key_id: str = Field("", description="id under which the provider of top-ups signs its answers")
    top_up_public_key: str = Field("", description="its Ed25519 public key, 32 bytes in base64")
    top_up_timeout_seconds: float = Field(10.0, gt=0, le=60, description="for one question to the provider of top-ups")
    balance_terminal_id: str | None = Field(
        None,
        description="terminal under which people ask for balances on the page /balance; without, there is no such page",
    )
    transfer_credit_seconds: int = Field(
        900,
        ge=1,
        le=43_200,
        description="how long a transfer's credit or a top-up is repeated before it is taken back (D7)",
    )
    page_calls_per_minute: int = Field(1200, description="flood control per address on the hosted pages")
    unchallenged_pin_requests: int = Field(
        UNCHALLENGED_PIN_REQUESTS, ge=1, description="PIN requests per address in ten minutes without a challenge"
    )
    api_calls_per_minute: int = Field(6000, ge=1, description="merchant API: calls per secret key")
    api_stranger_calls_per_minute: int = Field(
        600, ge=1, description="merchant API: calls per address without a key that is known to be good"
    )

    @property
    def extension_minutes(self) -> int:
        """What an extension adds, as pages say it."""
        return self.extension_seconds // 60

    def loopback_allowed(self) -> bool:
        """Tell whether webhooks may go to this machine.

        Raises:
            InvalidSettings: a live gateway was asked to.
        """
        if self.callback_allow_loopback and self.mode == "live":
            raise InvalidSettings("GATEWAY_CALLBACK_ALLOW_LOOPBACK is for a sandbox; a live gateway refuses it")
        return self.callback_allow_loopback

    def switch_tls(self) -> TlsFiles | None:
        """Return the files of the switch's TLS; none means plain TCP, which a live gateway refuses (D22).

        Raises:
            InvalidSettings: when one is missing.
        """
        files = (self.switch_tls_certificate, self.switch_tls_key, self.switch_tls_authorities)
        given = [path for path in files if path is not None]
        if len(given) == len(files):
            return TlsFiles(*given)
        if given or self.mode == "live":
            names = "GATEWAY_SWITCH_TLS_CERTIFICATE, GATEWAY_SWITCH_TLS_KEY and GATEWAY_SWITCH_TLS_AUTHORITIES"
            raise InvalidSettings(f"set {names}: a live gateway speaks TLS with issuers' hosts")
        return None

    def top_up_keys(self) -> dict[str, bytes]:
        """Return the public key of the provider of top-ups by its id.

        Raises:
            InvalidSettings: it is none, or a live gateway would ask over plain http.
        """
        try:
            key = base64.b64decode(self.top_up_public_key, validate=True)
        except ValueError:
            key = b""
        if len(key) != PUBLIC_KEY_BYTES or not self.top_up_key_id:
            raise InvalidSettings("GATEWAY_TOP_UP_URL needs GATEWAY_TOP_UP_KEY_ID and GATEWAY_TOP_UP_PUBLIC_KEY")
        if self.mode == "live" and not str(self.top_up_url).startswith("https://"):
            raise InvalidSettings("GATEWAY_TOP_UP_URL is https for a live gateway")
        return {self.top_up_key_id: key}

    def keyring(self) -> Keyring:
        """Open the keys; raises :class:`foundation.key_file.KeyFileRefused`."""
        return Keyring.configured(self.key_file, self.master_key, self.master_pin_file)

    def require_master(self) -> None:
        """Refuse a live process whose keys would lie in clear on a disk (D41).

        Raises:
            InvalidSettings: when no master key is named.
        """
        if self.mode == "live" and self.master_key is None:
            raise InvalidSettings("set GATEWAY_MASTER_KEY: live keys are wrapped under a master key")

    def require_reader(self) -> None:
        """Refuse a live worker that could not ask about the invariants.

        Raises:
            InvalidSettings: when the address of the read-only role is missing.
        """
        if self.mode == "live" and self.reader_database_url is None:
            raise InvalidSettings("set GATEWAY_READER_DATABASE_URL: the monitor asks as the read-only role")


def load() -> Settings:
    """Read the settings from the environment; raises :class:`foundation.settings.InvalidSettings`."""
    return from_environment(Settings)
