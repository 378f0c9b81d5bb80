"""Card accounts: the lock, the facts under it, and the one statement that writes a decision (D4)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, text

from otp.domain.authorisation import CardFacts, Decision
from otp.domain.financial import HostAnswer
from otp.domain.notices import NoticeKind
from otp.domain.proof import PROOF_SECONDS
from otp.domain.verdict import AppChange
from otp.store.card_days import APPROVED_TODAY, TODAY
from otp.store.ceilings import IN_FORCE, Ceilings
from otp.store.notices import queued

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
       coalesce(card.low_ceiling_until > clock.now, false) AS lowered,
       spent.spent_rial, spent.unbound_rial, spent.static_rial, spent.sent_rial, spent.told_today,
       app.card_ref, app.device_id, app.code_root_sealed, app.wrong_codes, app.last_second_step, app.last_bound_step,
       app.drift_steps,
       near.challenge_id, near.acquirer_id, near.transaction_ref, near.state, near.binding_digest, near.code_mac,
       near.wrong_tries, near.tries_max, near.expires_at, near.proof_mac, near.proof_expires_at,
       near.bound, near.ceiling_rial AS code_ceiling_rial, near.channel
  FROM clock CROSS JOIN spent LEFT JOIN card ON card.card_id = CAST(:card_id AS bigint) LEFT JOIN app ON true
       LEFT JOIN near ON true
 ORDER BY near.challenge_id
""")

# What a decision does to card, challenge and holder, whether money was asked for or only a code was checked.
JUDGED = f"""
decided AS (
    SELECT CAST(:authorisation_id AS bigint) AS authorisation_id, CAST(:card_id AS bigint) AS card_id,
           CAST(:challenge_id AS bigint) AS challenge_id, CAST(:challenge_state AS text) AS challenge_state,
           CAST(:debit_rial AS bigint) AS debit_rial),
counted AS (
    UPDATE card SET status = :card_status, pin_failures = :pin_failures, pin_locked_until = :pin_locked_until,
           pin_lock_level = :pin_lock_level, card_data_failures = :card_data_failures,
           card_data_failed_since = :card_data_failed_since,
           card_not_present_paused_until = :card_not_present_paused_until,
           balance_rial = balance_rial - decided.debit_rial
      FROM decided WHERE card.card_id = decided.card_id AND CAST(:card_changes AS bool) RETURNING card.card_id),
judged AS (
    UPDATE challenge SET state = decided.challenge_state, wrong_tries = :wrong_tries,
           decided_at = CASE decided.challenge_state WHEN 'issued' THEN decided_at ELSE house_now() END,
           proof_mac = coalesce(CAST(:proof_mac AS bytea), proof_mac),
           proof_expires_at = CASE WHEN CAST(:proof_mac AS bytea) IS NULL THEN proof_expires_at
                                   ELSE house_now() + make_interval(secs => :proof_seconds) END
      FROM decided WHERE challenge.challenge_id = decided.challenge_id AND state IN ('issued', 'verified')
    RETURNING challenge.challenge_id),
stepped AS (
    UPDATE device_card SET last_second_step = greatest(last_second_step, CAST(:second_step AS bigint)),
           last_bound_step = greatest(last_bound_step, CAST(:bound_step AS bigint)), drift_steps = :drift_steps
     WHERE card_ref = CAST(:card_ref AS uuid) AND CAST(:app_matched AS bool) RETURNING card_ref),
device_judged AS (
    UPDATE device SET wrong_codes = :wrong_codes, state = :device_state
     WHERE device_id = CAST(:device_id AS uuid) AND state = 'active' RETURNING state),
suspended AS (
    {queued(NoticeKind.APP_SUSPENDED, "decided, device_judged WHERE device_judged.state = 'suspended'")}
    RETURNING id),
warned AS (
    INSERT INTO outbox (topic, unique_key, payload)
    SELECT 'sms.last_try', CAST(:warning_key AS text), jsonb_build_object('card_id', card_id)
      FROM decided WHERE CAST(:warn AS bool) RETURNING id)
"""

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
    """What one purchase needs to know, read after the lock by the database's clock (D33)."""

    now: dt.datetime
    spent_rial: int
    unbound_rial: int
    static_rial: int
    sent_rial: int
    told_today: int
    card: CardRow | None
    app: AppRow | None
    challenges: tuple[NearChallenge, ...]


