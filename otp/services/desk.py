"""What the authorisation host needs of the bank: its database, its keys and its limits."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.database import Database
from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.code import mac_input
from otp.domain.proof import proof_mac_input
from otp.domain.quotas import Charge, wrong_charges
from otp.domain.spending import Limits
from otp.meters import Meters
from otp.services.cards import card_tokens, lasting_mac


@dataclass(frozen=True, slots=True)
class Desk:
    """The authorisation desk, ready to work."""

    database: Database
    keys: Keyring
    limits: Limits
    meters: Meters = field(default_factory=Meters)

    def card_tokens(self, pan: Pan | None) -> tuple[bytes, ...]:
        """Return the keyed hashes by which a card may be found, the writing key's first; no number finds none."""
        return (b"",) if pan is None else card_tokens(self.keys, pan)

    def lasting_mark(self, pan: Pan | None) -> bytes:
        """Return what a card is counted under: it stays while its keys change; no number is counted as one."""
        return b"" if pan is None else lasting_mac(self.keys, purposes.CARD_TOKEN, pan.reveal().encode())

    def code_macs(self, card_name: bytes, code: str) -> tuple[bytes, ...]:
        """Return every MAC this code may have been stored under for this card; one per live key."""
        data = mac_input(card_name, code)
        return tuple(self.keys.mac_with(key_id, data) for key_id in self.keys.ids(purposes.CODE_MAC))

    def proof_macs(self, card_name: bytes, acquirer_id: str, proof: Sensitive[str]) -> tuple[bytes, ...]:
        """Return every MAC this proof may have been stored under, for this card and acquirer (D13)."""
        data = proof_mac_input(card_name, acquirer_id, proof.reveal())
        return tuple(self.keys.mac_with(key_id, data) for key_id in self.keys.ids(purposes.CODE_MAC))

    def wrong_charges(
        self, card_name: bytes, acquirer_id: str, terminal_id: str, psp_id: str | None = None
    ) -> tuple[Charge, ...]:
        """Name the rows that a wrong try at a terminal is counted on, in a check of a code also its PSP's (D20)."""
        return wrong_charges(
            f"{acquirer_id}/{terminal_id.rstrip()}",
            psp_id,
            terminal_per_hour=self.limits.terminal_wrong_per_hour,
            psp_per_hour=self.limits.psp_wrong_per_hour,
            shard=sum(card_name),
        )

    def pin_macs(self, card_name: bytes, pin: Sensitive[str]) -> tuple[bytes, ...]:
        """Return every MAC that this static PIN may be kept under for this card; one per live key (D27)."""
        return tuple(
            self.keys.mac_with(key_id, mac_input(card_name, pin.reveal()))
            for key_id in self.keys.ids(purposes.PIN_VERIFICATION)
        )
