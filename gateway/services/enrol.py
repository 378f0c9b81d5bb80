"""An operator connects merchants and issuers; a wrong row is refused with a sentence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import structlog
from sqlalchemy.exc import SQLAlchemyError

from foundation.audit import Details
from foundation.certificates import CertificateRefused, pinned_certificates
from gateway.domain.errors import InvalidEndpoint, InvalidText, RefusedRow
from gateway.domain.issuers import SANDBOX_PREFIX, X509_DIALECTS, Issuer, real_bank_of
from gateway.domain.limits import check_payee_name, host_of
from gateway.domain.webhooks import check_secret, check_url
from gateway.services.audit_trail import By, note
from gateway.services.endpoints import sealed
from gateway.services.gateway import Gateway
from gateway.store import endpoints
from gateway.store.directory import put_issuer

log = structlog.get_logger()

TIMEOUT_MS = range(100, 60_001)
PORTS = range(1, 65_536)
RECOVERY_PACE = range(1, 1_001)
PUBLIC_KEY_BYTES = 32
CERTIFICATES_MAX = 2

_MERCHANT_ID = re.compile(r"[0-9]{15}")
_TERMINAL_ID = re.compile(r"[0-9A-Z]{8}")
_ACQUIRER_ID = re.compile(r"[0-9]{6,11}")
_ISSUER_ID = re.compile(r"[a-z0-9-]{1,32}")
_BIN = re.compile(r"[0-9]{6,8}")


@dataclass(frozen=True, slots=True)
class NewMerchant:
    """A merchant with one terminal, as an operator writes it."""

    merchant_id: str
    terminal_id: str
    name_fa: str
    name_en: str
    payee_name: str
    site: str
    webhook_url: str | None = None
    webhook_secret: str | None = None
    acquirer_id: str | None = None


def add_merchant(gateway: Gateway, merchant: NewMerchant) -> None:
    """Insert or correct a merchant and its terminal.

    Raises:
        RefusedRow: a value is wrong; the message says which and why.
    """
    acquirer_id = merchant.acquirer_id or gateway.settings.acquirer_id
    _require(_MERCHANT_ID.fullmatch(merchant.merchant_id), "merchant_id has 15 digits")
    _require(_TERMINAL_ID.fullmatch(merchant.terminal_id), "terminal_id has 8 digits or capital letters")
    _require(_ACQUIRER_ID.fullmatch(acquirer_id), "acquirer_id has 6 to 11 digits")
    _require(merchant.name_fa.strip() and merchant.name_en.strip(), "a merchant has a Persian and an English name")
    _require(host_of(merchant.site), "site is the address of the merchant's shop")
    _require(
        (merchant.webhook_url is None) == (merchant.webhook_secret is None),
        "webhook_url and webhook_secret come together",
    )
    try:
        payee_name = check_payee_name(merchant.payee_name)
        endpoint = _endpoint(gateway, merchant)
    except (InvalidText, InvalidEndpoint) as error:
        raise RefusedRow(str(error)) from None
    gateway.directory.add_merchant(
        {
            "merchant_id": merchant.merchant_id,
            "name_fa": merchant.name_fa,
            "name_en": merchant.name_en,
            "payee_name": payee_name,
            "acquirer_id": acquirer_id,
            "site": merchant.site,
        },
        terminal_id=merchant.terminal_id,
    )
    if endpoint is not None:
        with gateway.database.single() as connection:
            endpoints.put(connection, endpoint)


def add_issuer(gateway: Gateway, issuer: Issuer, bins: tuple[str, ...], *, by: str | None = None) -> None:
    """Insert or correct an issuer and its BIN prefixes; ``by`` is this process's account unless given.

    Whoever names a bank's addresses and keys says whose word about money is believed, so it stands in the trail.

    Raises:
        RefusedRow: a value is wrong; the message says which and why.
    """
    _check_issuer(gateway, issuer)
    _check_link(gateway, issuer)
    for prefix in bins:
        _check_bin(gateway, prefix)
    details: Details = {
        "bins": " ".join(bins),
        "harim": f"{issuer.harim_dialect} {issuer.harim_url}",
        "switch": f"{issuer.switch_host}:{issuer.switch_port}",
        "active": issuer.active,
    }
    with gateway.database.begin() as connection:
        if put_issuer(connection, issuer, bins):
            subject = f"issuer:{issuer.issuer_id}"
            note(connection, gateway.keyring, By.operator(by), "issuer.registered", subject, details)
    gateway.directory.forget()


def check_rows(gateway: Gateway) -> None:
    """Check every issuer row as it stands.

    Raises:
        RefusedRow: naming the issuer and what is wrong with it.
    """
    for issuer in gateway.directory.issuers().values():
        if issuer.active:
            _check_issuer(gateway, issuer)
            _check_link(gateway, issuer)
    for prefix, _ in gateway.directory.issuer_bins():
        _check_bin(gateway, prefix)


def check_rows_at_start(gateway: Gateway) -> None:
    """Do :func:`check_rows`, unless the database is away: that ends no process, and each serves once it is back.

    Raises:
        RefusedRow: naming the issuer and what is wrong with it.
    """
    try:
        check_rows(gateway)
    except SQLAlchemyError as error:
        log.warning("database_unavailable", error=type(error).__name__)


def _check_issuer(gateway: Gateway, issuer: Issuer) -> None:
    name = f"issuer {issuer.issuer_id}"
    _require(_ISSUER_ID.fullmatch(issuer.issuer_id), "issuer_id has small letters, digits and dashes, at most 32")
    _require(gateway.harim.speaks(issuer.harim_dialect), f"{name}: there is no dialect {issuer.harim_dialect}")
    _check_url(gateway, issuer.harim_url, f"{name}: harim_url")
    _check_harim_key(issuer, name)
    _require(issuer.harim_timeout_ms in TIMEOUT_MS, f"{name}: harim_timeout_ms is 100 to 60000")
    _require(issuer.switch_timeout_ms in TIMEOUT_MS, f"{name}: switch_timeout_ms is 100 to 60000")
    for pace in ("recovery_per_second", "recovery_burst"):
        _require(getattr(issuer, pace) in RECOVERY_PACE, f"{name}: {pace} is 1 to 1000")
    _require(issuer.switch_host and issuer.switch_port in PORTS, f"{name}: switch_host and switch_port say where")


def _check_link(gateway: Gateway, issuer: Issuer) -> None:
    """Check that a shared link is one, and leads to the same host."""
    if issuer.switch_of is None:
        return
    name, owner = f"issuer {issuer.issuer_id}", gateway.directory.issuer(issuer.switch_of)
    _require(
        owner is not None and owner.switch_of is None and owner.issuer_id != issuer.issuer_id,
        f"{name}: switch_of names an issuer that has a link of its own",
    )
    there = (issuer.switch_host, issuer.switch_port)
    _require(
        owner is not None and (owner.switch_host, owner.switch_port) == there,
        f"{name}: switch_host and switch_port are those of {issuer.switch_of}",
    )


def _check_harim_key(issuer: Issuer, name: str) -> None:
    if issuer.harim_dialect not in X509_DIALECTS:
        _require(len(issuer.harim_public_key) == PUBLIC_KEY_BYTES, f"{name}: harim_public_key has 32 bytes")
        return
    try:
        pinned = pinned_certificates(issuer.harim_certificates)
    except CertificateRefused as error:
        raise RefusedRow(f"{name}: harim_certificates: {error}") from None
    _require(len(pinned) <= CERTIFICATES_MAX, f"{name}: harim_certificates are at most {CERTIFICATES_MAX}")


def _check_bin(gateway: Gateway, prefix: str) -> None:
    _require(_BIN.fullmatch(prefix), f"BIN {prefix} must have 6 to 8 digits")
    sandbox = gateway.settings.mode == "sandbox"
    _require(
        not sandbox or real_bank_of(prefix.ljust(8, "0")) is None,
        f"BIN {prefix} is a real bank's; not in a sandbox",
    )
    _require(sandbox or not prefix.startswith(SANDBOX_PREFIX), f"BIN {prefix} is for sandboxes; not live")


def _check_url(gateway: Gateway, url: str, name: str) -> None:
    parts = urlsplit(url)
    schemes = {"https"} if gateway.settings.mode == "live" else {"https", "http"}
    _require(
        parts.scheme in schemes and parts.hostname,
        f"{name} must be an address of {' or '.join(sorted(schemes))}",
    )


def _endpoint(gateway: Gateway, merchant: NewMerchant) -> dict[str, object] | None:
    """Return the row of the one endpoint that a merchant is enrolled with; it has others through the API."""
    if merchant.webhook_url is None or merchant.webhook_secret is None:
        return None
    return {
        "endpoint_id": f"whe_{merchant.merchant_id}",
        "merchant_id": merchant.merchant_id,
        "url": check_url(merchant.webhook_url, https_only=gateway.settings.mode == "live"),
        "secret_sealed": sealed(gateway, merchant.merchant_id, check_secret(merchant.webhook_secret)),
    }


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise RefusedRow(sentence)
