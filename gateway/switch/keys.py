"""The keys one issuer and we share on the ISO 8583 link, by purpose on the gateway's key ring (D22).

Purposes are ``iso-pin:<issuer>``, ``iso-mac-out:<issuer>`` (our messages) and ``iso-mac-in:<issuer>`` (its answers).
The active key writes; every key of a purpose reads, so that two live side by side while one is being changed.
:class:`LinkKeys` is what was known at one moment: a message is written from one, so that its key ids, its PIN block and
its MAC belong together whatever is exchanged meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from foundation.keys import Keyring, UnknownKey
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from gateway.switch.mac import mac_matches, mac_of
from gateway.switch.pin_block import seal_pin


@dataclass(frozen=True, slots=True)
class LinkKeys:
    """Signs what goes to one issuer, judges what comes from it, and seals PINs for it.

    Every method raises :class:`foundation.keys.UnknownKey` when the ring has no such key.
    """

    keyring: Keyring
    issuer_id: str

    def ids(self, *, with_pin: bool = False) -> str:
        """Return DE 53 of a message: the MAC key's id, and the PIN key's id where there is a PIN block."""
        pin_id = self.keyring.active_id(f"iso-pin:{self.issuer_id}") if with_pin else ""
        return f"{self.keyring.active_id(f'iso-mac-out:{self.issuer_id}')};{pin_id}"

    def signer(self, key_ids: str) -> Callable[[bytes], bytes]:
        """Return what computes DE 64 of our message, under the key its DE 53 names."""
        key_id = key_ids.partition(";")[0]
        if key_id not in self.keyring.ids(f"iso-mac-out:{self.issuer_id}"):
            raise UnknownKey(f"no MAC key {key_id} for {self.issuer_id}")
        return partial(mac_of, self.keyring.material(key_id).reveal())

    def genuine(self, key_ids: str, signed: bytes, mac: bytes) -> bool:
        """Tell whether an answer's MAC is the issuer's, under the key its DE 53 names."""
        key_id = key_ids.partition(";")[0]
        if key_id not in self.keyring.ids(f"iso-mac-in:{self.issuer_id}"):
            return False
        return mac_matches(self.keyring.material(key_id).reveal(), signed, mac)

    def seal_pin(self, pin: Sensitive[str], pan: Pan) -> str:
        """Return DE 52 in hex."""
        key = self.keyring.material(self.keyring.active_id(f"iso-pin:{self.issuer_id}"))
        return seal_pin(key, pin, pan).hex().upper()
