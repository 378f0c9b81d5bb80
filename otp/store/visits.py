"""Visits at the cash machine: the card that a right first PIN opened, held, and what its services write.

The check of the PIN is the visit's row: no token of it is ever in a browser's hands (D27).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.cash_machine import VISIT_SECONDS
from otp.domain.financial import MessageKey
from otp.domain.notices import NoticeKind
from otp.domain.quotas import Charge
from otp.store.devices import REMOVED
from otp.store.notices import queued
from otp.store.quotas import COUNTED, counted

_CHECKED = f"""
SELECT card_id FROM authorisation
 WHERE acquirer_id = :acquirer_id AND terminal_id = :terminal_id AND stan = :stan AND rrn = :rrn
   AND local_time = :local_time AND kind = 'pin_check' AND state = 'approved'
   AND decided_at > house_now() - make_interval(secs => {VISIT_SECONDS})
"""
_READ = text(f"""
SELECT card.card_id, coalesce(card.card_name, card.card_token) AS card_name,
       pan_sealed, kind = 'gift' AS gift, customer_id IS NOT NULL AS holder_known,
       mobile_sealed, mobile_token, sms_codes_active AS sms_active, static_second_pin_mac IS NOT NULL AS static_pin,
       EXISTS (SELECT FROM device_card WHERE device_card.card_id = card.card_id AND state = 'active') AS app_active
  FROM card
 WHERE status = 'active' AND card_id = ({_CHECKED})
""")
# A statement of its own before the look: one that waited for a lock goes on with its old snapshot (D4).
_LOCK = text(f"SELECT card_id FROM card WHERE card_id = ({_CHECKED}) FOR UPDATE")

_COUNT = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now), {COUNTED} SELECT held FROM verdict
""")

APP_ENDED = f"""
ended AS (
    UPDATE device_card SET state = 'removed', ended_at = house_now()
     WHERE card_id = :card_id AND state <> 'removed' RETURNING card_ref, device_id, card_id),
orphaned AS (
    UPDATE device SET {REMOVED}
     WHERE device_id IN (SELECT device_id FROM ended) AND state <> 'removed'
       AND NOT EXISTS (SELECT FROM device_card other WHERE other.device_id = device.device_id
                          AND other.state <> 'removed' AND other.card_ref NOT IN (SELECT card_ref FROM ended))
    RETURNING device_id),
forgone AS (
    UPDATE activation SET state = 'superseded', decided_at = house_now()
     WHERE card_id = :card_id AND state = 'issued' RETURNING activation_key)
"""
"""Ends a card's app and what would have activated one; a device that had no other card ends with it (D23)."""

_END_APP = text(f"""
WITH {APP_ENDED}, one AS (SELECT DISTINCT card_id FROM ended) {queued(NoticeKind.CARD_REMOVED, "one")}
""")


def _changing(change: str, kind: NoticeKind) -> str:
    return f"""
WITH changed AS (UPDATE card SET {change} WHERE card_id = :card_id RETURNING card_id) {queued(kind, "changed")}
"""


_SMS_ON = text(_changing("sms_codes_active = true", NoticeKind.SMS_CODES_ACTIVATED))
_SMS_OFF = text(_changing("sms_codes_active = false", NoticeKind.SMS_CODES_ENDED))
_STATIC_PIN = text(_changing("static_second_pin_mac = :mac, static_pin_key = :key_id", NoticeKind.STATIC_PIN_SET))
_NO_STATIC_PIN = text(_changing("static_second_pin_mac = NULL, static_pin_key = NULL", NoticeKind.STATIC_PIN_ENDED))
_FIRST_PIN = text(_changing("first_pin_mac = :mac, first_pin_key = :key_id", NoticeKind.FIRST_PIN_CHANGED))


@dataclass(frozen=True, slots=True)
class VisitedCard:
    """A card that is in the machine, opened by its first PIN."""

    card_id: int
    card_name: bytes
    pan_sealed: bytes
    gift: bool
    holder_known: bool
    mobile_sealed: bytes | None
    mobile_token: bytes | None
    sms_active: bool
    static_pin: bool
    app_active: bool


def read(connection: Connection, check: MessageKey) -> VisitedCard | None:
    """Read the card whose first PIN this check found right lately; ``None`` when it did not, or it is too long ago."""
    row = connection.execute(_READ, asdict(check)).mappings().first()
    return None if row is None else VisitedCard(**row)


def lock(connection: Connection, check: MessageKey) -> VisitedCard | None:
    """Hold that card until the transaction ends, then read it."""
    connection.execute(_LOCK, asdict(check))
    return read(connection, check)


def count(connection: Connection, charges: Sequence[Charge]) -> bool:
    """Count a service on its limits; ``False`` when one is reached, and nothing was counted on that one."""
    return not connection.execute(_COUNT, counted(charges)).scalar_one()


def end_app(connection: Connection, card_id: int) -> None:
    """End the card's app and tell its holder."""
    connection.execute(_END_APP, {"card_id": card_id})


def set_sms_codes(connection: Connection, card_id: int, *, active: bool) -> None:
    """Begin or end codes by text message, and tell the holder."""
    connection.execute(_SMS_ON if active else _SMS_OFF, {"card_id": card_id})


def set_static_pin(connection: Connection, card_id: int, mac: bytes, key_id: str) -> None:
    """Keep another static second PIN, as made under this key, and tell the holder."""
    connection.execute(_STATIC_PIN, {"card_id": card_id, "mac": mac, "key_id": key_id})


def end_static_pin(connection: Connection, card_id: int) -> None:
    """Keep no static second PIN any more, and tell the holder."""
    connection.execute(_NO_STATIC_PIN, {"card_id": card_id})


def set_first_pin(connection: Connection, card_id: int, mac: bytes, key_id: str) -> None:
    """Keep another first PIN, as made under this key, and tell the holder."""
    connection.execute(_FIRST_PIN, {"card_id": card_id, "mac": mac, "key_id": key_id})
