"""Declines: what each answer code of an issuer means to us and to the cardholder (DE 39, ISO 8583:1993 A.12).

Approved is exactly 000. A code listed here is an explicit no. Everything else, 909, 911, 923 and 999 among
it, is unknown
(D3). Wrong card data and wrong code are one reason (D18).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from gateway.domain.outcome import APPROVED_CODE, Approved, Declined, Unknown


class Fault(StrEnum):
    """Who has to do something about a decline."""

    CUSTOMER = "customer"
    ISSUER = "issuer"
    GATEWAY = "gateway"


@dataclass(frozen=True, slots=True)
class Decline:
    """One explicit no.

    Args:
        reason: key of the sentence the page shows; several codes share one where the difference would be an oracle.
        may_retry: whether another attempt with this payment can succeed.
    """

    action_code: str
    reason: str
    may_retry: bool
    fault: Fault


_CUSTOMER, _ISSUER, _GATEWAY = Fault.CUSTOMER, Fault.ISSUER, Fault.GATEWAY

_ROWS: tuple[tuple[str, str, bool, Fault], ...] = (
    ("100", "refused_by_issuer", True, _ISSUER),
    ("101", "card_or_code_wrong", True, _CUSTOMER),
    ("102", "refused_by_issuer", False, _ISSUER),
    ("104", "card_restricted", False, _CUSTOMER),
    ("106", "pin_tries_exceeded", False, _CUSTOMER),
    ("107", "refused_by_issuer", True, _ISSUER),
    ("109", "not_possible_here", False, _GATEWAY),
    ("110", "amount_refused", False, _GATEWAY),
    ("111", "card_or_code_wrong", True, _CUSTOMER),
    ("112", "pin_required", True, _CUSTOMER),
    ("114", "no_account", False, _CUSTOMER),
    ("115", "not_possible_here", False, _GATEWAY),
    ("116", "not_enough_balance", True, _CUSTOMER),
    ("117", "card_or_code_wrong", True, _CUSTOMER),
    ("118", "card_or_code_wrong", True, _CUSTOMER),
    ("119", "card_restricted", False, _CUSTOMER),
    ("120", "not_possible_here", False, _GATEWAY),
    ("121", "limit_exceeded", True, _CUSTOMER),
    ("122", "card_or_code_wrong", True, _CUSTOMER),
    ("123", "too_often", False, _CUSTOMER),
    ("124", "amount_refused", False, _GATEWAY),
    ("125", "card_restricted", False, _CUSTOMER),
    ("126", "card_or_code_wrong", True, _CUSTOMER),
    ("129", "card_or_code_wrong", True, _CUSTOMER),
    ("180", "code_expired", True, _CUSTOMER),
    ("181", "code_used", True, _CUSTOMER),
    ("182", "code_of_other_payment", True, _CUSTOMER),
    ("183", "pin_tries_exceeded", True, _CUSTOMER),
    ("184", "refused_by_issuer", False, _ISSUER),
    ("185", "above_code_ceiling", True, _CUSTOMER),
    ("186", "above_static_ceiling", True, _CUSTOMER),
    ("200", "card_restricted", False, _CUSTOMER),
    ("208", "card_restricted", False, _CUSTOMER),
    ("209", "card_restricted", False, _CUSTOMER),
    ("902", "not_possible_here", False, _GATEWAY),
    ("904", "not_possible_here", False, _GATEWAY),
    ("905", "not_possible_here", False, _GATEWAY),
    ("906", "issuer_unavailable", True, _ISSUER),
    ("907", "issuer_unavailable", True, _ISSUER),
    ("908", "issuer_unavailable", True, _ISSUER),
    ("910", "issuer_unavailable", True, _ISSUER),
    ("912", "issuer_unavailable", True, _ISSUER),
    ("913", "not_possible_here", True, _GATEWAY),
    ("915", "not_possible_here", True, _GATEWAY),
)

DECLINES: dict[str, Decline] = {row[0]: Decline(*row) for row in _ROWS}


def answer_of(
    action_code: str, *, approval_code: str | None = None, capture_date: str | None = None
) -> Approved | Declined | Unknown:
    """Turn a DE 39 value of a genuine, matching answer into an outcome; an unlisted value is unknown (D3)."""
    if action_code == APPROVED_CODE:
        return Approved(approval_code, capture_date)
    if action_code in DECLINES:
        return Declined(action_code)
    return Unknown(f"action code {action_code}")
