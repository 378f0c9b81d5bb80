"""Settings of the bank: ``OTP_*`` environment variables and nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from foundation.keys import Keyring
from foundation.networks import Networks
from foundation.proxies import DESCRIPTION as TRUSTED_PROXIES
from foundation.rial import Rial
from foundation.settings import InvalidSettings, from_environment
from foundation.tls import TlsFiles
from otp.domain.spending import Limits


class HostPeer(BaseModel):
    """An acquirer on the ISO 8583 link, by key ids; ``kek`` are key-exchange keys, none means no key change (D22).

    ``card_present`` lets it speak for cards in machines: first PINs need no CVV2, so only those with machines may.
    ``credit_day_rial`` is what it may give to cards in a Tehran day, less what it takes back; without, nothing (D7).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    mac_in: list[str]
    mac_out: str
    pin: list[str]
    kek: list[str] = []
    card_present: bool = False
    credit_day_rial: int = Field(default=0, ge=0)


class Settings(BaseSettings):
    """What a deployment decides. A missing required value stops the process with a sentence that names it."""

    model_config = SettingsConfigDict(env_prefix="OTP_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="postgresql+psycopg://… as the application role")
    owner_database_url: SecretStr | None = Field(None, description="as the owner role; only `migrate` uses it")
    application_role: str = Field("otp_app", description="role that migrations grant the application's rights to")
    reader_database_url: SecretStr | None = Field(
        None, description="as the read-only role; the monitor asks as nobody else; a live worker requires it (D39)"
    )
    reader_role: str = Field("otp_reader", description="role that may only read")
    redis_url: str | None = Field(None, description="flood control and wake-ups; every outcome is the same without")
    key_file: Path = Field(description="JSON key file, readable by its owner only")
    master_key: str | None = Field(
        None, description="file:/path or pkcs11:/module.so?token=…&object=…: wraps the key file; live requires it (D41)"
    )
    master_pin_file: Path | None = Field(None, description="PIN of the HSM's token, readable by its owner only")
    public_url: str = Field(description="address of this bank as PSPs call it, without a slash at the end")
    mode: Literal["sandbox", "live"] = Field("live", description="one process serves one mode (D10)")
    bank_name_fa: str = Field(description="as the SMS and the pages show it")
    bank_name_en: str = Field(description="as English texts show it")
    disclosure: Literal["open", "proven"] = Field(
        "proven", description="the most that any PSP's profile may disclose about a card without card proof (D19)"
    )
    database_pool_size: int = Field(8, ge=1, description="connections per process")
    workers: int = Field(2, ge=1, description="web processes, for the share of flood control when Redis is away")
    log_level: str = "INFO"
    metrics_directory: Path | None = Field(
        None, description="of this organisation on this machine; its processes add their numbers up there"
    )
    audit_head_file: Path | None = Field(
        None,
        description="where heads of the audit trail are kept, on another machine's disk; a live worker requires it",
    )
    trusted_proxies: Networks = Field((), description=TRUSTED_PROXIES)
    metrics_from: Networks = Field(
        (), description='JSON list of networks, e.g. ["10.9.0.0/16"], that may read /metrics; without, nobody may'
    )

    console: bool = Field(
        default=False,
        description="serve the operators' page /console; its proxy shows it to the bank's own network only",
    )

    code_length: int = Field(7, ge=5, le=8, description="digits of a dynamic PIN (D5)")
    code_life_seconds: int = Field(120, ge=30, le=600, description="how long a dynamic PIN can be used")
    resend_wait_seconds: int = Field(60, ge=10, le=600, description="per transaction, before a code is sent again")
    tries_max: int = Field(3, ge=1, le=5, description="wrong tries per challenge")
    directory_seconds: float = Field(5.0, description="how long PSPs and their keys are remembered")
    terminal_requests_per_hour: int = Field(3_000, ge=1, description="proven requests one terminal may make (D20)")
    psp_requests_per_hour: int = Field(200_000, ge=16, description="proven requests one PSP may make (D20)")
    terminal_wrong_per_hour: int = Field(
        1_000,
        ge=1,
        description="wrong codes and card data at one terminal; then it is heard no more in that hour (D20)",
    )
    psp_wrong_per_hour: int = Field(
        20_000, ge=16, description="the same in one PSP's checks of codes, VerifyDynamicPin (D20)"
    )
    sms_per_day: int = Field(2_000_000, ge=16, description="the bank's budget of code messages (D20)")
    strangers_per_minute: int = Field(120, ge=1, description="calls per address whose signature is not accepted")
    app_calls_per_minute: int = Field(1_200, ge=1, description="calls of the app per address: many phones share one")
    app_strangers_per_minute: int = Field(
        60, ge=1, description="activations, and calls that are refused, per address (D20)"
    )

    sms_file: Path | None = Field(
        None,
        description="JSON: the SMS providers (docs/sms.md), readable by its owner only; a worker requires it",
    )
    sms_sender: str = Field("30003303", description="number that the bank's messages come from")
    sms_timeout_seconds: float = Field(10.0, gt=0, description="for one message, all its providers together")

    inbound_file: Path | None = Field(
        None, description="JSON: who may push holders' messages (otp/inbound/providers.py), readable by its owner only"
    )

    host_address: str = Field("127.0.0.1", description="where the authorisation host listens")
    host_port: int = Field(8181, ge=1, le=65535, description="TCP port of the authorisation host")
    host_peers: dict[str, HostPeer] = Field(
        default_factory=dict,
        description='JSON by acquirer: {"581672": {"mac_in": [ids], "mac_out": id, "pin": [ids], "kek": [ids]}}; '
        'with "card_present": true it has machines that take cards, and may ask with first PINs; with '
        '"credit_day_rial" it may give so much to cards in a day, and ask whose they are',
    )
    host_tls_certificate: Path | None = Field(
        None, description="PEM file: the host's certificate; with the next two the link is TLS; live requires it (D22)"
    )
    host_tls_key: Path | None = Field(None, description="PEM file: its private key, readable by its owner only")
    host_tls_client_authorities: Path | None = Field(
        None, description="PEM file: who may vouch for an acquirer; its certificate names urn:pooya:acquirer:<DE 32>"
    )
    host_threads: int = Field(8, ge=1, description="messages worked on at once; one database connection each")
    purchase_max_rial: int = Field(1_000_000_000, ge=1, description="the most one purchase may take, fee included")
    day_max_rial: int = Field(2_000_000_000, ge=1, description="the most a card spends per Tehran day, fees included")

    unbound_code_max_rial: int = Field(
        1_000_000, ge=0, description="the most a code may take that is not bound to every fact; 0 refuses them (D14)"
    )
    unbound_day_max_rial: int = Field(
        1_000_000, ge=0, description="the most all such codes of a card may take per Tehran day"
    )

    low_ceiling_rial: int = Field(
        200_000,
        ge=0,
        description="of an unbound code or a static PIN's day, for a day after a change of mobile (D27)",
    )
    former_mobile_days: int = Field(
        90, ge=7, description="how long the numbers of a change of mobile are kept, for whoever disputes it (D43)"
    )
    typed_mobile_days: int = Field(
        7,
        ge=1,
        description="how long a number is kept that was typed at a cash machine and never became one (D43)",
    )
    static_pin_day_max_rial: int = Field(
        1_000_000, ge=0, description="what a static second PIN may take per card and Tehran day; 0 refuses it"
    )

    transfer_max_rial: int = Field(100_000_000, ge=0, description="the most one transfer may send, without its fee")
    transfer_day_max_rial: int = Field(
        100_000_000, ge=0, description="the most a card sends to others per Tehran day, without fees"
    )
    unbound_transfers: bool = Field(
        default=False, description="whether a code that is not bound to the transfer may pay one (D14)"
    )
    holder_questions_per_hour: int = Field(
        20_000, ge=16, description="questions for holders' names that one acquirer may ask (D28)"
    )
    balances_per_day: int = Field(20, ge=0, description="how often a card's balance is told per Tehran day")

    def keyring(self) -> Keyring:
        """Open the keys; raises :class:`foundation.key_file.KeyFileRefused`."""
        return Keyring.configured(self.key_file, self.master_key, self.master_pin_file)

    def require_master(self) -> None:
        """Refuse a live process whose keys would lie in clear on a disk (D41).

        Raises:
            InvalidSettings: when no master key is named.
        """
        if self.mode == "live" and self.master_key is None:
            raise InvalidSettings("set OTP_MASTER_KEY: live keys are wrapped under a master key")

    def limits(self) -> Limits:
        """Return what purchases may take."""
        return Limits(
            purchase_max=Rial(self.purchase_max_rial),
            day_max=Rial(self.day_max_rial),
            unbound_code_max=Rial(self.unbound_code_max_rial),
            unbound_day_max=Rial(self.unbound_day_max_rial),
            low_ceiling=Rial(self.low_ceiling_rial),
            static_day_max=Rial(self.static_pin_day_max_rial),
            transfer_max=Rial(self.transfer_max_rial),
            transfer_day_max=Rial(self.transfer_day_max_rial),
            unbound_transfers=self.unbound_transfers,
            holder_questions_per_hour=self.holder_questions_per_hour,
            balances_per_day=self.balances_per_day,
            terminal_wrong_per_hour=self.terminal_wrong_per_hour,
            psp_wrong_per_hour=self.psp_wrong_per_hour,
        )

    def host_tls(self) -> TlsFiles | None:
        """Return the files of the host's TLS; none means plain TCP, which a live host refuses (D22).

        Raises:
            InvalidSettings: when one is missing.
        """
        files = (self.host_tls_certificate, self.host_tls_key, self.host_tls_client_authorities)
        given = [path for path in files if path is not None]
        if len(given) == len(files):
            return TlsFiles(*given)
        if given or self.mode == "live":
            names = "OTP_HOST_TLS_CERTIFICATE, OTP_HOST_TLS_KEY and OTP_HOST_TLS_CLIENT_AUTHORITIES"
            raise InvalidSettings(f"set {names}: a live host speaks TLS with acquirers that have a certificate")
        return None

    def require_audit_heads(self) -> None:
        """Refuse a live worker whose audit trail could be cut unseen (D31).

        Raises:
            InvalidSettings: when no second place is named.
        """
        if self.mode == "live" and self.audit_head_file is None:
            raise InvalidSettings("set OTP_AUDIT_HEAD_FILE: heads of the audit trail are kept in a second place")

    def require_reader(self) -> None:
        """Refuse a live worker that could not ask about the invariants.

        Raises:
            InvalidSettings: when the address of the read-only role is missing.
        """
        if self.mode == "live" and self.reader_database_url is None:
            raise InvalidSettings("set OTP_READER_DATABASE_URL: the monitor asks as the read-only role")


def load() -> Settings:
    """Read the settings from the environment; raises :class:`foundation.settings.InvalidSettings`."""
    return from_environment(Settings)
