"""Kavenegar: the key is part of the address, codes go by ``verify/lookup``, the verdict is ``return.status``.

Source: the provider's REST reference (kavenegar.com/rest.html). Numbers are asked about for 48 hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from foundation.sensitive import Sensitive
from otp.ports import Receipt, SmsMessage
from otp.sms.panel import FORM, Account, Panel, Reply, Request, Verdict, codes, first

VALUE_MOST = 100
SPACES_MOST = {"token10": 5, "token20": 8}
"""Every other value may have none."""


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    mobile = message.mobile.reveal()
    filled = account.template_for(message, _fits)
    if filled is not None:
        return _call(account, base, "verify/lookup", {"receptor": mobile, "template": filled.id, **filled.values})
    text = message.text.reveal()
    return _call(account, base, "sms/send", {"receptor": mobile, "sender": account.line_for(message), "message": text})


def _fits(name: str, value: str) -> bool:
    spaces = value.count(" ") <= SPACES_MOST.get(name, 0)
    return 0 < len(value) <= VALUE_MOST and spaces and not set(value) & {"\n", "\r", "_"}


def _call(account: Account, base: str, method: str, fields: Mapping[str, str]) -> Request:
    return Request(
        "POST",
        Sensitive(f"{base}/v1/{quote(account.secret('key'), safe='')}/{method}.json"),
        {"Content-Type": Sensitive(FORM)},
        Sensitive(urlencode(fields).encode()),
    )


def _read(said: Any) -> Reply:
    code = str(said["return"]["status"])
    return Reply(code, str(first(said["entries"])["messageid"]) if code == "200" else "")


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return _call(account, base, "sms/status", {"messageid": ",".join(message_ids)})


def _told(said: Any, _: Sequence[str]) -> Mapping[str, str]:
    return {str(row["messageid"]): str(row["status"]) for row in said["entries"]}


KAVENEGAR = Panel(
    base="https://api.kavenegar.com",
    credentials=("key",),
    codes=codes(
        {
            Verdict.ACCEPTED: "200",
            Verdict.REFUSED: "411",
            Verdict.ELSEWHERE: "402 409 429 451",
            Verdict.UNSUITED: "400 404 405 406 412 413 414 417 420 422 424 426 428 431 432 501",
            Verdict.TROUBLE: "401 403 407 416 418 427",
        }
    ),
    send=_send,
    read=_read,
    receipts={
        "6": Receipt.UNDELIVERED,
        "10": Receipt.DELIVERED,
        "11": Receipt.UNDELIVERED,
        "13": Receipt.UNDELIVERED,
        "14": Receipt.UNDELIVERED,
    },
    ask=_ask,
    told=_told,
    ask_most=100,
)
