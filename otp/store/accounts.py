"""Card accounts: the lock, the facts under it, and the one statement that writes a decision (D4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.authorisation import Decision
from otp.domain.financial import HostAnswer
from otp.domain.quotas import Charge
from otp.store.card_days import APPROVED_TODAY, TODAY
from otp.store.ceilings import IN_FORCE, Ceilings
from otp.store.judgements import JUDGED, judged
from otp.store.quotas import FULL, counted

# One statement by every live key; one that waited while the card got another token still finds it.
_LOCK = text("""
SELECT card_id, coalesce(card_name, card_token) AS card_name
  FROM card WHERE card_token = ANY(CAST(:tokens AS bytea[])) FOR UPDATE
""")

# A statement of its own after the lock: one that waited for a lock goes on with its old snapshot (D4). The challenges
# are locked as well, because asking for a code may end one without this card's lock.
_READ = text(f"""
WITH clock AS MATERIALIZED (SELECT house_now() AS now),
{TODAY},
{FULL},
near AS MATERIALIZED (
    SELECT challenge_id, psp.acquirer_id, transaction_ref, state, binding_digest, code_mac, wrong_tries, tries_max,
           expires_at, proof_mac, proof_expires_at, bound, ceiling_rial, channel
      FROM challenge LEFT JOIN psp USING (psp_id)
     WHERE card_id = CAST(:card_id AS bigint)
       AND (transaction_ref = ANY(CAST(:references AS text[])) OR code_mac = ANY(CAST(:macs AS bytea[]))
            OR proof_mac = ANY(CAST(:macs AS bytea[])))
       AND issued_at > (SELECT now FROM clock) - interval '1 day'
     ORDER BY challenge_id FOR UPDATE OF challenge),
app AS MATERIALIZED (
    SELECT CAST(card_ref AS text) AS card_ref, CAST(device_id AS text) AS device_id, code_root_sealed, wrong_codes,
           last_second_step, last_bound_step, drift_steps
      FROM device_card JOIN device USING (device_id)
     WHERE card_id = CAST(:card_id AS bigint) AND device_card.state = 'active' AND device.state = 'active' FOR UPDATE),
spent AS MATERIALIZED (
    SELECT coalesce(sum(amount_rial), 0) AS spent_rial,
           coalesce(sum(amount_rial) FILTER (WHERE unbound), 0) AS unbound_rial,
           coalesce(sum(amount_rial) FILTER (WHERE code_channel = 'static'), 0) AS static_rial,
           coalesce(sum(amount_rial - fee_rial) FILTER (WHERE kind = 'transfer'), 0) AS sent_rial,
           count(*) FILTER (WHERE kind = 'balance') AS told_today
      FROM authorisation
     WHERE card_id = CAST(:card_id AS bigint) AND {APPROVED_TODAY})
SELECT clock.now, card.expiry, card.status, card.second_pin_active, card.pin_failures, card.pin_locked_until,
       card.pin_lock_level, card.card_data_failures, card.card_data_failed_since, card.card_not_present_paused_until,
       card.balance_rial, card.kind, card.static_second_pin_mac, card.static_pin_key,
       {IN_FORCE} AS ceiling_rial,
       coalesce(card.low_ceiling_until > clock.now, false) AS lowered, full_rows.retry_after,
       spent.spent_rial, spent.unbound_rial, spent.static_rial, spent.sent_rial, spent.told_today,
       app.card_ref, app.device_id, app.code_root_sealed, app.wrong_codes, app.last_second_step, app.last_bound_step,
       app.drift_steps,
       near.challenge_id, near.acquirer_id, near.transaction_ref, near.state, near.binding_digest, near.code_mac,
       near.wrong_tries, near.tries_max, near.expires_at, near.proof_mac, near.proof_expires_at,
       near.bound, near.ceiling_rial AS code_ceiling_rial, near.channel
  FROM clock CROSS JOIN spent CROSS JOIN full_rows LEFT JOIN card ON card.card_id = CAST(:card_id AS bigint)
       LEFT JOIN app ON true LEFT JOIN near ON true
 ORDER BY near.challenge_id
""")

# Of a transfer to another bank the amount is owed between the banks, and the fee to the acquirer (D7).
_WRITE = text(f"""
WITH {JUDGED},
moved AS MATERIALIZED (
    SELECT authorisation_id, decided.card_id, debit_rial, CAST(:credit_rial AS bigint) AS credit_rial,
           CAST(:credited_id AS bigint) AS credited_id, authorisation.kind,
           CASE WHEN authorisation.kind = 'transfer' AND CAST(:credited_id AS bigint) IS NULL AND debit_rial > 0
                THEN debit_rial - fee_rial ELSE 0 END AS owed_rial
      FROM decided JOIN authorisation USING (authorisation_id)),
given AS (
    UPDATE card SET balance_rial = balance_rial + credit_rial FROM moved
     WHERE card.card_id = moved.credited_id AND credit_rial > 0 RETURNING card.card_id),
posted AS (
    INSERT INTO posting (authorisation_id, event, source, destination, amount_rial)
    SELECT authorisation_id, kind, 'card:' || card_id, part.destination, part.rial
      FROM moved CROSS JOIN LATERAL (VALUES
           ('card:' || credited_id, credit_rial),
           ('interbank:' || CAST(:acquirer_id AS text), owed_rial),
           ('acquirer:' || CAST(:acquirer_id AS text), debit_rial - credit_rial - owed_rial))
           AS part (destination, rial)
     WHERE part.rial > 0 RETURNING posting_id)
