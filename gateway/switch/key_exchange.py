"""Key change with an issuer's host: an 1804 with DE 24 = 815 that carries a set of wrapped keys (D22)."""

from __future__ import annotations

from foundation.database import guard_no_transaction
from foundation.keys import Keyring
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import Approved, Declined, Unknown
from gateway.ports import WrappedKeys
from gateway.switch import key_wrap
from gateway.switch.client import NOT_SENT, SwitchClient, why_of
from gateway.switch.iso8583 import write_tlv
from gateway.switch.network import KEY_CHANGE
from gateway.switch.wire import NoAnswer

TAKEN = "000"
NOT_KEPT = frozenset({"904", "913", "918", "919"})
"""DE 39 of an 1814 that says the set was not kept; every other answer leaves that open."""


class KeyExchangeClient:
    """Implements :class:`gateway.ports.KeyExchange`; key-exchange keys have the purpose ``iso-kek:<issuer>``."""

    def __init__(self, switch: SwitchClient, keyring: Keyring) -> None:
        self._switch = switch
        self._keyring = keyring

    def new_keys(self, issuer: Issuer) -> WrappedKeys:
        """Draw a new set under the active key-exchange key."""
        return key_wrap.draw(self._keyring, self._keyring.active_id(f"iso-kek:{issuer.issuer_id}"))

    def check_values(self, issuer: Issuer, keys: WrappedKeys) -> tuple[str, str, str]:
        """Return the check values of a set of this issuer's."""
        if keys.kek_id not in self._keyring.ids(f"iso-kek:{issuer.issuer_id}"):
            raise LookupError(f"no key-exchange key {keys.kek_id} for {issuer.issuer_id}")
        return key_wrap.check_values(self._keyring, keys)

    def offer(self, issuer: Issuer, keys: WrappedKeys) -> Approved | Declined | Unknown:
        """Send the set under the keys in use; the same set again is the same question."""
        guard_no_transaction()
        pin, request, answer = self.check_values(issuer, keys)
        values = {
            "10": keys.name,
            "11": keys.kek_id,
            "12": _hex(keys.pin) + pin,
            "13": _hex(keys.request_mac) + request,
            "14": _hex(keys.answer_mac) + answer,
        }
        try:
            code = self._switch.manage(issuer, KEY_CHANGE, write_tlv(values)).text(39)
        except (*NOT_SENT, NoAnswer) as error:
            return Unknown(why_of(error))
        if code == TAKEN:
            return Approved(None, None)
        return Declined(code) if code in NOT_KEPT else Unknown(f"action code {code}")


def _hex(wrapped: bytes) -> str:
    return wrapped.hex().upper()
