"""An operator changes the keys of an issuer's link; whenever this is cut, both sides go on (contracts/iso8583/v1, §3).

The set is committed here before it is offered and becomes active only once the host has said that it keeps it. Until
then every process writes with the keys in use, which the host goes on taking; run again, the same set is offered.
"""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, Declined, Unknown
from gateway.ports import KeyExchange, WrappedKeys
from gateway.services.audit_trail import By, note
from gateway.services.gateway import Gateway
from gateway.store import link_keys

log = structlog.get_logger()

OVERLAP_SECONDS = 60
"""Between two changes: far longer than any process goes on with the keys it knows."""


class KeysNotChanged(ValueError):
    """The host has not (or may not have) taken new keys; the message is a sentence for the operator."""


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """A set that both sides now have, and the check values of its PIN key, our MAC key and the host's."""

    name: str
    check_values: tuple[str, str, str]


def change_keys(gateway: Gateway, exchange: KeyExchange, issuer_id: str, *, by: str | None = None) -> KeysChanged:
    """Agree on new PIN and MAC keys with an issuer's host; ``by`` is this process's account unless given.

    Raises:
        KeysNotChanged: there is no such issuer, it shares another one's link, the last change was a moment ago, or the
            host did not take the keys.
        UnknownKey: there is no key-exchange key for this issuer.
    """
    issuer = gateway.directory.issuer(issuer_id)
    if issuer is None:
        raise KeysNotChanged(f"there is no issuer {issuer_id}")
    if issuer.switch_of is not None:
        raise KeysNotChanged(f"{issuer_id} shares the link of {issuer.switch_of}: change the keys of that one")
    keys = _on_offer(gateway, exchange, issuer)
    answer = exchange.offer(issuer, keys)
    log.info("link_keys_offered", issuer_id=issuer_id, name=keys.name, answer=type(answer).__name__)
    match answer:
        case Approved():
            with gateway.database.begin() as connection:
                link_keys.taken(connection, issuer_id, keys.name)
                subject, details = f"issuer:{issuer_id}", {"name": keys.name, "key_exchange_key": keys.kek_id}
                note(connection, gateway.keyring, By.operator(by), "link_keys.changed", subject, details)
            return KeysChanged(keys.name, exchange.check_values(issuer, keys))
        case Declined(action_code):
            with gateway.database.single() as connection:
                link_keys.refused(connection, issuer_id, keys.name)
            raise KeysNotChanged(f"{issuer_id} refused the keys with {action_code}; those in use go on")
        case Unknown(why):
            raise KeysNotChanged(
                f"{issuer_id} did not say that it took the keys ({why}); those in use go on: run again"
            )


def _on_offer(gateway: Gateway, exchange: KeyExchange, issuer: Issuer) -> WrappedKeys:
    """Return the set that was offered and not answered, or commit a new one."""
    drawn = exchange.new_keys(issuer)
    with gateway.database.begin() as connection:
        link_keys.offer(connection, issuer.issuer_id, drawn, overlap_seconds=OVERLAP_SECONDS)
        keys = link_keys.on_offer(connection, issuer.issuer_id)
    if keys is None:
        raise KeysNotChanged(f"the keys of {issuer.issuer_id} were changed less than {OVERLAP_SECONDS} seconds ago")
    return keys
