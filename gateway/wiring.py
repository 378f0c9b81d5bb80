"""The composition root: settings in, the whole gateway out, top to bottom."""

from __future__ import annotations

import datetime as dt
import ssl

from foundation.database import Database
from foundation.flood import FloodControl
from foundation.keys import Keyring
from foundation.settings import InvalidSettings
from foundation.signatures import Signer
from foundation.tls import TlsFilesRefused
from foundation.wake import Wake
from gateway.callbacks.sender import WebhookSender
from gateway.config import Settings
from gateway.harim.client import HarimClient
from gateway.services.gateway import Gateway as Gateway
from gateway.store.directory import Directory
from gateway.switch.client import SwitchClient


def build(settings: Settings) -> Gateway:
    """Build the gateway of one process; opens no connection yet.

    Raises:
        InvalidSettings: when a live gateway has no certificate for its switch, or one cannot be used, or when it is to
            send webhooks to its own machine.
    """
    allow_loopback = settings.loopback_allowed()
    tls = _switch_tls(settings)
    keyring = Keyring.from_file(settings.key_file)
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name="gateway",
    )
    signer = Signer(settings.signing_key_id, keyring.material(settings.signing_key_id).reveal())
    return Gateway(
        settings=settings,
        database=database,
        keyring=keyring,
        directory=Directory(database, seconds=settings.directory_seconds),
        harim=HarimClient(signer),
        switch=SwitchClient(keyring, settings.acquirer_id, tls=tls),
        callbacks=WebhookSender(
            timeout_seconds=settings.callback_timeout_seconds,
            https_only=settings.mode == "live",
            allow_loopback=allow_loopback,
            now=lambda: dt.datetime.now(dt.UTC),
        ),
        flood=FloodControl(settings.redis_url, workers=settings.workers),
        wake=None if settings.redis_url is None else Wake(settings.redis_url, "gateway"),
    )


def _switch_tls(settings: Settings) -> ssl.SSLContext | None:
    files = settings.switch_tls()
    try:
        return None if files is None else files.client_context()
    except TlsFilesRefused as error:
        raise InvalidSettings(f"GATEWAY_SWITCH_TLS_*: {error}") from None
