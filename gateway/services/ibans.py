"""Where a merchant's money goes: asked for by one, approved by another, and two days of waiting (D11)."""

from __future__ import annotations

from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked, check_name, check_reason
from gateway.domain.iban import PARTS_MAX, check_iban
from gateway.services.approve import ask_in
from gateway.services.gateway import Gateway
from gateway.store import ibans
from gateway.store.ibans import Iban as Iban

LISTED_MOST = 500


def add_iban(gateway: Gateway, merchant_id: str, iban: str, *, parts: int, by: str, reason: str) -> int:
    """Write an IBAN down and ask for it; return the request's number. Of several, each gets its parts of all parts.

    Raises:
        RefusedRow: the IBAN's check digits are wrong, the merchant is not known or has it, or as for any request.
    """
    if not 1 <= parts <= PARTS_MAX:
        raise RefusedRow(f"parts are 1 to {PARTS_MAX}")
    checked, who = check_iban(iban), (check_name(by), check_reason(reason))
    with gateway.database.begin() as connection:
        iban_id = ibans.add(connection, merchant_id, checked, parts)
        if iban_id is None:
            raise RefusedRow(
                f"there is no merchant {merchant_id}, or it has this IBAN; remove it first to change parts"
            )
        facts = {"merchant": merchant_id, "iban": checked}
        return ask_in(gateway, connection, Asked.ADD_IBAN, iban_id, who=who, facts=facts)


def ask_again(gateway: Gateway, iban_id: int, *, by: str, reason: str) -> int:
    """Ask once more for an IBAN whose request nobody approved in time; return the request's number.

    Raises:
        RefusedRow: there is no such IBAN, it is approved or removed, or as for any request.
    """
    who = (check_name(by), check_reason(reason))
    with gateway.database.begin() as connection:
        row = ibans.hold(connection, iban_id) or {}
        facts = {"merchant": row.get("merchant_id"), "iban": row.get("iban")}
        return ask_in(gateway, connection, Asked.ADD_IBAN, iban_id, who=who, facts=facts)


def list_ibans(gateway: Gateway, merchant_id: str) -> list[Iban]:
    """Return a merchant's IBANs, those that were removed too."""
    with gateway.database.single() as connection:
        return ibans.of_merchant(connection, merchant_id, most=LISTED_MOST)
