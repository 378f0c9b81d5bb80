"""What a decision about a code changes, whether money was asked for or only the code was checked."""

from __future__ import annotations

from collections.abc import Sequence

from otp.domain.authorisation import CardFacts, Decision
from otp.domain.notices import NoticeKind
from otp.domain.proof import PROOF_SECONDS
from otp.domain.quotas import Charge
from otp.domain.verdict import AppChange
from otp.store.notices import queued
from otp.store.quotas import CHARGED, counted

# Everything else that is written here is held by then: the rows of a limit are the last that anybody waits for.
JUDGED = f"""
clock AS MATERIALIZED (SELECT house_now() AS now),
{CHARGED},
decided AS (
    SELECT CAST(:authorisation_id AS bigint) AS authorisation_id, CAST(:card_id AS bigint) AS card_id,
           CAST(:challenge_id AS bigint) AS challenge_id, CAST(:challenge_state AS text) AS challenge_state,
           CAST(:debit_rial AS bigint) AS debit_rial),
changed AS (
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
"""What a decision does to card, challenge, app and holder, and to the limits of where it came from (D20)."""


def judged(
    decision: Decision,
    *,
    card_id: int | None,
    charges: Sequence[Charge],
    warning_key: str,
    proof_mac: bytes | None = None,
) -> dict[str, object]:
    """Return what :data:`JUDGED` writes of a decision.

    Args:
        decision: about a purchase or a code.
        card_id: the card, held by :func:`otp.store.accounts.lock_card`.
        charges: what a wrong try counts on.
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
        **counted(charges if decision.wrong else ()),
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
