"""The composition root: from settings to a bank that works."""

from __future__ import annotations

import ssl
from functools import partial

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
from otp.config import Settings
from otp.domain import purposes
from otp.host.key_sets import KeySets, described
from otp.host.link import LinkLimits
from otp.host.peers import Peer, PeerRefused, peers_of
from otp.host.server import HostServer
from otp.meters import Meters
from otp.ports import SmsProvider
from otp.services.bank import SMS_CHANNEL, Bank
from otp.services.desk import Desk
from otp.services.link_keys import live_keys
from otp.sms.accounts import open_providers
from otp.store.psps import PspDirectory


def build(
    settings: Settings, *, sms: SmsProvider | None = None, database: Database | None = None, process: str = "otp"
) -> Bank:
    """Wire the bank.

    Args:
        settings: what this deployment decided.
        sms: the provider; without one the file of ``OTP_SMS_FILE`` lists them, and without that the process sends
            nothing.
        database: an open one, for a process that has it already.
        process: what ``pg_stat_activity`` calls its connections.

    Raises:
        InvalidSettings: when the key that signs SOAP is none, or the file of SMS providers is wrong.
    """
    database = database or Database(
        settings.database_url.get_secret_value(), pool_size=settings.database_pool_size, application_name=process
    )
    keys = settings.keyring()
    signing_id = keys.active_id(purposes.HARIM_SIGNING)
    reader_url = settings.reader_database_url
    meters = Meters(open_metrics(settings.metrics_directory))
    several = None if sms or not settings.sms_file else open_providers(settings.sms_file, meters.sms_provider_answered)
    return Bank(
        settings=settings,
        database=database,
        keys=keys,
        signer=Signer(signing_id, keys.material(signing_id).reveal()),
        psps=PspDirectory(database, seconds=settings.directory_seconds),
        flood=FloodControl(settings.redis_url, workers=settings.workers),
        wake=Wake(settings.redis_url, SMS_CHANNEL) if settings.redis_url else None,
        sms=sms or several,
        sms_lines=several,
        envelope_signer=_envelope_signer(keys),
        reader=None if reader_url is None else open_reader(reader_url.get_secret_value(), "otp-monitor"),
        meters=meters,
    )


def _envelope_signer(keys: Keyring) -> EnvelopeSigner | None:
    if not keys.ids(purposes.HARIM_SOAP_SIGNING):
        return None
    try:
        return EnvelopeSigner(keys.material(keys.active_id(purposes.HARIM_SOAP_SIGNING)).reveal())
    except CertificateRefused as error:
        raise InvalidSettings(f"key for {purposes.HARIM_SOAP_SIGNING}: {error}") from None


def build_host(settings: Settings, *, port: int | None = None) -> HostServer:
    """Wire the authorisation host, a process of its own (D37); it needs neither Redis nor an SMS provider.

    Args:
        settings: what this deployment decided.
        port: another than the setting's; 0 takes a free one.

    Raises:
        InvalidSettings: when no acquirer is named, a key of one is missing or misshapen, a live host has no
            certificate, one cannot be used, or the port is taken.
    """
    keys = settings.keyring()
    if not settings.host_peers:
        raise InvalidSettings("set OTP_HOST_PEERS: the host answers nobody it does not know")
    peers = _peers(settings, keys)
    tls = _host_tls(settings)
    url = settings.database_url.get_secret_value()
    database = Database(url, pool_size=settings.host_threads, application_name="otp-host")
    chosen = settings.host_port if port is None else port
    try:
        return HostServer(
            Desk(database, keys, settings.limits(), Meters(open_metrics(settings.metrics_directory))),
            peers,
            host=settings.host_address,
            port=chosen,
            limits=LinkLimits(threads=settings.host_threads),
            tls=tls,
        )
    except OSError as error:
        raise InvalidSettings(f"cannot listen on {settings.host_address}:{chosen}: {error.strerror}") from None


def link_keys(settings: Settings, bank: Bank) -> list[str]:
    """Describe the keys every acquirer may use on the ISO 8583 link now, a line for each set."""
    desk = Desk(bank.database, bank.keys, settings.limits())
    sets = KeySets(_peers(settings, bank.keys), partial(live_keys, desk))
    return [described(peer) for acquirer_id in settings.host_peers for peer in sets.live(acquirer_id)]


def _peers(settings: Settings, keys: Keyring) -> dict[str, Peer]:
    try:
        return peers_of(settings.host_peers, keys)
    except PeerRefused as error:
        raise InvalidSettings(f"OTP_HOST_PEERS: {error}") from None


def _host_tls(settings: Settings) -> ssl.SSLContext | None:
    files = settings.host_tls()
    try:
        return None if files is None else files.server_context()
    except TlsFilesRefused as error:
        raise InvalidSettings(f"OTP_HOST_TLS_*: {error}") from None
