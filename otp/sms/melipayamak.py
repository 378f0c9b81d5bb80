"""MelliPayamak and Farapayamak: user and password in the body, codes go by ``BaseServiceNumber``.

The verdict is ``Value``: more than 15 digits are the message's id, anything shorter or negative is an error. A
template's values stand in one text, parted by ``;``, in its order. Source: the provider's REST pages
(melipayamak.com/api).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from otp.ports import Receipt, SmsMessage
from otp.sms.panel import Account, Panel, Reply, Request, Verdict, codes, posted

ID_LEAST_DIGITS = 16


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    to = message.mobile.reveal()
    filled = account.template_for(message, lambda _, value: bool(value) and ";" not in value)
    if filled is not None:
        values = ";".join(filled.values.values())
        return _call(account, base, "BaseServiceNumber", {"to": to, "bodyId": int(filled.id), "text": values})
    plain = {"to": to, "from": account.line_for(message), "text": message.text.reveal(), "isFlash": False}
    return _call(account, base, "SendSMS", plain)


def _call(account: Account, base: str, method: str, fields: Mapping[str, Any]) -> Request:
    who = {"username": account.secret("username"), "password": account.secret("password")}
    return posted(f"{base}/api/SendSMS/{method}", {**who, **fields})


def _read(said: Any) -> Reply:
    value = str(said["Value"])
    if said["RetStatus"] == 1 and value.isdecimal() and len(value) >= ID_LEAST_DIGITS:
        return Reply("sent", value)
    return Reply(value if int(value) < 10 ** (ID_LEAST_DIGITS - 1) else str(said["RetStatus"]))


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return _call(account, base, "GetDeliveries2", {"recID": message_ids[0]})


def _told(said: Any, message_ids: Sequence[str]) -> Mapping[str, str]:
    return {message_ids[0]: str(said["Value"])}


MELIPAYAMAK = Panel(
    base="https://rest.payamak-panel.com",
    credentials=("username", "password"),
    codes=codes(
        {
            Verdict.ACCEPTED: "sent",
            Verdict.REFUSED: "16 18",
            Verdict.ELSEWHERE: "-6 6 11 19",
            Verdict.UNSUITED: "-2 -3 -4 -5 -7 -10 5 7 9 14 15 17 35",
            Verdict.TROUBLE: "0 2 3 4 10 12 -1 -108 -109 -110",
        }
    ),
    send=_send,
    read=_read,
    receipts={
        "-1": Receipt.UNDELIVERED,
        "1": Receipt.DELIVERED,
        "2": Receipt.UNDELIVERED,
        "3": Receipt.UNDELIVERED,
        "16": Receipt.UNDELIVERED,
        "35": Receipt.UNDELIVERED,
        "300": Receipt.UNDELIVERED,
        "500": Receipt.UNDELIVERED,
    },
    ask=_ask,
    told=_told,
)