UPDATE authorisation
   SET state = :state, action_code = :action_code, reason = :reason, approval_code = :approval_code,
       capture_date = :capture_date, card_id = decided.card_id, decided_at = house_now(),
       challenge_id = CASE decided.challenge_state WHEN 'consumed' THEN decided.challenge_id END,
       told_rial = CAST(:told_rial AS bigint),
       code_channel = :code_channel, unbound = :unbound, credited_card_id = CAST(:credited_id AS bigint),
       card_ref = CASE WHEN CAST(:app_matched AS bool) THEN CAST(:card_ref AS uuid) END
  FROM decided WHERE authorisation.authorisation_id = decided.authorisation_id
""")


@dataclass(frozen=True, slots=True)
class Writing:
    """All that one message changes.

    Args:
        card_id: the card, held by :func:`lock_card`; a credited card is held as well as the one that pays.
        charges: what a wrong try counts on.
    """

    authorisation_id: int
    card_id: int | None
    acquirer_id: str
    decision: Decision
    answer: HostAnswer
    charges: Sequence[Charge]


@dataclass(frozen=True, slots=True)
class HeldCard:
    """A card under its lock.

    Args:
        card_id: ``None`` when this bank has no such card.
        name: what its codes and PINs are bound to; of an unknown card something that takes the same work (D18).
    """

    card_id: int | None
    name: bytes


@dataclass(frozen=True, slots=True)
class NearChallenge:
    """A recent challenge of this card with this payment's reference, or this code or proof; by SMS it has no PSP."""

    challenge_id: int
    acquirer_id: str | None
    transaction_ref: str | None
    state: str
    binding_digest: bytes
    code_mac: bytes
    wrong_tries: int
    tries_max: int
    expires_at: dt.datetime
    proof_mac: bytes | None
    proof_expires_at: dt.datetime | None
    bound: tuple[str, ...]
    code_ceiling_rial: int | None
    channel: str


@dataclass(frozen=True, slots=True)
class AppRow:
    """The device that makes this card's codes, and how far the card on it is."""

    card_ref: str
    device_id: str
    code_root_sealed: bytes
    wrong_codes: int
    last_second_step: int
    last_bound_step: int
    drift_steps: int


@dataclass(frozen=True, slots=True)
class CardRow:
    """A card's row under its lock."""

    expiry: str
    status: str
    second_pin_active: bool
    pin_failures: int
    pin_locked_until: dt.datetime | None
    pin_lock_level: int
    card_data_failures: int
    card_data_failed_since: dt.datetime | None
    card_not_present_paused_until: dt.datetime | None
    balance_rial: int
    kind: str
    static_second_pin_mac: bytes | None
    static_pin_key: str | None
    ceiling_rial: int
    lowered: bool


@dataclass(frozen=True, slots=True)
class Account:
    """What one purchase needs to know, read after the lock by the database's clock (D33).

    Args:
        retry_after: for how long, seconds, too many wrong tries of where it comes from hold it back.
    """

    now: dt.datetime
    spent_rial: int
    unbound_rial: int
    static_rial: int
    sent_rial: int
    told_today: int
    retry_after: int | None
    card: CardRow | None
    app: AppRow | None
    challenges: tuple[NearChallenge, ...]


def lock_card(connection: Connection, tokens: Sequence[bytes]) -> HeldCard:
    """Hold a card until the transaction ends, if this bank has it, by its tokens under the live keys."""
    row = connection.execute(_LOCK, {"tokens": list(tokens)}).first()
    return HeldCard(None, tokens[0]) if row is None else HeldCard(int(row.card_id), bytes(row.card_name))


def read_account(
    connection: Connection,
    card_id: int | None,
    references: Sequence[str],
    macs: Sequence[bytes],
    *,
    ceilings: Ceilings,
    charges: Sequence[Charge],
) -> Account:
    """Read the card, its app, its recent challenges that concern this purchase, and what it spent today in Tehran.

    ``charges`` are those of a wrong try (D20).
    """
    parameters = {
        "card_id": card_id,
        "references": list(references),
        "macs": list(macs),
        **asdict(ceilings),
        **counted(charges),
    }
    rows = connection.execute(_READ, parameters).mappings().all()
    first = rows[0]
    return Account(
        now=first["now"],
        spent_rial=int(first["spent_rial"]),
        unbound_rial=int(first["unbound_rial"]),
        static_rial=int(first["static_rial"]),
        sent_rial=int(first["sent_rial"]),
        told_today=int(first["told_today"]),
        retry_after=first["retry_after"],
        card=None if first["status"] is None else CardRow(*(first[name] for name in CardRow.__slots__)),
        app=None if first["card_ref"] is None else AppRow(*(first[name] for name in AppRow.__slots__)),
        challenges=tuple(
            NearChallenge(**{**{name: row[name] for name in NearChallenge.__slots__}, "bound": tuple(row["bound"])})
            for row in rows
            if row["challenge_id"] is not None
        ),
    )


def write_decision(connection: Connection, writing: Writing) -> None:
    """Write counters, challenge, debit and credit with their postings, the warning and the answer in one statement."""
    decision, answer = writing.decision, writing.answer
    warning_key = f"last-try:{writing.authorisation_id}"
    connection.execute(
        _WRITE,
        {
            **judged(decision, card_id=writing.card_id, charges=writing.charges, warning_key=warning_key),
            "authorisation_id": writing.authorisation_id,
            "acquirer_id": writing.acquirer_id,
            "state": "approved" if decision.approved else "declined",
            "told_rial": None if decision.balance is None else decision.balance.reveal().amount,
            "action_code": answer.action_code,
            "reason": decision.reason,
            "approval_code": answer.approval_code,
            "capture_date": answer.capture_date,
            "code_channel": decision.channel,
            "unbound": decision.unbound,
            "credit_rial": decision.credit.amount,
            "credited_id": decision.credited_id,
        },
    )
