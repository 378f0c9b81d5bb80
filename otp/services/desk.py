"""What the authorisation host needs of the bank: its database, its keys and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.database import Database
from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.authorisation import Limits
from otp.domain.code import mac_input
from otp.domain.proof import proof_mac_input
from otp.meters import Meters


@dataclass(frozen=True, slots=True)
class Desk:
    """The authorisation desk, ready to work."""

    database: Database
    keys: Keyring
    limits: Limits
    meters: Meters = field(default_factory=Meters)

    def card_token(self, pan: Pan | None) -> bytes:
        """Return the keyed hash by which a card is found; nothing for what is no card number."""
        return b"" if pan is None else self.keys.mac(purposes.CARD_TOKEN, pan.reveal().encode())

    def code_macs(self, card_token: bytes, code: str) -> tuple[bytes, ...]:
        """Return every MAC this code may have been stored under for this card; one per live key."""
        data = mac_input(card_token, code)
        return tuple(self.keys.mac_with(key_id, data) for key_id in self.keys.ids(purposes.CODE_MAC))

    def proof_macs(self, card_token: bytes, acquirer_id: str, proof: Sensitive[str]) -> tuple[bytes, ...]:
        """Return every MAC this proof may have been stored under, for this card and acquirer (D13)."""
        data = proof_mac_input(card_token, acquirer_id, proof.reveal())
        return tuple(self.keys.mac_with(key_id, data) for key_id in self.keys.ids(purposes.CODE_MAC))

    def pin_macs(self, card_token: bytes, pin: Sensitive[str]) -> tuple[bytes, ...]:
        """Return every MAC that this static PIN may be kept under for this card; one per live key (D27)."""
        return tuple(
            self.keys.mac_with(key_id, mac_input(card_token, pin.reveal()))
            for key_id in self.keys.ids(purposes.PIN_VERIFICATION)
        )
