"""Devices and the cards on them: how a call is known, and what begins, changes and ends one.

Rows are held in the order card, activation, devices, their cards (:mod:`otp.store.activations`). A device's counter of
calls is a statement and a commit of its own: a call counts whatever becomes of it.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.device import CONFIRM_SECONDS, WRONG_CODES_MAX
from otp.domain.notices import NoticeKind
from otp.store.activations import USED
from otp.store.notices import queued

_AUTH_KEY = text("SELECT auth_key_sealed FROM device WHERE device_id = CAST(:device_id AS uuid)")

_COUNT_CALL = text(f"""
UPDATE device SET calls = :number, seen_at = house_now()
 WHERE device_id = CAST(:device_id AS uuid) AND calls < :number AND state <> 'removed'
   AND (state <> 'pending' OR added_at > house_now() - make_interval(secs => {CONFIRM_SECONDS}))
RETURNING state, customer_id
""")

_LOCK_CARD = text("""
SELECT card.card_id FROM device_card JOIN card USING (card_id)
 WHERE device_id = CAST(:device_id AS uuid) AND state = :state
   AND (CAST(:card_ref AS uuid) IS NULL OR card_ref = CAST(:card_ref AS uuid))
 ORDER BY card.card_id LIMIT 1 FOR UPDATE OF card
""")

_CARD_OF = text("""
SELECT card_id FROM device_card
 WHERE device_id = CAST(:device_id AS uuid) AND card_ref = CAST(:card_ref AS uuid) AND state = 'active'
""")

# Own device and the one that has the card now are held in the order of their ids, after the card's lock (D4).
_HOLD = text("""
WITH held AS MATERIALIZED (
    SELECT * FROM device
     WHERE device_id = CAST(:device_id AS uuid)
        OR device_id IN (SELECT device_id FROM device_card WHERE card_id = :card_id AND state = 'active')
     ORDER BY device_id FOR UPDATE)
SELECT house_now() AS now, held.state, held.wrong_codes, held.wrap_key_sealed, held.code_root_sealed,
       CAST(card_ref AS text) AS card_ref, last_second_step, drift_steps
  FROM held LEFT JOIN device_card ON device_card.device_id = held.device_id AND card_id = :card_id
                                 AND device_card.state = held.state
 WHERE held.device_id = CAST(:device_id AS uuid)
""")

REMOVED = """state = 'removed', ended_at = house_now(), auth_key_sealed = NULL, wrap_key_sealed = NULL,
           code_root_sealed = NULL"""
"""What the end of a device sets: its keys are gone."""

# A new app for a card ends that card's old binding, and a device that had no other card (D23).
_MOVED = f"""
ended AS (
    UPDATE device_card SET state = 'removed', ended_at = house_now()
     WHERE card_id = :card_id AND state = 'active' RETURNING card_ref, device_id),
orphaned AS (
    UPDATE device SET {REMOVED}
     WHERE device_id IN (SELECT device_id FROM ended) AND device_id <> CAST(:device_id AS uuid)
       AND NOT EXISTS (SELECT FROM device_card other WHERE other.device_id = device.device_id
                          AND other.state <> 'removed' AND other.card_ref NOT IN (SELECT card_ref FROM ended))
    RETURNING device_id)
"""

_PAIR = text(f"""
WITH {USED},
paired AS (
    INSERT INTO device (device_id, customer_id, auth_key_sealed, wrap_key_sealed)
    SELECT CAST(:device_id AS uuid), :customer_id, :auth_key_sealed, :wrap_key_sealed FROM used
    RETURNING device_id)
INSERT INTO device_card (card_ref, device_id, card_id)
SELECT CAST(:card_ref AS uuid), device_id, :card_id FROM paired
""")

# A code that makes a root believed has paid nothing: its minute stays good for one payment, so that nobody has to wait
# for the next one. It cannot be shown here again: the device is no longer pending, the root before is gone.
_CONFIRM = text(f"""
WITH {_MOVED},
confirmed AS (
    UPDATE device SET state = 'active', name = :name, code_root_sealed = :code_root_sealed, wrong_codes = 0
     WHERE device_id = CAST(:device_id AS uuid) AND state = 'pending' RETURNING device_id),
