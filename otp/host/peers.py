"""Peers: which acquirer may speak to this host, and under which key ids (D22)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from foundation.keys import Keyring
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.config import HostPeer
from otp.host.key_wrap import KEK_BYTES
from otp.host.mac import KEY_BYTES as MAC_KEY_BYTES
from otp.host.mac import mac_matches, mac_of
from otp.host.pin_block import KEY_BYTES as PIN_KEY_BYTES

_NO_KEYS_SPOKEN = ";"
_NOTHING = Rial(0)
_ACQUIRER_URI = re.compile(r"urn:pooya:acquirer:([0-9]{6,11})", re.ASCII)


class PeerRefused(Exception):
    """A peer's row names a key that is not there or has the wrong size; the message says which."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One acquirer.

    Args:
        mac_in: keys by id that may authenticate its messages; several while a key is being changed.
        mac_out_id: id of the key that authenticates our answers.
        pin: keys by id that may carry its PIN blocks.
        kek: key-exchange keys by id, under which it may hand over the next set.
        set_name: the exchanged set these keys are; ``None`` for those of the key file.
        card_present: whether it has machines that take cards, and may ask with first PINs.
        credit_day: what it may give to cards in a day; zero where nothing (D7).
    """

    acquirer_id: str
    mac_in: Mapping[str, Sensitive[bytes]]
    mac_out_id: str
    mac_out: Sensitive[bytes]
    pin: Mapping[str, Sensitive[bytes]]
    kek: Mapping[str, Sensitive[bytes]]
    set_name: str | None = None
    card_present: bool = False
    credit_day: Rial = _NOTHING

    def speaks_under(self, key_ids: str) -> bool:
        """Tell whether DE 53 names a MAC key of this set."""
        return key_ids.partition(_NO_KEYS_SPOKEN)[0] in self.mac_in

    def authenticates(self, key_ids: str, signed: bytes, mac: bytes) -> bool:
        """Tell whether the MAC is this acquirer's, under the key that DE 53 names."""
        key = self.mac_in.get(key_ids.partition(_NO_KEYS_SPOKEN)[0])
        return key is not None and mac_matches(key.reveal(), signed, mac)

    def pin_key(self, key_ids: str) -> Sensitive[bytes] | None:
        """Return the PIN key that DE 53 names, if it is this acquirer's."""
        return self.pin.get(key_ids.partition(_NO_KEYS_SPOKEN)[2])

    def sign(self, unsigned: bytes) -> bytes:
        """Compute DE 64 of an answer."""
        return mac_of(self.mac_out.reveal(), unsigned)


def acquirers_certified(uris: Iterable[str]) -> frozenset[str]:
    """Return the acquirers (DE 32) that a certificate's names stand for.

    >>> acquirers_certified(["urn:pooya:acquirer:581672", "urn:pooya:issuer:two"])
    frozenset({'581672'})
    """
    return frozenset(match[1] for uri in uris if (match := _ACQUIRER_URI.fullmatch(uri)))


def peers_of(rows: Mapping[str, HostPeer], keyring: Keyring) -> dict[str, Peer]:
    """Fetch the keys that the setting ``OTP_HOST_PEERS`` names.

    Raises:
        PeerRefused: when a key is missing, has another purpose or another size.
    """
    return {acquirer_id: _peer(acquirer_id, row, keyring) for acquirer_id, row in rows.items()}


def _peer(acquirer_id: str, row: HostPeer, keyring: Keyring) -> Peer:
    return Peer(
        acquirer_id=acquirer_id,
        mac_in=_keys(row.mac_in, "iso-mac-in", MAC_KEY_BYTES, keyring),
        mac_out_id=row.mac_out,
        mac_out=_keys([row.mac_out], "iso-mac-out", MAC_KEY_BYTES, keyring)[row.mac_out],
        pin=_keys(row.pin, "iso-pin", PIN_KEY_BYTES, keyring),
        kek=_keys(row.kek, "iso-kek", KEK_BYTES, keyring) if row.kek else {},
        card_present=row.card_present,
        credit_day=Rial(row.credit_day_rial),
    )


def _keys(ids: list[str], purpose: str, size: int, keyring: Keyring) -> dict[str, Sensitive[bytes]]:
    if not ids:
        raise PeerRefused(f"name at least one key for {purpose}")
    keys: dict[str, Sensitive[bytes]] = {}
    for key_id in ids:
        if key_id not in keyring.ids(purpose):
            raise PeerRefused(f"no key {key_id} of purpose {purpose} is in the key file")
        keys[key_id] = keyring.material(key_id)
        if len(keys[key_id].reveal()) != size:
            raise PeerRefused(f"key {key_id} of purpose {purpose} must have {size} bytes")
    return keys
