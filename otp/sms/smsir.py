"""SMS.ir: the key in ``X-API-KEY``, codes go by ``send/verify``, the verdict is ``status``; one message a question.

Source: the provider's REST reference, version 1. A value of a template has at most 25 characters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from otp.ports import Receipt, SmsMessage
from otp.sms.panel import Account, Panel, Reply, Request, Verdict, codes, got, posted

VALUE_MOST = 25


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    mobile = message.mobile.reveal()
    filled = account.template_for(message, lambda _, value: 0 < len(value) <= VALUE_MOST)
    if filled is not None:
        values = [{"name": name, "value": value} for name, value in filled.values.items()]
        verified = {"mobile": mobile, "templateId": int(filled.id), "parameters": values}
        return posted(f"{base}/v1/send/verify", verified, _key(account))
    plain = {
        "lineNumber": int(account.line_for(message)),
        "messageText": message.text.reveal(),
        "mobiles": [mobile],
        "sendDateTime": None,
    }
    return posted(f"{base}/v1/send/bulk", plain, _key(account))


def _key(account: Account) -> Mapping[str, str]:
    return {"X-API-KEY": account.secret("key")}


def _read(said: Any) -> Reply:
    code = str(said["status"])
    if code != "1":
        return Reply(code)
    data = said["data"]
    return Reply(code, str(data["messageId"] if "messageId" in data else data["messageIds"][0]))


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return got(f"{base}/v1/send/{quote(message_ids[0], safe='')}", _key(account))


def _told(said: Any, message_ids: Sequence[str]) -> Mapping[str, str]:
    return {message_ids[0]: str(said["data"]["deliveryState"])}


SMSIR = Panel(
    base="https://api.sms.ir",
    credentials=("key",),
    codes=codes(
        {
            Verdict.ACCEPTED: "1",
            Verdict.REFUSED: "104",
            Verdict.ELSEWHERE: "0 20",
            Verdict.UNSUITED: "113 114 115 116 117 124",
            Verdict.TROUBLE: "10 11 12 13 14 15 102",
        }
    ),
    send=_send,
    read=_read,
    receipts={
        "1": Receipt.DELIVERED,
        "2": Receipt.UNDELIVERED,
        "6": Receipt.UNDELIVERED,
        "7": Receipt.UNDELIVERED,
    },
    ask=_ask,
    told=_told,
)
