"""The composition root: settings in, the whole gateway out, top to bottom."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Callable
from functools import partial

from foundation.aside import Aside
from foundation.certificates import CertificateRefused
from foundation.database import Database
from foundation.flood import FloodControl
from foundation.keys import Keyring
from foundation.metrics import open_metrics
from foundation.monitor import open_reader
from foundation.settings import InvalidSettings
from foundation.signatures import Signer
from foundation.tls import TlsFilesRefused
from foundation.wake import Wake
from foundation.xml_signatures import EnvelopeSigner
from gateway.callbacks.sender import WebhookSender
from gateway.config import Settings
from gateway.harim.client import HarimClient
from gateway.metered import MeteredCallbacks, MeteredHarim, MeteredSwitch, MeteredTopUps
from gateway.meters import Meters
from gateway.ports import KeyExchange, TopUps, UnmatchedAnswer
from gateway.services.gateway import Gateway as Gateway
from gateway.services.hear_unmatched import hear_unmatched
from gateway.store import link_keys
from gateway.store.directory import Directory
from gateway.switch.client import SwitchClient
from gateway.switch.key_exchange import KeyExchangeClient
from gateway.top_ups.client import NoTopUps, TopUpClient

UNMATCHED_ROOM = 1_000
"""Answers nobody waited for that may wait to be recorded, in one process."""


def build(settings: Settings, *, process: str = "gateway") -> Gateway:
    """Build the gateway of one process; opens no connection yet.

    Args:
        settings: what this deployment decided.
        process: what ``pg_stat_activity`` calls its connections.

    Raises:
        InvalidSettings: when a live gateway has no certificate for its switch, or a certificate cannot be used, or when
            it is to send webhooks to its own machine.
    """
    allow_loopback = settings.loopback_allowed()
    keyring = settings.keyring()
    database = Database(
        settings.database_url.get_secret_value(),
        pool_size=settings.database_pool_size,
        application_name=process,
    )
    signer = Signer(settings.signing_key_id, keyring.material(settings.signing_key_id).reveal())
    lost_and_found: Aside[UnmatchedAnswer] = Aside("unmatched-answers", room=UNMATCHED_ROOM)
    meters = Meters(open_metrics(settings.metrics_directory))
    harim = HarimClient(signer, _envelope_signer(settings, keyring))
    switch = _switch(settings, keyring, database, lost_and_found.put)
    callbacks = WebhookSender(
        timeout_seconds=settings.callback_timeout_seconds,
        https_only=settings.mode == "live",
        allow_loopback=allow_loopback,
        now=lambda: dt.datetime.now(dt.UTC),
    )
    reader_url = settings.reader_database_url
    gateway = Gateway(
        settings=settings,
        database=database,
        keyring=keyring,
        directory=Directory(database, seconds=settings.directory_seconds),
        harim=MeteredHarim(harim, meters, harim.breaker_state),
        switch=MeteredSwitch(switch, meters, switch.breaker_state),
        callbacks=MeteredCallbacks(callbacks, meters),
        top_ups=MeteredTopUps(_top_ups(settings, signer), meters),
        flood=FloodControl(settings.redis_url, workers=settings.workers),
        gates=(harim.gates, switch.gates),
        wake=None if settings.redis_url is None else Wake(settings.redis_url, "gateway"),
        reader=None if reader_url is None else open_reader(reader_url.get_secret_value(), "gateway-monitor"),
        meters=meters,
    )
    lost_and_found.does(partial(hear_unmatched, gateway))
    return gateway


def key_exchange(gateway: Gateway) -> KeyExchange:
    """Build how an operator's command changes the keys of an issuer's link; it has a link of its own."""
    settings, keyring = gateway.settings, gateway.keyring
    return KeyExchangeClient(_switch(settings, keyring, gateway.database, bool), keyring)


def _top_ups(settings: Settings, signer: Signer) -> TopUps:
    if settings.top_up_url is None:
        return NoTopUps()
    url, seconds = settings.top_up_url.rstrip("/"), settings.top_up_timeout_seconds
    return TopUpClient(signer, url, settings.top_up_keys(), seconds=seconds)


def _switch(
    settings: Settings, keyring: Keyring, database: Database, lost_and_found: Callable[[UnmatchedAnswer], bool]
) -> SwitchClient:
    return SwitchClient(
        keyring,
        settings.acquirer_id,
        tls=_switch_tls(settings),
        exchanged=partial(link_keys.exchanged, database),
        lost_and_found=lost_and_found,
    )


def _envelope_signer(settings: Settings, keyring: Keyring) -> EnvelopeSigner | None:
    key_id = settings.soap_signing_key_id
    try:
        return None if key_id is None else EnvelopeSigner(keyring.material(key_id).reveal())
    except CertificateRefused as error:
        raise InvalidSettings(f"GATEWAY_SOAP_SIGNING_KEY_ID: {error}") from None


def _switch_tls(settings: Settings) -> ssl.SSLContext | None:
    files = settings.switch_tls()
    try:
        return None if files is None else files.client_context()
    except TlsFilesRefused as error:
        raise InvalidSettings(f"GATEWAY_SWITCH_TLS_*: {error}") from None