begun AS (
    UPDATE device_card SET state = 'active', last_second_step = :step - 1, drift_steps = :drift
      FROM confirmed WHERE card_ref = CAST(:card_ref AS uuid) AND last_second_step < :step
       AND (SELECT count(*) FROM ended) >= 0
    RETURNING card_id)
{queued(NoticeKind.APP_ACTIVATED, "begun")}
""")

_ADD = text(f"""
WITH {USED},
{_MOVED},
begun AS (
    INSERT INTO device_card (card_ref, device_id, card_id, state)
    SELECT CAST(:card_ref AS uuid), CAST(:device_id AS uuid), :card_id, 'active' FROM used
     WHERE (SELECT count(*) FROM ended) >= 0
    RETURNING card_id)
{queued(NoticeKind.CARD_ADDED, "begun")}
""")

_CHANGE_ROOT = text(f"""
WITH rooted AS (
    UPDATE device SET code_root_sealed = :code_root_sealed, wrong_codes = 0
     WHERE device_id = CAST(:device_id AS uuid) AND state = 'active' RETURNING device_id),
moved AS (
    UPDATE device_card SET last_second_step = :step - 1, drift_steps = :drift
      FROM rooted WHERE card_ref = CAST(:card_ref AS uuid) AND last_second_step < :step RETURNING card_id)
{queued(NoticeKind.APP_PIN_CHANGED, "moved")}
""")

_WRONG_CODE = text(f"""
WITH counted AS (
    UPDATE device SET wrong_codes = wrong_codes + 1, state = :state
     WHERE device_id = CAST(:device_id AS uuid) RETURNING state, wrong_codes),
told AS (SELECT CAST(:card_id AS bigint) AS card_id FROM counted
          WHERE state = 'suspended' AND wrong_codes = {WRONG_CODES_MAX})
{queued(NoticeKind.APP_SUSPENDED, "told")}
""")

_REMOVE_CARD = text(f"""
WITH ended AS (
    UPDATE device_card SET state = 'removed', ended_at = house_now()
     WHERE card_ref = CAST(:card_ref AS uuid) AND device_id = CAST(:device_id AS uuid) AND state = 'active'
    RETURNING card_id)
{queued(NoticeKind.CARD_REMOVED, "ended")}
""")

_LOCK_CARDS = text("""
SELECT card.card_id FROM card
 WHERE card_id IN (SELECT card_id FROM device_card WHERE device_id = CAST(:device_id AS uuid) AND state <> 'removed')
 ORDER BY card_id FOR UPDATE
""")
_LOCK_DEVICE = text("""
SELECT state FROM device
 WHERE device_id = CAST(:device_id AS uuid) AND customer_id = :customer_id AND state <> 'removed' FOR UPDATE
""")
_REMOVE = text(f"""
WITH ended AS (
    UPDATE device_card SET state = 'removed', ended_at = house_now()
     WHERE device_id = CAST(:device_id AS uuid) AND state <> 'removed' RETURNING card_id),
gone AS (UPDATE device SET {REMOVED} WHERE device_id = CAST(:device_id AS uuid) RETURNING device_id),
phones AS (SELECT DISTINCT ON (mobile_token) card_id FROM ended JOIN card USING (card_id), gone
            ORDER BY mobile_token, card_id)
{queued(NoticeKind.APP_REMOVED, "phones")}
""")

_END_OVERDUE = text(f"""
WITH overdue AS (
    SELECT device_id FROM device
     WHERE state = 'pending' AND added_at <= house_now() - make_interval(secs => {CONFIRM_SECONDS})
     ORDER BY added_at LIMIT :most FOR UPDATE SKIP LOCKED),
cards AS (
    UPDATE device_card SET state = 'removed', ended_at = house_now()
      FROM overdue WHERE device_card.device_id = overdue.device_id AND state <> 'removed' RETURNING card_ref)
