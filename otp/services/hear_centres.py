"""What message centres say by themselves: receipts, and texts of holders (D26)."""

from __future__ import annotations

from dataclasses import dataclass

from foundation.sensitive import Sensitive
from otp.ports import Receipt
from otp.services.ask_receipts import keep_receipt
from otp.services.bank import Bank
from otp.services.receive_sms import InboundSms, receive_sms


@dataclass(frozen=True, slots=True)
class Hearing:
    """Implements :class:`otp.ports.SmsListener`: what is heard is in the database when a method returns."""

    bank: Bank

    def reported(self, message_id: str, receipt: Receipt) -> None:
        """Keep what became of a message."""
        keep_receipt(self.bank, message_id, receipt)

    def received(self, provider: str, sender: Sensitive[str], text: Sensitive[str]) -> None:
        """Do what a holder's text asks for; a centre has no name for it, so the same words again are the same text."""
        receive_sms(self.bank, InboundSms(provider, None, sender, text))
