"""Who is owed what is paid for bills of a company or numbers of an operator: one person says, of another two (D35)."""

from __future__ import annotations

from foundation.audit import Details
from gateway.domain.bills import Service
from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked, check_name, check_reason
from gateway.domain.top_up import Operator
from gateway.services.approve import ask_in, subject_of
from gateway.services.audit_trail import By, note
from gateway.services.gateway import Gateway
from gateway.store import owed

COMPANY_DIGITS = 3


def add_biller(
    gateway: Gateway, merchant_id: str, service: int, company: str, *, by: str | None = None, reason: str = ""
) -> int | None:
    """Let the bills of a company be paid to a merchant; the same again changes nothing.

    Returns:
        The number of the request that another person approves, where they are paid to another merchant now.

    Raises:
        RefusedRow: service or company is none (the message says how they look), or as :func:`add_operator`.
    """
    if service not in {int(each) for each in Service}:
        raise RefusedRow("service is a digit from 1 to 9: the last but one of the bill id")
    if len(company) != COMPANY_DIGITS or not (company.isascii() and company.isdigit()):
        raise RefusedRow("company has 3 digits: those of the bill id before the service")
    return _let(gateway, Asked.MOVE_BILLER, f"{service}{company}", merchant_id, by, reason)


def add_operator(
    gateway: Gateway, operator: str, merchant_id: str, *, by: str | None = None, reason: str = ""
) -> int | None:
    """Let numbers of an operator be topped up, owed to a merchant; the same again changes nothing.

    Returns:
        The number of the request that another person approves, where another merchant is owed it now.

    Raises:
        RefusedRow: there is no such operator (the message says which there are) or merchant; or two people are needed
            and ``by`` or ``reason`` is no name or reason, or the same is asked for already.
    """
    if operator not in set(Operator):
        raise RefusedRow(f"operator is one of {', '.join(Operator)}")
    return _let(gateway, Asked.MOVE_OPERATOR, operator, merchant_id, by, reason)


def _let(gateway: Gateway, asks: Asked, name: str, merchant_id: str, by: str | None, reason: str) -> int | None:
    with gateway.database.begin() as connection:
        if not owed.knows(connection, merchant_id):
            raise RefusedRow(f"there is no merchant {merchant_id}; add it first")
        if owed.add(connection, asks, name, merchant_id):
            subject, added = subject_of(asks, name), f"{asks.partition('.')[0]}.added"
            who, facts = By.operator(by, reason), {"merchant": merchant_id}
            note(connection, gateway.keyring, who, added, subject, facts)
            return None
        was = owed.hold(connection, asks, name)
        if was == merchant_id:
            return None
        if by is None:
            raise RefusedRow(f"{was} is owed this; that another is takes two people: say --by and --reason")
        moved: Details = {"merchant": merchant_id, "was": was}
        return ask_in(gateway, connection, asks, name, who=(check_name(by), check_reason(reason)), facts=moved)
