"""Who may call and whom we call: merchants, keys and issuers, read-mostly, remembered for seconds."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection, text

from foundation.database import Database
from foundation.pan import Pan
from gateway.domain.issuers import Issuer, IssuerDirectory, Pause

T = TypeVar("T")

ENTRIES_MAX = 10_000

_CALLER = text("""
SELECT k.key_id, k.mode, k.scopes, t.terminal_id, m.merchant_id, m.site,
  k.last_used_on IS DISTINCT FROM CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) AS first_today
FROM api_key k JOIN terminal t USING (terminal_id) JOIN merchant m USING (merchant_id)
WHERE k.secret_hash = :secret_hash AND k.revoked_at IS NULL AND (k.expires_at IS NULL OR k.expires_at > house_now())
  AND t.active AND m.active
""")
_ISSUER_COLUMNS = ", ".join(Issuer.__dataclass_fields__)
_ISSUERS = text(f"SELECT {_ISSUER_COLUMNS}, paused_at, paused_by, pause_reason FROM issuer")
_BINS = text("SELECT b.bin, b.issuer_id FROM issuer_bin b JOIN issuer i USING (issuer_id) WHERE i.active")
_ADD_MERCHANT = text("""
INSERT INTO merchant (merchant_id, name_fa, name_en, payee_name, acquirer_id, site)
VALUES (:merchant_id, :name_fa, :name_en, :payee_name, :acquirer_id, :site)
ON CONFLICT (merchant_id) DO UPDATE SET name_fa = EXCLUDED.name_fa, name_en = EXCLUDED.name_en,
  payee_name = EXCLUDED.payee_name, acquirer_id = EXCLUDED.acquirer_id, site = EXCLUDED.site
""")
_ADD_TERMINAL = text("""
INSERT INTO terminal (terminal_id, merchant_id) VALUES (:terminal_id, :merchant_id) ON CONFLICT (terminal_id) DO NOTHING
""")
_USED_TODAY = text("""
UPDATE api_key SET last_used_on = CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date) WHERE key_id = :key_id
""")
_ADD_ISSUER = text(f"""
INSERT INTO issuer ({_ISSUER_COLUMNS}) VALUES ({", ".join(f":{name}" for name in Issuer.__dataclass_fields__)})
ON CONFLICT (issuer_id) DO UPDATE SET
  {", ".join(f"{name} = EXCLUDED.{name}" for name in Issuer.__dataclass_fields__ if name != "issuer_id")}
WHERE ({", ".join(f"issuer.{name}" for name in Issuer.__dataclass_fields__)})
  IS DISTINCT FROM ({", ".join(f"EXCLUDED.{name}" for name in Issuer.__dataclass_fields__)})
""")
_ADD_BIN = text("""
INSERT INTO issuer_bin (bin, issuer_id) VALUES (:bin, :issuer_id)
ON CONFLICT (bin) DO UPDATE SET issuer_id = EXCLUDED.issuer_id WHERE issuer_bin.issuer_id <> EXCLUDED.issuer_id
""")
_TODAY = text("SELECT CAST(house_now() AT TIME ZONE 'Asia/Tehran' AS date)")
_TERMINAL_EXISTS = text("SELECT true FROM terminal WHERE terminal_id = :terminal_id")


@dataclass(frozen=True, slots=True)
class Caller:
    """A merchant's terminal, as proven by its secret key."""

    key_id: str
    mode: str
    scopes: frozenset[str]
    terminal_id: str
    merchant_id: str
    site: str


def put_issuer(connection: Connection, issuer: Issuer, bins: tuple[str, ...]) -> bool:
    """Insert or correct an issuer and its BIN prefixes; tell whether that changed anything."""
    values = {name: getattr(issuer, name) for name in Issuer.__dataclass_fields__}
    changed = connection.execute(_ADD_ISSUER, values).rowcount
    for prefix in bins:
        changed += connection.execute(_ADD_BIN, {"bin": prefix, "issuer_id": issuer.issuer_id}).rowcount
    return changed > 0


