"""What an app shows: its cards with their ceilings, the other cards of its customer, the customer's devices."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.notices import NoticeKind
from otp.store.activations import USED
from otp.store.ceilings import IN_FORCE, WISHED, Ceilings
from otp.store.notices import queued

SHOWN_MAX = 50

_CARDS = text(f"""
WITH shown AS (
    (SELECT card_id FROM card WHERE customer_id = :customer_id ORDER BY card_id LIMIT {SHOWN_MAX})
    UNION SELECT card_id FROM device_card WHERE device_id = CAST(:device_id AS uuid) AND state = 'active')
SELECT card.card_id, coalesce(card.card_name, card.card_token) AS card_name, card.pan_sealed,
       CAST(here.card_ref AS text) AS card_ref,
       {IN_FORCE} AS ceiling_rial,
       CASE WHEN unbound_ceiling_next_at > house_now() THEN unbound_ceiling_next_rial END AS next_rial,
       CASE WHEN unbound_ceiling_next_at > house_now() THEN unbound_ceiling_next_at END AS next_at,
       card.status = 'active' AND card.kind = 'debit' AND card.mobile_token IS NOT NULL
           AND card.customer_id = :customer_id AS eligible
  FROM shown JOIN card USING (card_id)
  LEFT JOIN device_card here ON here.card_id = card.card_id AND here.device_id = CAST(:device_id AS uuid)
                            AND here.state = 'active'
 ORDER BY here.added_at, card.card_id
""")

_DEVICES = text(f"""
SELECT house_now() AS now, CAST(device_id AS text) AS device_id, name, state, added_at, seen_at
  FROM (SELECT) AS asked LEFT JOIN device ON customer_id = :customer_id AND state IN ('active', 'suspended')
 ORDER BY added_at LIMIT {SHOWN_MAX}
""")

_LOWER = text(f"""
UPDATE card SET unbound_ceiling_rial = :rial, unbound_ceiling_next_rial = NULL, unbound_ceiling_next_at = NULL
 WHERE card_id = :card_id AND :rial <= {WISHED}
   AND EXISTS (SELECT FROM device_card WHERE card_ref = CAST(:card_ref AS uuid) AND state = 'active')
""")

# What waited and has come in force meanwhile becomes the ceiling before the next one begins to wait.
_RAISE = text(f"""
WITH {USED},
raised AS (
    UPDATE card SET unbound_ceiling_rial = {WISHED}, unbound_ceiling_next_rial = :rial,
           unbound_ceiling_next_at = house_now() + make_interval(secs => :wait_seconds)
      FROM used WHERE card_id = :card_id RETURNING card_id, unbound_ceiling_next_rial AS rial)
{queued(NoticeKind.CEILING_RAISED, "raised", ", 'rial', rial")}
""")


@dataclass(frozen=True, slots=True)
class ShownCard:
    """A card of this device, or another one of its customer.

    Args:
        card_ref: its name on this device; ``None`` where it is not on it.
        ceiling_rial: of codes that are bound to nothing, in force now.
        next_rial: the ceiling that comes in force at ``next_at``.
        eligible: whether it could be added by an SMS.
    """

    card_id: int
    card_name: bytes
    pan_sealed: bytes
    card_ref: str | None
    ceiling_rial: int
    next_rial: int | None
    next_at: dt.datetime | None
    eligible: bool


@dataclass(frozen=True, slots=True)
class ShownDevice:
    """A device of the customer."""

    device_id: str
    name: str
    state: str
    added_at: dt.datetime
    seen_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Raise:
    """A confirmed wish for a higher ceiling; ``most`` is the bank's own."""

    activation_key: int
    device_id: str
    card_id: int
    rial: int
    most: int
    wait_seconds: int


def shown_cards(connection: Connection, device_id: str, customer_id: int, ceilings: Ceilings) -> Sequence[ShownCard]:
    """Read the cards of a device and of its customer, with what unbound codes of each may take now."""
    values = {"device_id": device_id, "customer_id": customer_id, **asdict(ceilings)}
    return [ShownCard(**row) for row in connection.execute(_CARDS, values).mappings()]


def shown_devices(connection: Connection, customer_id: int) -> tuple[dt.datetime, Sequence[ShownDevice]]:
    """Return the time, and the customer's devices that go on or are suspended, oldest first."""
    rows = connection.execute(_DEVICES, {"customer_id": customer_id}).mappings().all()
    found = [ShownDevice(*(row[name] for name in ShownDevice.__slots__)) for row in rows if row["device_id"]]
    return rows[0]["now"], found


def lower_ceiling(connection: Connection, card_id: int, card_ref: str, *, rial: int, most: int) -> bool:
    """Lower a ceiling at once, whatever waits; ``False`` when it would be raised, or the card has left its device."""
    values = {"card_id": card_id, "card_ref": card_ref, "rial": rial, "most": most}
    return connection.execute(_LOWER, values).rowcount == 1


def raise_ceiling(connection: Connection, raised: Raise) -> None:
    """Use an activation up for a higher ceiling after the wait, and tell the holder; the card is held already."""
    connection.execute(_RAISE, {name: getattr(raised, name) for name in Raise.__slots__})