def lock_card(connection: Connection, tokens: Sequence[bytes]) -> HeldCard:
    """Hold a card until the transaction ends, if this bank has it, by its tokens under the live keys."""
    row = connection.execute(_LOCK, {"tokens": list(tokens)}).first()
    return HeldCard(None, tokens[0]) if row is None else HeldCard(int(row.card_id), bytes(row.card_name))


def read_account(
    connection: Connection, card_id: int | None, references: Sequence[str], macs: Sequence[bytes], ceilings: Ceilings
) -> Account:
    """Read the card, its app, its recent challenges that concern this purchase, and what it spent today in Tehran."""
    parameters = {"card_id": card_id, "references": list(references), "macs": list(macs), **asdict(ceilings)}
    rows = connection.execute(_READ, parameters).mappings().all()
    first = rows[0]
    return Account(
        now=first["now"],
        spent_rial=int(first["spent_rial"]),
        unbound_rial=int(first["unbound_rial"]),
        static_rial=int(first["static_rial"]),
        sent_rial=int(first["sent_rial"]),
        told_today=int(first["told_today"]),
        card=None if first["status"] is None else CardRow(*(first[name] for name in CardRow.__slots__)),
        app=None if first["card_ref"] is None else AppRow(*(first[name] for name in AppRow.__slots__)),
        challenges=tuple(
            NearChallenge(**{**{name: row[name] for name in NearChallenge.__slots__}, "bound": tuple(row["bound"])})
            for row in rows
            if row["challenge_id"] is not None
        ),
    )


def write_decision(
    connection: Connection,
    decision: Decision,
    answer: HostAnswer,
    *,
    authorisation_id: int,
    card_id: int | None,
    acquirer_id: str,
) -> None:
    """Write counters, the challenge, debit and credit with their postings, the warning and the answer in one statement.

    A credited card is held as well as the one that pays.
    """
    connection.execute(
        _WRITE,
        {
            **judged(decision, card_id=card_id, warning_key=f"last-try:{authorisation_id}"),
            "authorisation_id": authorisation_id,
            "acquirer_id": acquirer_id,
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


def judged(
    decision: Decision, *, card_id: int | None, warning_key: str, proof_mac: bytes | None = None
) -> dict[str, object]:
    """Return what :data:`JUDGED` writes of a decision.

    Args:
        decision: about a purchase or a code.
        card_id: the card, held by :func:`lock_card`.
        warning_key: makes the holder's warning one of a kind.
        proof_mac: of the proof that stands for the code from now on (D13).
    """
    challenge = decision.challenge
    return {
        "authorisation_id": None,
        "card_id": card_id,
        "challenge_id": challenge.challenge_id if challenge else None,
        "challenge_state": challenge.state if challenge else None,
        "wrong_tries": challenge.wrong_tries if challenge else 0,
        "debit_rial": decision.debit.amount,
        "warn": decision.warn_holder,
        "warning_key": warning_key,
        "proof_mac": proof_mac,
        "proof_seconds": PROOF_SECONDS,
        **_counters(decision.card),
        **_app(decision.app),
    }


def _app(app: AppChange | None) -> dict[str, object]:
    match = None if app is None else app.match
    return {
        "device_id": app.device_id if app else None,
        "device_state": app.state if app else None,
        "wrong_codes": app.wrong_codes if app else 0,
        "card_ref": app.card_ref if app else None,
        "app_matched": match is not None,
        "second_step": match.step if match and not match.bound else 0,
        "bound_step": match.step if match and match.bound else 0,
        "drift_steps": match.drift if match else 0,
    }


def _counters(card: CardFacts | None) -> dict[str, object]:
    return {
        "card_changes": card is not None,
        "card_status": "active" if card is None or card.active else "blocked",
        "pin_failures": card.pin_failures if card else 0,
        "pin_locked_until": card.pin_locked_until if card else None,
        "pin_lock_level": card.pin_lock_level if card else 0,
        "card_data_failures": card.data_failures if card else 0,
        "card_data_failed_since": card.data_failed_since if card else None,
        "card_not_present_paused_until": card.paused_until if card else None,
    }
