"""An attempt as the worker asks about it."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, CursorResult, text

from gateway.ports import UnmatchedAnswer

_ATTEMPT = """
SELECT a.attempt_id, a.payment_id, a.state, a.acquirer_id, a.terminal_id, a.stan, a.rrn, a.local_time, a.issuer_id,
  a.amount_rial, a.fee_rial, a.pan_sealed, p.kind, p.merchant_id, coalesce(p.payee_name, m.payee_name) AS payee_name,
  p.payee_key, p.inside, p.reference,
  lpad(CAST(nextval('stan') AS text), 6, '0') AS own_stan,
  to_char(house_now() AT TIME ZONE 'Asia/Tehran', 'YYMMDDHH24MISS') AS own_local_time
FROM attempt a JOIN payment p USING (payment_id) JOIN merchant m USING (merchant_id)
"""
_FOR_SWITCH = text(f"{_ATTEMPT} WHERE a.attempt_id = :attempt_id")
_BY_TRACE = text(f"""
{_ATTEMPT} JOIN issuer i ON i.issuer_id = a.issuer_id
WHERE a.acquirer_id = :acquirer_id AND a.terminal_id = :terminal_id AND a.stan = :stan AND a.rrn = :rrn
  AND a.local_time = :local_time AND coalesce(i.switch_of, i.issuer_id) = :issuer_id
  AND a.amount_rial + a.fee_rial = :total_rial
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
    payee_key: str
    inside: bool
    reference: str
    own_stan: str
    own_local_time: str


def for_switch(connection: Connection, attempt_id: str) -> AttemptRow | None:
    """Read an attempt and draw the STAN of the next message about it."""
    return _row(connection.execute(_FOR_SWITCH, {"attempt_id": attempt_id}))


def by_trace(connection: Connection, answer: UnmatchedAnswer) -> AttemptRow | None:
    """Find the attempt that an answer is about: the same link, key and total, or none (D3)."""
    values = {
        "issuer_id": answer.issuer_id,
        "acquirer_id": answer.acquirer_id,
        "terminal_id": answer.terminal_id.rstrip(),
        "stan": answer.stan,
        "rrn": answer.rrn,
        "local_time": answer.local_time,
        "total_rial": int(answer.total),
    }
    return _row(connection.execute(_BY_TRACE, values))


def _row(result: CursorResult[tuple[object, ...]]) -> AttemptRow | None:
    row = result.mappings().one_or_none()
    if row is None:
        return None
    sealed = row["pan_sealed"]
    return AttemptRow(**{**row, "pan_sealed": None if sealed is None else bytes(sealed)})
