"""Ghasedak: the key in ``ApiKey``, codes go by ``SendOtpSMS``, the verdict is ``isSuccess`` and ``statusCode``.

Source: the provider's OpenAPI pages of 2026-01, whose examples write names both ways (``isSuccess``, ``IsSuccess``)
and list no codes beyond 200: they are read as HTTP statuses. Its delivery states differ between that page and its own
client (14 means delivered there), so an account's ``states`` may say otherwise than the table.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from otp.ports import Receipt, SmsMessage
from otp.sms.panel import Account, Panel, Reply, Request, Verdict, codes, first, got, posted

PATH = "/rest/api/v1/WebService"


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    mobile = message.mobile.reveal()
    filled = account.template_for(message, lambda _, value: bool(value))
    if filled is not None:
        inputs = [{"param": name, "value": value} for name, value in filled.values.items()]
        coded = {"receptors": [{"mobile": mobile}], "templateName": filled.id, "inputs": inputs, "isVoice": False}
        return posted(f"{base}{PATH}/SendOtpSMS", coded, _key(account))
    plain = {"lineNumber": account.line_for(message), "receptor": mobile, "message": message.text.reveal()}
    return posted(f"{base}{PATH}/SendSingleSMS", plain, _key(account))


def _key(account: Account) -> Mapping[str, str]:
    return {"ApiKey": account.secret("key")}


def _read(said: Any) -> Reply:
    answer = _small(said)
    if answer["issuccess"] is not True:
        return Reply(str(answer["statuscode"]))
    data = _small(answer["data"])
    return Reply("200", str(_small(first(data.get("items", data)))["messageid"]))


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return got(f"{base}{PATH}/CheckSmsStatus?{urlencode({'Ids': ','.join(message_ids), 'Type': 1})}", _key(account))


def _told(said: Any, _: Sequence[str]) -> Mapping[str, str]:
    rows = [_small(row) for row in _small(said)["data"]]
    return {str(row["messageid"]): str(row["status"]) for row in rows}


def _small(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in values.items()}


GHASEDAK = Panel(
    base="https://gateway.ghasedak.me",
    credentials=("key",),
    codes=codes(
        {Verdict.ACCEPTED: "200", Verdict.UNSUITED: "400 404 412 413 422", Verdict.TROUBLE: "401 402 403 407 418"}
    ),
    send=_send,
    read=_read,
    receipts={
        "1": Receipt.UNDELIVERED,
        "2": Receipt.UNDELIVERED,
        "4": Receipt.UNDELIVERED,
        "5": Receipt.DELIVERED,
        "6": Receipt.UNDELIVERED,
        "13": Receipt.UNDELIVERED,
        "14": Receipt.DELIVERED,
        "16": Receipt.UNDELIVERED,
    },
    ask=_ask,
    told=_told,
    ask_most=100,
)
