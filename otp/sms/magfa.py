"""Magfa: HTTP Basic as ``user/domain``, plain texts on a service line, the verdict is ``status`` of both levels.

Source: the provider's wiki of the HTTP service, version 2. It has no templates; ids are known for about a day.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from otp.ports import Receipt, SmsMessage
from otp.sms.panel import Account, Panel, Reply, Request, Verdict, codes, first, got, posted

PATH = "/api/http/sms/v2"


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    fields = {
        "senders": [account.line_for(message)],
        "recipients": [message.mobile.reveal()],
        "messages": [message.text.reveal()],
    }
    return posted(f"{base}{PATH}/send", fields, _basic(account))


def _basic(account: Account) -> Mapping[str, str]:
    who = f"{account.secret('username')}/{account.secret('domain')}:{account.secret('password')}"
    return {"Authorization": f"Basic {b64encode(who.encode()).decode()}"}


def _read(said: Any) -> Reply:
    if said["status"] != 0:
        return Reply(str(said["status"]))
    message = first(said["messages"])
    return Reply(str(message["status"]), str(message["id"]) if message["status"] == 0 else "")


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return got(f"{base}{PATH}/statuses/{quote(','.join(message_ids), safe=',')}", _basic(account))


def _told(said: Any, _: Sequence[str]) -> Mapping[str, str]:
    return {str(row["mid"]): str(row["status"]) for row in said["dlrs"]}


MAGFA = Panel(
    base="https://sms.magfa.com",
    credentials=("username", "domain", "password"),
    codes=codes(
        {
            Verdict.ACCEPTED: "0",
            Verdict.REFUSED: "1 28",
            Verdict.ELSEWHERE: "15 23",
            Verdict.UNSUITED: "3 6 8 13 27 30 33",
            Verdict.TROUBLE: "14 16 17 18 19 22 29",
        }
    ),
    send=_send,
    read=_read,
    receipts={"1": Receipt.DELIVERED, "2": Receipt.UNDELIVERED, "16": Receipt.UNDELIVERED},
    ask=_ask,
    told=_told,
    ask_most=100,
)
