"""The bank's test accounts with every kind of provider, and messages to send."""

from __future__ import annotations

from dataclasses import replace

from foundation.sensitive import Sensitive
from otp.ports import SmsMessage, SmsTemplate
from otp.sms.accounts import PANELS
from otp.sms.panel import Account, Template
from otp.sms.provider import HttpProvider
from otp.sms.sender import Sender

KEY = "0123456789abcdef0123456789abcdef"
CODE = "4839201"
TEXT = f"بانک نمونه\nرمز پویا: {CODE}"
VALUES = {
    "code": CODE,
    "amount": "1,255,000",
    "payee": "فروشگاه نمونه",
    "until": "14:05:10",
    "bank": "بانک نمونه",
    "type": "خرید",
}


def _account(line: str, template: Template | None = None, **credentials: str) -> Account:
    sealed = {name: Sensitive(value) for name, value in credentials.items()}
    return Account(sealed, line, {} if template is None else {"code": template})


ACCOUNTS = {
    "kavenegar": _account(
        "10004346",
        Template("pooya-code", {"token": "code", "token2": "amount", "token3": "until", "token10": "payee"}),
        key=KEY,
    ),
    "smsir": _account(
        "30007732", Template("123456", {"CODE": "code", "AMOUNT": "amount", "PAYEE": "payee"}), key="smsir-key"
    ),
    "ghasedak": _account(
        "21001", Template("PooyaCode", {"Code": "code", "Amount": "amount", "Payee": "payee"}), key="ghasedak-key"
    ),
    "melipayamak": _account(
        "50001060",
        Template("90210", {"0": "code", "1": "amount", "2": "payee"}),
        username="bank",
        password="meli-password",
    ),
    "magfa": _account("3000733", username="bank", domain="pooya", password="magfa-password"),
    "ippanel": _account(
        "+983000505",
        Template("k2x9pattern", {"code": "code", "amount": "amount", "payee": "payee"}),
        key="ippanel-key",
    ),
}


def message(*, templated: bool = True, seconds: float = 5.0, **changed: str) -> SmsMessage:
    """Make a message with a code; ``changed`` are values of the template that are others."""
    values = {name: Sensitive(value) for name, value in {**VALUES, **changed}.items()}
    template = SmsTemplate("code", values) if templated else None
    return SmsMessage("sms-1", "30003303", Sensitive("09121234567"), Sensitive(TEXT), seconds, template)


def provider(kind: str, address: str) -> HttpProvider:
    """Make a provider of this kind that is reached somewhere else."""
    return HttpProvider(replace(ACCOUNTS[kind], address=address), PANELS[kind], Sender())
