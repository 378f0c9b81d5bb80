"""What the holder reads: the text message with a code, and the warning before the last try (D18, D25).

Amounts and times are in ASCII digits, as banks write them, so that phones offer the code for filling in.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from zoneinfo import ZoneInfo

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.holder import last_four_of

TEHRAN = ZoneInfo("Asia/Tehran")

TYPE_WORDS: Mapping[str, str] = MappingProxyType(
    {
        "PURCHASE": "خرید",
        "CARD_TRANSFER": "کارت به کارت",
        "BILL_PAYMENT": "پرداخت قبض",
        "TOP_UP": "شارژ",
        "BALANCE_INQUIRY": "مانده‌گیری",
    }
)
"""The type in the words of the circular of 1399-10-08."""

_TOPPED = re.compile(r"(\D+) ([0-9]) ([0-9]) ([0-9]) ([0-9])")
"""What a number that is topped up is called in a binding: its operator, and its last digits, apart (D25)."""

WARNING = "این رمز را به هیچ‌کس نگویید."


@dataclass(frozen=True, slots=True)
class CodeMessage:
    """What a message says.

    Args:
        payee_name: empty where the code is not bound to one: any acceptor of ``psp_name`` may then take it (D6).
        webotp_host: the PSP's page, where allowed: only then the last line is ``@host #code``.
    """

    bank_name: str
    type: str
    amount: Rial
    fee: Rial
    payee_name: str
    expires_at: dt.datetime
    webotp_host: str | None = None
    psp_name: str = ""


def code_text(message: CodeMessage, code: Sensitive[str]) -> Sensitive[str]:
    """Write the message: bank, type, payee, total, fee, code, until when, warning, and the line for phones."""
    total = message.amount + message.fee
    lines = (
        message.bank_name,
        TYPE_WORDS[message.type],
        _payee_line(message),
        f"مبلغ: {total.amount:,} ریال" if total else "",
        f"کارمزد: {message.fee.amount:,} ریال" if message.fee else "",
        f"رمز پویا: {code.reveal()}",
        f"اعتبار تا {message.expires_at.astimezone(TEHRAN):%H:%M:%S}",
        WARNING,
        f"@{message.webotp_host} #{code.reveal()}" if message.webotp_host else "",
    )
    return Sensitive("\n".join(line for line in lines if line))


def _payee_line(message: CodeMessage) -> str:
    """Write who gets the money: the last four of a transfer's destination, or of a topped-up number."""
    if message.type == "CARD_TRANSFER" and message.payee_name:
        return f"به کارت: {last_four_of(message.payee_name) or message.payee_name}"
    if message.type == "TOP_UP" and (topped := _TOPPED.fullmatch(message.payee_name)):
        return f"شماره: ***{''.join(topped.groups()[1:])} {topped[1]}"
    return f"پذیرنده: {message.payee_name or f'هر پذیرندهٔ {message.psp_name}'}"


def code_values(message: CodeMessage, code: Sensitive[str]) -> Mapping[str, Sensitive[str]]:
    """Return the same words one by one, for providers that send codes by template; ``docs/sms.md`` lists the names."""
    values = {
        "bank": message.bank_name,
        "type": TYPE_WORDS[message.type],
        "payee": last_four_of(message.payee_name) or message.payee_name or message.psp_name,
        "amount": f"{(message.amount + message.fee).amount:,}",
        "until": f"{message.expires_at.astimezone(TEHRAN):%H:%M:%S}",
    }
    return {"code": code, **{name: Sensitive(value) for name, value in values.items()}}


def sms_code_text(bank_name: str, ceiling: Rial, expires_at: dt.datetime, code: Sensitive[str]) -> Sensitive[str]:
    """Write the answer to a holder's text message: what the code is good for, the code, until when, warning (D26)."""
    lines = (
        bank_name,
        f"هر خرید تا {ceiling.amount:,} ریال",
        f"رمز پویا: {code.reveal()}",
        f"اعتبار تا {expires_at.astimezone(TEHRAN):%H:%M:%S}",
        WARNING,
    )
    return Sensitive("\n".join(lines))


def sms_code_values(
    bank_name: str, ceiling: Rial, expires_at: dt.datetime, code: Sensitive[str]
) -> Mapping[str, Sensitive[str]]:
    """Return the words of :func:`sms_code_text` one by one, as :func:`code_values` does."""
    values = {
        "bank": bank_name,
        "amount": f"{ceiling.amount:,}",
        "until": f"{expires_at.astimezone(TEHRAN):%H:%M:%S}",
    }
    return {"code": code, **{name: Sensitive(value) for name, value in values.items()}}


def last_try_text(bank_name: str, card_last_four: str) -> Sensitive[str]:
    """Write the warning that one more wrong code closes the card for a while; only its holder is told (D18)."""
    return Sensitive(
        f"{bank_name}\nرمز پویای کارت *{card_last_four} چند بار نادرست وارد شد. با یک بار نادرست دیگر، خرید اینترنتی "
        "با این کارت بسته می‌شود.\nاگر شما نبوده‌اید، با بانک تماس بگیرید."
    )
