"""Checks of a code without a purchase: what their request was answered before, and the statement that writes one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection, text

from otp.domain.authorisation import Decision
from otp.domain.quotas import Charge
from otp.store.challenges import FirstAnswer, RequestKey, once
from otp.store.judgements import JUDGED, judged

_READ = text("""
SELECT first.body_hash, first.status, first.answer,
       (SELECT max(sequence) FROM harim_request
         WHERE psp_id = :psp_id AND transaction_ref = :transaction_ref) AS last_sequence
  FROM (SELECT) AS asked
  LEFT JOIN harim_request first ON first.psp_id = :psp_id AND first.request_id = CAST(:request_id AS uuid)
""")

_WRITE = text(f"""
WITH {JUDGED}
INSERT INTO harim_request (psp_id, request_id, body_hash, transaction_ref, sequence, status, answer,
                           terminal_id, reason)
VALUES (:psp_id, CAST(:request_id AS uuid), CAST(:body_hash AS bytea), :transaction_ref, :sequence, :status,
        CAST(:answer AS jsonb), :terminal_id, :reason)
RETURNING body_hash, status, answer
""")


@dataclass(frozen=True, slots=True)
class Verification:
    """All that one check changes.

    Args:
        answer: as it is kept: where it has a proof, the id of the key that the proof is derived from.
        charges: what a wrong try counts on.
        proof_mac: of the proof; ``None`` when none was earned.
    """

    body_hash: bytes
    sequence: int
    card_id: int | None
    decision: Decision
    terminal_id: str
    charges: Sequence[Charge]
    proof_mac: bytes | None
    status: int
    answer: dict[str, Any]


def read_request(connection: Connection, key: RequestKey) -> tuple[FirstAnswer | None, int]:
    """Return the first answer to this request id, if there is one, and the highest sequence of its transaction."""
    row = connection.execute(_READ, asdict(key)).one()
    first = None if row.body_hash is None else FirstAnswer(row.body_hash, row.status, row.answer)
    return first, row.last_sequence or 0


def write(connection: Connection, key: RequestKey, verification: Verification) -> FirstAnswer:
    """Write counters, the challenge with its proof, the warning and the answer in one statement; return it as kept.

    Raises:
        RequestIdTaken: when a request with the same id came first; the transaction must end.
    """
    values = {
        **asdict(key),
        **judged(
            verification.decision,
            card_id=verification.card_id,
            charges=verification.charges,
            warning_key=f"last-try:{key.psp_id}:{key.request_id}",
            proof_mac=verification.proof_mac,
        ),
        "body_hash": verification.body_hash,
        "sequence": verification.sequence,
        "status": verification.status,
        "terminal_id": verification.terminal_id,
        "reason": str(verification.decision.reason),
        "answer": json.dumps(verification.answer),
    }
    row = once(connection, _WRITE, values, key).one()
    return FirstAnswer(row.body_hash, row.status, row.answer)