UPDATE device SET {REMOVED} FROM overdue WHERE device.device_id = overdue.device_id
""")


@dataclass(frozen=True, slots=True)
class KnownRow:
    """A device whose call was counted."""

    state: str
    customer_id: int


@dataclass(frozen=True, slots=True)
class HeldDevice:
    """A device under its lock, and one card on it; ``card_ref`` is ``None`` where that card is not on it."""

    now: dt.datetime
    state: str
    wrong_codes: int
    wrap_key_sealed: bytes | None
    code_root_sealed: bytes | None
    card_ref: str | None
    last_second_step: int | None
    drift_steps: int | None


@dataclass(frozen=True, slots=True)
class Pairing:
    """A new device with its first card, and the activation that brought it."""

    activation_key: int
    device_id: str
    customer_id: int
    auth_key_sealed: bytes
    wrap_key_sealed: bytes
    card_ref: str
    card_id: int


@dataclass(frozen=True, slots=True)
class Rooted:
    """A code root that was proven by a code, and how far the card that proved it is."""

    device_id: str
    card_id: int
    card_ref: str
    code_root_sealed: bytes
    step: int
    drift: int


def auth_key(connection: Connection, device_id: str) -> bytes | None:
    """Return the sealed key that a device signs its calls with; ``None`` for one that is not there or removed."""
    row = connection.execute(_AUTH_KEY, {"device_id": device_id}).first()
    return None if row is None else row.auth_key_sealed


def count_call(connection: Connection, device_id: str, number: int) -> KnownRow | None:
    """Count a signed call; ``None`` when the device has counted this number, or is removed or overdue."""
    row = connection.execute(_COUNT_CALL, {"device_id": device_id, "number": number}).mappings().first()
    return None if row is None else KnownRow(**row)


def lock_card(connection: Connection, device_id: str, *, state: str, card_ref: str | None = None) -> int | None:
    """Hold a card that is on a device in this state, this one or the first; ``None`` when none is."""
    values = {"device_id": device_id, "state": state, "card_ref": card_ref}
    row = connection.execute(_LOCK_CARD, values).first()
    return None if row is None else int(row.card_id)


def card_of(connection: Connection, device_id: str, card_ref: str) -> int | None:
    """Return the card that goes by this name on a device now, without holding it."""
    row = connection.execute(_CARD_OF, {"device_id": device_id, "card_ref": card_ref}).first()
    return None if row is None else int(row.card_id)


def hold(connection: Connection, device_id: str, card_id: int) -> HeldDevice:
    """Hold a device, and the one that has this card now; the card is held already."""
    row = connection.execute(_HOLD, {"device_id": device_id, "card_id": card_id}).mappings().one()
    return HeldDevice(**row)


def pair(connection: Connection, pairing: Pairing) -> None:
    """Use an activation up for a new device and its first card, both waiting for the first code."""
    connection.execute(_PAIR, asdict(pairing))


def confirm(connection: Connection, rooted: Rooted, name: str) -> None:
    """Let a device and its first card begin; the card's old binding ends, and its holder is told."""
    connection.execute(_CONFIRM, {**asdict(rooted), "name": name})


def change_root(connection: Connection, rooted: Rooted) -> None:
    """Let a device make its codes from another root; the holder of the card that proved it is told."""
    connection.execute(_CHANGE_ROOT, asdict(rooted))


def add_card(connection: Connection, activation_key: int, *, device_id: str, card_id: int, card_ref: str) -> None:
    """Use an activation up for one more card on a device; its old binding ends, and its holder is told."""
    values = {"activation_key": activation_key, "device_id": device_id, "card_id": card_id, "card_ref": card_ref}
    connection.execute(_ADD, values)


def count_wrong_code(connection: Connection, device_id: str, *, state: str, card_id: int) -> None:
    """Count a wrong code; ``state`` is what it leaves the device in, and the card's holder is told of an end."""
    connection.execute(_WRONG_CODE, {"device_id": device_id, "state": state, "card_id": card_id})


def remove_card(connection: Connection, device_id: str, card_ref: str) -> None:
    """End a card on a device and tell its holder; the card is held already."""
    connection.execute(_REMOVE_CARD, {"device_id": device_id, "card_ref": card_ref})


def hold_whole(connection: Connection, device_id: str, customer_id: int) -> bool:
    """Hold a device of this customer and its cards; ``False`` when there is none that goes on."""
    connection.execute(_LOCK_CARDS, {"device_id": device_id})
    values = {"device_id": device_id, "customer_id": customer_id}
    return connection.execute(_LOCK_DEVICE, values).first() is not None


def remove(connection: Connection, device_id: str) -> None:
    """End a device, its keys and its cards; each phone of a holder is told once."""
    connection.execute(_REMOVE, {"device_id": device_id})


def end_overdue(connection: Connection, most: int) -> int:
    """End devices that never showed a first code, at most ``most``; return how many."""
    return connection.execute(_END_OVERDUE, {"most": most}).rowcount
