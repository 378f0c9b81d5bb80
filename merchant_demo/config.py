"""Settings of the shop: ``SHOP_*`` environment variables and nothing else."""

from __future__ import annotations

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from foundation.settings import from_environment


class Settings(BaseSettings):
    """What a deployment decides. A missing required value stops the process with a sentence that names it."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="postgresql+psycopg://… as the application role")
    owner_database_url: SecretStr | None = Field(None, description="as the owner role; only `migrate` uses it")
    application_role: str = Field("shop_app", description="role that migrations grant the application's rights to")
    reader_role: str = Field("shop_reader", description="role that may only read")
    gateway_url: str = Field(description="where the merchant API answers, without a slash at the end")
    gateway_timeout_seconds: float = Field(10.0, description="longest wait for one answer of the gateway")
    secret_key: SecretStr = Field(description="the merchant's API key, sk_test_… or sk_live_…")
    webhook_secret: SecretStr = Field(
        description="key of the gateway's signed webhooks, whsec_…; two with a space between while it is rotated"
    )
    public_url: str = Field(description="where customers reach this shop, without a slash at the end")
    testing_url: str = Field("", description="a page about testing that the ribbon links to; none in production")
    shopkeeper_page: bool = Field(
        default=False,
        description="show /shopkeeper, where whoever reaches the shop refunds orders; for trying out alone",
    )
    reconcile_seconds: float = Field(10.0, description="how often the worker asks about orders still open")
    database_pool_size: int = Field(5, ge=1, description="connections per process")
    log_level: str = "INFO"

    def webhook_secrets(self) -> tuple[str, ...]:
        """Return every live key of the gateway's webhooks."""
        return tuple(self.webhook_secret.get_secret_value().split())


def load() -> Settings:
    """Read the settings from the environment; raises :class:`foundation.settings.InvalidSettings`."""
    return from_environment(Settings)
