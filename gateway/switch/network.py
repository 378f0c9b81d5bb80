"""Network management messages: sign-on, echo, key change, sign-off (DE 24 of an 1804)."""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

from gateway.switch.iso8583 import Message

SIGN_ON = "801"
SIGN_OFF = "802"
KEY_CHANGE = "815"
ECHO = "831"

TEHRAN = ZoneInfo("Asia/Tehran")
_STANS = 1_000_000


def network_message(function: str, acquirer_id: str, number: int, key_ids: str, private: str = "") -> Message:
    """Write an 1804; its time is for people who read a trace and decides nothing."""
    local_time = dt.datetime.now(TEHRAN).strftime("%y%m%d%H%M%S")
    fields = {11: f"{number % _STANS:06}", 12: local_time, 24: function, 32: acquirer_id, 53: key_ids}
    return Message("1804", fields | ({48: private} if private else {}))
