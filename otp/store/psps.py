"""PSPs and their public keys: read mostly, remembered for seconds."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from foundation.database import Database
from foundation.signatures import Verifier
from otp.domain.errors import DuplicatePsp
from otp.domain.psp import Psp

_ALL = text("""
SELECT psp_id, name, acquirer_id, public_keys, disclosure, webotp_host, verify_enabled FROM psp WHERE active
""")

_ADD = text("""
INSERT INTO psp (psp_id, name, acquirer_id, public_keys, disclosure, webotp_host)
VALUES (:psp_id, :name, :acquirer_id, CAST(:public_keys AS jsonb), :disclosure, :webotp_host)
""")


@dataclass(frozen=True, slots=True)
class PspsNow:
    """The PSPs as last read: by id, by key, and one verifier over all their keys."""

    by_id: Mapping[str, Psp]
    by_key: Mapping[str, Psp]
    verifier: Verifier


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
        self._now = PspsNow({}, {}, Verifier({}))

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
    return [
        Psp(
            psp_id=row.psp_id,
            name=row.name,
            acquirer_id=row.acquirer_id,
            public_keys={key_id: base64.b64decode(raw) for key_id, raw in row.public_keys.items()},
            disclosure=row.disclosure,
            webotp_host=row.webotp_host,
            verify_enabled=row.verify_enabled,
        )
        for row in connection.execute(_ALL)
    ]


def add(connection: Connection, psp: Psp) -> None:
    """Write a new PSP.

    Raises:
        DuplicatePsp: when its id or its acquirer is taken.
    """
    keys = {key_id: base64.b64encode(raw).decode() for key_id, raw in psp.public_keys.items()}
    values = {
        "psp_id": psp.psp_id,
        "name": psp.name,
        "acquirer_id": psp.acquirer_id,
        "public_keys": json.dumps(keys),
        "disclosure": psp.disclosure,
        "webotp_host": psp.webotp_host,
    }
    try:
        connection.execute(_ADD, values)
    except IntegrityError:
        raise DuplicatePsp(psp.psp_id) from None


def _index(psps: list[Psp]) -> PspsNow:
    by_key = {key_id: psp for psp in psps for key_id in psp.public_keys}
    keys = {key_id: raw for psp in psps for key_id, raw in psp.public_keys.items()}
    return PspsNow({psp.psp_id: psp for psp in psps}, by_key, Verifier(keys))
