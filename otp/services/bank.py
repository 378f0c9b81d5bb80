"""What every use case of the bank stands on: one frozen record, made by the composition root."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.database import Database
from foundation.flood import FloodControl
from foundation.keys import Keyring
from foundation.signatures import Signer
from foundation.wake import Wake
from foundation.xml_signatures import EnvelopeSigner
from otp.config import Settings
from otp.domain import purposes
from otp.domain.psp import Psp
from otp.meters import Meters
from otp.ports import SmsLines, SmsProvider
from otp.services.cards import lasting_mac
from otp.store.psps import PspDirectory

SMS_CHANNEL = "otp-sms"
_BODY = b"harim-body\x00"


@dataclass(frozen=True, slots=True)
class Bank:
    """The bank, ready to work.

    Args:
        sms: ``None`` in a process that sends nothing (the web door, the authorisation host).
        sms_lines: what the providers tell; ``None`` where ``sms`` is one that tells nothing.
        wake: ``None`` without Redis; the worker then polls.
        envelope_signer: ``None`` where no SOAP is spoken.
        reader: the database as the role that only reads, for the monitor.
    """

    settings: Settings
    database: Database
    keys: Keyring
    signer: Signer
    psps: PspDirectory
    flood: FloodControl
    wake: Wake | None = None
    sms: SmsProvider | None = None
    sms_lines: SmsLines | None = None
    envelope_signer: EnvelopeSigner | None = None
    reader: Database | None = None
    meters: Meters = field(default_factory=Meters)

    def discloses_to(self, psp: Psp) -> bool:
        """Tell whether this PSP may be told about a card without proof (D19)."""
        return self.settings.disclosure == "open" and psp.disclosure == "open"

    def body_mark(self, body: bytes) -> bytes:
        """Return the keyed hash by which the same message is known again (D21).

        A bare hash would give the PAN away to whoever reads the table and tries every number (D16).
        """
        return lasting_mac(self.keys, purposes.CARD_TOKEN, _BODY + body)

    def ring(self) -> None:
        """Wake the SMS worker, where there is a bell."""
        if self.wake is not None:
            self.wake.ring()
