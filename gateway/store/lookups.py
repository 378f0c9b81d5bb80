"""An attempt as the worker asks about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, text

_FOR_SWITCH = text("""
SELECT a.attempt_id, a.payment_id, a.state, a.acquirer_id, a.terminal_id, a.stan, a.rrn, a.local_time, a.issuer_id,
  a.amount_rial, a.fee_rial, a.pan_sealed, p.kind, p.merchant_id, m.payee_name, p.reference,
  lpad(CAST(nextval('stan') AS text), 6, '0') AS own_stan,
  to_char(house_now() AT TIME ZONE 'Asia/Tehran', 'YYMMDDHH24MISS') AS own_local_time
FROM attempt a JOIN payment p USING (payment_id) JOIN merchant m USING (merchant_id) WHERE a.attempt_id = :attempt_id
""")


@dataclass(frozen=True, slots=True)
class AttemptRow:
    """An attempt as the worker asks about it, with a fresh STAN and local time for the message it will send."""

    attempt_id: str
    payment_id: str
    state: str
    acquirer_id: str
    terminal_id: str
    stan: str
    rrn: str
    local_time: str
    issuer_id: str
    amount_rial: int
    fee_rial: int
    pan_sealed: bytes | None
    kind: str
    merchant_id: str
    payee_name: str
    reference: str
    own_stan: str
    own_local_time: str


def for_switch(connection: Connection, attempt_id: str) -> AttemptRow | None:
    """Read an attempt and draw the STAN of the next message about it."""
    row = connection.execute(_FOR_SWITCH, {"attempt_id": attempt_id}).mappings().one_or_none()
    if row is None:
        return None
    sealed = row["pan_sealed"]
    return AttemptRow(**{**row, "pan_sealed": None if sealed is None else bytes(sealed)})
