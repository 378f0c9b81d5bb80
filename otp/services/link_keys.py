"""Link keys are exchanged: kept before the acquirer is told so, and read by every process of the host."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from otp.domain.link_keys import KeySet
from otp.services.audit_trail import By, note
from otp.services.desk import Desk
from otp.store import link_keys

log = structlog.get_logger(__name__)


def keep_keys(desk: Desk, keys: KeySet) -> bool:
    """Keep a set of keys for good; the same set again is as well. ``False``: its name is taken by other keys."""
    with desk.database.begin() as connection:
        kept = link_keys.keep(connection, keys)
        details = {"set": keys.name, "replaces": keys.replaces, "kept": kept}
        note(connection, desk.keys, By(f"acquirer:{keys.acquirer_id}"), "link_keys.offered", "link", details)
    log.info("link_keys_offered", acquirer_id=keys.acquirer_id, name=keys.name, replaces=keys.replaces, kept=kept)
    return kept


def live_keys(desk: Desk, acquirer_id: str) -> Sequence[KeySet] | None:
    """Return the exchanged sets an acquirer may use, newest first; ``None`` when the database does not answer."""
    try:
        with desk.database.single() as connection:
            return link_keys.live(connection, acquirer_id)
    except SQLAlchemyError as error:
        log.warning("link_keys_not_read", acquirer_id=acquirer_id, error=type(error).__name__)
        return None