class Directory:
    """The rows that change by an operator's hand; a change is seen everywhere after ``seconds`` at most."""

    def __init__(self, database: Database, *, seconds: float) -> None:
        self._database = database
        self._seconds = seconds
        self._lock = threading.Lock()
        self._known: dict[Hashable, tuple[float, Any]] = {}

    def caller(self, secret_hash: bytes) -> Caller | None:
        """Return whose secret this is, if it may be used now."""
        return self._remember(("caller", secret_hash), lambda: self._read_caller(secret_hash))

    def remembered_caller(self, secret_hash: bytes) -> Caller | None:
        """Return whose secret this is if that is known already, without asking the database."""
        with self._lock:
            kept = self._known.get(("caller", secret_hash))
        known: Caller | None = kept[1] if kept is not None and kept[0] > time.monotonic() else None
        return known

    def issuer_of(self, pan: Pan) -> Issuer | None:
        """Return the active issuer of this card by its longest BIN prefix."""
        issuer_id = self._remember("bins", self._read_bins).find(pan.reveal())
        return None if issuer_id is None else self.issuer(issuer_id)

    def issuer(self, issuer_id: str) -> Issuer | None:
        """Return an issuer by its id, active or not: what was begun is brought to its end."""
        return self.issuers().get(issuer_id)

    def issuers(self) -> dict[str, Issuer]:
        """Return every issuer by id."""
        return self._remember("issuers", self._read_issuers)[0]

    def pauses(self) -> dict[str, Pause]:
        """Return the pause of every issuer that is paused, for notices; the statements of new business decide."""
        return self._remember("issuers", self._read_issuers)[1]

    def today(self) -> dt.date:
        """Return the business day in Tehran by the database clock (D33), at most ``seconds`` old."""
        return self._remember("today", self._read_today)

    def issuer_bins(self) -> list[tuple[str, Issuer]]:
        """Return each BIN prefix with its active issuer, for the page to name the bank while the number is typed."""
        issuers = self.issuers()
        bins = self._remember("bins", self._read_bins).items()
        return [(prefix, issuers[issuer_id]) for prefix, issuer_id in bins if issuer_id in issuers]

    def forget(self) -> None:
        """Drop everything remembered; the next question reads the database."""
        with self._lock:
            self._known.clear()

    def has_terminal(self, terminal_id: str) -> bool:
        """Tell whether the terminal exists; never remembered."""
        with self._database.single() as connection:
            return bool(connection.execute(_TERMINAL_EXISTS, {"terminal_id": terminal_id}).scalar())

    def add_merchant(self, merchant: dict[str, Any], *, terminal_id: str) -> None:
        """Insert or correct a merchant and its terminal."""
        with self._database.begin() as connection:
            connection.execute(_ADD_MERCHANT, merchant)
            values = {"terminal_id": terminal_id, "merchant_id": merchant["merchant_id"]}
            connection.execute(_ADD_TERMINAL, values)
        self.forget()

    def _remember(self, what: Hashable, read: Callable[[], T]) -> T:
        now = time.monotonic()
        with self._lock:
            kept = self._known.get(what)
        if kept is not None and kept[0] > now:
            value: T = kept[1]
            return value
        value = read()
        with self._lock:
            if len(self._known) >= ENTRIES_MAX:
                self._known.clear()
            self._known[what] = (now + self._seconds, value)
        return value

    def _read_caller(self, secret_hash: bytes) -> Caller | None:
        with self._database.single() as connection:
            row = connection.execute(_CALLER, {"secret_hash": secret_hash}).one_or_none()
        if row is None:
            return None
        if row.first_today:
            with self._database.single() as connection:
                connection.execute(_USED_TODAY, {"key_id": row.key_id})
        scopes = frozenset(row.scopes)
        return Caller(row.key_id, row.mode, scopes, row.terminal_id, row.merchant_id, row.site)

    def _read_issuers(self) -> tuple[dict[str, Issuer], dict[str, Pause]]:
        with self._database.single() as connection:
            rows = connection.execute(_ISSUERS).all()
        issuers = [Issuer(**{name: getattr(row, name) for name in Issuer.__dataclass_fields__}) for row in rows]
        pauses = {row.issuer_id: Pause(row.paused_at, row.paused_by, row.pause_reason) for row in rows if row.paused_at}
        return {issuer.issuer_id: issuer for issuer in issuers}, pauses

    def _read_today(self) -> dt.date:
        with self._database.single() as connection:
            day: dt.date = connection.execute(_TODAY).scalar_one()
        return day

    def _read_bins(self) -> IssuerDirectory[str]:
        with self._database.single() as connection:
            rows = connection.execute(_BINS).all()
        return IssuerDirectory.of((row.bin, row.issuer_id) for row in rows)
