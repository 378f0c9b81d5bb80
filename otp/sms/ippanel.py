"""IPPanel Edge: the key bare in ``Authorization``, codes go as ``pattern``, the verdict is ``meta.message_code``.

Source: the provider's Edge documentation. Numbers are written ``+98…``; the report of a message repeats its text, of
which nothing is kept here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from otp.ports import Receipt, SmsMessage
from otp.sms.panel import Account, Panel, Reply, Request, Verdict, codes, first, got, international, posted


def _send(account: Account, base: str, message: SmsMessage) -> Request:
    to = [international(message.mobile.reveal())]
    line = account.line_for(message)
    filled = account.template_for(message, lambda _, value: bool(value))
    if filled is not None:
        kind = {"sending_type": "pattern", "code": filled.id, "recipients": to, "params": dict(filled.values)}
    else:
        kind = {"sending_type": "webservice", "message": message.text.reveal(), "params": {"recipients": to}}
    return posted(f"{base}/v1/api/send", {"from_number": line, **kind}, _key(account))


def _key(account: Account) -> Mapping[str, str]:
    return {"Authorization": account.secret("key")}


def _read(said: Any) -> Reply:
    meta = said["meta"]
    if meta["status"] is not True:
        return Reply(str(meta["message_code"]))
    return Reply("200-1", str(said["data"]["message_outbox_ids"][0]))


def _ask(account: Account, base: str, message_ids: Sequence[str]) -> Request:
    return got(f"{base}/v1/api/report/recipients?bulk_id={quote(message_ids[0], safe='')}", _key(account))


def _told(said: Any, message_ids: Sequence[str]) -> Mapping[str, str]:
    return {message_ids[0]: str(first(said["data"])["message_status"])}


IPPANEL = Panel(
    base="https://edge.ippanel.com",
    credentials=("key",),
    codes=codes({Verdict.ACCEPTED: "200-1", Verdict.UNSUITED: "400-2", Verdict.TROUBLE: "400-1"}),
    send=_send,
    read=_read,
    receipts={"2": Receipt.DELIVERED, "3": Receipt.UNDELIVERED, "4": Receipt.UNDELIVERED},
    ask=_ask,
    told=_told,
)
