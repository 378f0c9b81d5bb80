"""The way of a code to the phone, and what is cleared away when its time is over."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from sqlalchemy import Connection, text

CODE_TOPIC = "sms.code"
LAST_TRY_TOPIC = "sms.last_try"

_FOR_SENDING = text("""
SELECT challenge.challenge_id, challenge.state, challenge.nonce, challenge.canonical, challenge.key_id,
       challenge.code_length, challenge.expires_at, coalesce(card.card_name, card.card_token) AS card_name,
       card.mobile_sealed, psp.webotp_host,
       psp.name AS psp_name, challenge.ceiling_rial, challenge.channel,
       CAST(extract(epoch FROM challenge.expires_at - house_now()) AS float) AS seconds_left
  FROM challenge JOIN card USING (card_id) LEFT JOIN psp USING (psp_id)
 WHERE challenge_id = :challenge_id
""")

_DELIVERED = text("""
UPDATE challenge SET delivery = :delivery, provider_message_id = coalesce(:message_id, provider_message_id),
       delivery_at = house_now(), accepted_at = CASE WHEN CAST(:delivery AS text) = 'accepted' THEN house_now() END
 WHERE challenge_id = :challenge_id
""")

_OF_CODE = text("""
SELECT delivery AS state, proven FROM challenge
 WHERE correlation_id = CAST(:correlation_id AS uuid) AND psp_id = :psp_id
""")

_EXPIRE = text("""
UPDATE challenge SET state = 'expired', decided_at = house_now()
 WHERE challenge_id IN (SELECT challenge_id FROM challenge WHERE state = 'issued' AND expires_at <= house_now()
                         ORDER BY expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
    OR challenge_id IN (SELECT challenge_id FROM challenge WHERE state = 'verified' AND proof_expires_at <= house_now()
                         ORDER BY proof_expires_at LIMIT :most FOR UPDATE SKIP LOCKED)
""")

_FORGET_QUOTAS = text("DELETE FROM quota WHERE window_start < house_now() - interval '2 days'")


@dataclass(frozen=True, slots=True)
class Sending:
    """What the worker needs to derive, render and send one code."""

    challenge_id: int
    state: str
    nonce: bytes
    canonical: str
    key_id: str
    code_length: int
    expires_at: dt.datetime
    card_name: bytes
    mobile_sealed: bytes | None
    webotp_host: str | None
    psp_name: str | None
    ceiling_rial: int | None
    channel: str
    seconds_left: float


@dataclass(frozen=True, slots=True)
class LastMessage:
    """Where the last message of a code is, and whether the card was proven to the PSP that asked for it."""

    state: str
    proven: bool


def of_code(connection: Connection, psp_id: str, correlation_id: str) -> LastMessage | None:
    """Read the last message of the code that this PSP knows by this id, if there is one."""
    row = connection.execute(_OF_CODE, {"psp_id": psp_id, "correlation_id": correlation_id}).mappings().first()
    return None if row is None else LastMessage(**row)


def for_sending(connection: Connection, challenge_id: int) -> Sending:
    """Read one challenge for the worker; the life it has left is by the database's clock."""
    return Sending(**connection.execute(_FOR_SENDING, {"challenge_id": challenge_id}).mappings().one())


def record_delivery(connection: Connection, challenge_id: int, delivery: str, message_id: str | None = None) -> None:
    """Keep what became of a message: ``accepted``, ``refused`` or ``dropped``."""
    values = {"challenge_id": challenge_id, "delivery": delivery, "message_id": message_id}
    connection.execute(_DELIVERED, values)


def expire(connection: Connection, most: int) -> int:
    """End challenges whose code, or whose proof, is past its life, at most ``most`` of each; return how many."""
    return connection.execute(_EXPIRE, {"most": most}).rowcount


def forget_quotas(connection: Connection) -> int:
    """Delete limits of windows that are long over; return how many."""
    return connection.execute(_FORGET_QUOTAS).rowcount
