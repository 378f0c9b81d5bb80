"""An operator stops an issuer's new business at once, and lets it go on; what was begun is always brought to its end.

PIN requests and purchases read the mark in their own statements, so a pause holds in every process from its commit on.
Inquiries and reversals never look at it. Who paused, when and why is in the row, in the log and in the approvals trail.
"""

from __future__ import annotations

import structlog

from gateway.domain.errors import GatewayError, IssuerPaused, RefusedRow
from gateway.domain.issuers import Issuer
from gateway.services.audit_trail import By, note
from gateway.services.gateway import Gateway
from gateway.store import pauses

log = structlog.get_logger()

WORDS_MAX = 200


def pause(gateway: Gateway, name: str, *, by: str, reason: str) -> Issuer:
    """Take no new PIN request and no purchase of this issuer's cards.

    Args:
        gateway: whose issuer it is.
        name: the issuer's id, or one of its BINs as registered.
        by: who decides.
        reason: why, for those who read the list and the log.

    Raises:
        RefusedRow: there is no such issuer, or ``by`` or ``reason`` is no line of text.
    """
    issuer = _named(gateway, name)
    for words in (by, reason):
        if not words.strip() or not words.isprintable() or len(words) > WORDS_MAX:
            raise RefusedRow(f"who and why are one line each, at most {WORDS_MAX} characters")
    with gateway.database.begin() as connection:
        pauses.pause(connection, issuer.issuer_id, by=by, reason=reason)
        note(connection, gateway.keyring, By.operator(by, reason), "issuer.paused", f"issuer:{issuer.issuer_id}")
    gateway.directory.forget()
    log.warning("issuer_paused", issuer_id=issuer.issuer_id, by=by, reason=reason)
    return issuer


def resume(gateway: Gateway, name: str, *, by: str) -> Issuer:
    """Take new business of this issuer again.

    Raises:
        RefusedRow: there is no such issuer, or it is not paused.
    """
    issuer = _named(gateway, name)
    with gateway.database.begin() as connection:
        since = pauses.resume(connection, issuer.issuer_id)
        if since is not None:
            details = {"paused_at": since.isoformat()}
            note(connection, gateway.keyring, By.operator(by), "issuer.resumed", f"issuer:{issuer.issuer_id}", details)
    if since is None:
        raise RefusedRow(f"issuer {issuer.issuer_id} is not paused")
    gateway.directory.forget()
    log.warning("issuer_resumed", issuer_id=issuer.issuer_id, by=by, paused_at=since.isoformat())
    return issuer


def unless_paused(gateway: Gateway, issuer: Issuer, limit: type[GatewayError]) -> type[GatewayError]:
    """Say why new business was refused by a payment that is open: its issuer's pause, otherwise ``limit``."""
    with gateway.database.single() as connection:
        return IssuerPaused if pauses.is_paused(connection, issuer.issuer_id) else limit


def _named(gateway: Gateway, name: str) -> Issuer:
    bins = dict(gateway.directory.issuer_bins())
    issuer = gateway.directory.issuer(name) or bins.get(name)
    if issuer is None:
        raise RefusedRow(f"there is no issuer {name}; see: python -m gateway issuer list")
    return issuer
