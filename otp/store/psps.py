"""PSPs and their public keys: read mostly, remembered for seconds."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from foundation.certificates import CertificateRefused, Pinned, pinned_certificates
from foundation.database import Database
from foundation.signatures import Verifier
from foundation.xml_signatures import EnvelopeVerifier
from otp.domain.errors import DuplicatePsp
from otp.domain.psp import Psp

log = structlog.get_logger()

_ALL = text("""
SELECT psp_id, name, acquirer_id, public_keys, disclosure, webotp_host, verify_enabled, certificates, unbound_max_rial
FROM psp WHERE active = :active ORDER BY psp_id
""")

_ADD = text("""
INSERT INTO psp (psp_id, name, acquirer_id, public_keys, disclosure, webotp_host, verify_enabled, certificates,
                 unbound_max_rial)
VALUES (:psp_id, :name, :acquirer_id, CAST(:public_keys AS jsonb), :disclosure, :webotp_host, :verify_enabled,
        :certificates, :unbound_max_rial)
""")

_LOCK = text("LOCK TABLE psp IN SHARE ROW EXCLUSIVE MODE")

_IDENTIFY = text("""
UPDATE psp SET public_keys = CAST(:public_keys AS jsonb), certificates = :certificates WHERE psp_id = :psp_id
""")

_SET_ACTIVE = text("UPDATE psp SET active = :active WHERE psp_id = :psp_id AND active <> :active")

CHANGES = {
    name: text(f"UPDATE psp SET {name} = :value WHERE psp_id = :psp_id AND active")
    for name in ("verify_enabled", "unbound_max_rial")
}
"""What an operator changes of a PSP, a column at a time."""


@dataclass(frozen=True, slots=True)
class PspsNow:
    """The PSPs as last read: by id, by key, by certificate, and for each wire one verifier over all of them."""

    by_id: Mapping[str, Psp]
    by_key: Mapping[str, Psp]
    verifier: Verifier
    by_certificate: Mapping[str, Psp]
    envelopes: EnvelopeVerifier


class PspDirectory:
    """Remembers the active PSPs for a few seconds.

    Args:
        database: where they are.
        seconds: how long they are remembered.
        monotonic: a clock that never goes back; it decides nothing but when to read again.
    """

    def __init__(self, database: Database, *, seconds: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._seconds = seconds
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._now = _index([])

    def now(self) -> PspsNow:
        """Return the active PSPs, read anew when what is remembered is too old."""
        with self._lock:
            if self._monotonic() - self._read_at >= self._seconds:
                with self._database.single() as connection:
                    self._now = _index(active(connection))
                self._read_at = self._monotonic()
            return self._now


def active(connection: Connection) -> list[Psp]:
    """Read every active PSP."""
    return _read(connection, active=True)


def shut_out(connection: Connection) -> list[Psp]:
    """Read every PSP that is answered no more."""
    return _read(connection, active=False)


def _read(connection: Connection, *, active: bool) -> list[Psp]:
    return [
        Psp(
            psp_id=row.psp_id,
            name=row.name,
            acquirer_id=row.acquirer_id,
            public_keys={key_id: base64.b64decode(raw) for key_id, raw in row.public_keys.items()},
            disclosure=row.disclosure,
            webotp_host=row.webotp_host,
            verify_enabled=row.verify_enabled,
            certificates=row.certificates,
            unbound_max_rial=row.unbound_max_rial,
        )
        for row in connection.execute(_ALL, {"active": active})
    ]


def add(connection: Connection, psp: Psp) -> None:
    """Write a new PSP.

    Raises:
        DuplicatePsp: when its id or its acquirer is taken.
    """
    values = {
        **_identity(psp),
        "name": psp.name,
        "acquirer_id": psp.acquirer_id,
        "disclosure": psp.disclosure,
        "webotp_host": psp.webotp_host,
        "verify_enabled": psp.verify_enabled,
        "unbound_max_rial": psp.unbound_max_rial,
    }
    try:
        connection.execute(_ADD, values)
    except IntegrityError:
        raise DuplicatePsp(psp.psp_id) from None


def identify(connection: Connection, psp: Psp) -> None:
    """Write how a PSP is known from now on: its keys and certificates."""
    connection.execute(_IDENTIFY, _identity(psp))


def change(connection: Connection, psp_id: str, column: str, value: object) -> bool:
    """Change one of :data:`CHANGES`; tell whether there is a PSP of this id."""
    return connection.execute(CHANGES[column], {"psp_id": psp_id, "value": value}).rowcount == 1


def set_active(connection: Connection, psp_id: str, *, active: bool) -> bool:
    """Shut a PSP out, or let it in again; tell whether there was one to do that with."""
    return connection.execute(_SET_ACTIVE, {"psp_id": psp_id, "active": active}).rowcount == 1


def hold(connection: Connection) -> None:
    """Let nobody else register or change a PSP until this transaction ends."""
    connection.execute(_LOCK)


def _identity(psp: Psp) -> dict[str, str]:
    keys = {key_id: base64.b64encode(raw).decode() for key_id, raw in psp.public_keys.items()}
    return {"psp_id": psp.psp_id, "public_keys": json.dumps(keys), "certificates": psp.certificates}


def _index(psps: list[Psp]) -> PspsNow:
    by_key = {key_id: psp for psp in psps for key_id in psp.public_keys}
    keys = {key_id: raw for psp in psps for key_id, raw in psp.public_keys.items()}
    of_certificates = {certificate: psp for psp in psps for certificate in pinned(psp)}
    return PspsNow(
        {psp.psp_id: psp for psp in psps},
        by_key,
        Verifier(keys),
        {certificate.fingerprint: psp for certificate, psp in of_certificates.items()},
        EnvelopeVerifier(of_certificates),
    )


def pinned(psp: Psp) -> tuple[Pinned, ...]:
    """Read the certificates of one PSP; what cannot be read shuts out that PSP alone."""
    try:
        return pinned_certificates(psp.certificates) if psp.certificates else ()
    except CertificateRefused:
        log.exception("psp_certificates_refused", psp_id=psp.psp_id)
        return ()
