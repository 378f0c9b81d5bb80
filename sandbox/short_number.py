"""The operator behind the short number: what a phone sends there is pushed to the banks that have it, as panels do.

Every bank of the sandbox has the same number; each answers its own holders and is silent to all others (D26).
"""

from __future__ import annotations

import json
import os
import secrets

import urllib3

SHORT_NUMBER = "30003303"
VARIABLE = "SANDBOX_SHORT_NUMBERS"
"""JSON: short number to the addresses that its messages are pushed to."""

_TIMEOUT = urllib3.Timeout(connect=2.0, read=5.0)
_TRIES = urllib3.Retry(total=None, connect=1, read=0, redirect=0, status=0, other=0)
_http = urllib3.PoolManager(maxsize=2, block=True, retries=_TRIES, timeout=_TIMEOUT)


def hand_over(mobile: str, to: str, text: str) -> str:
    """Push a message to everybody who has this number; return ``delivered``, or ``refused`` where nobody took it."""
    addresses = json.loads(os.environ.get(VARIABLE, "{}")).get(to, [])
    fields = {"from": mobile, "to": to, "text": text, "message_id": secrets.token_hex(8)}
    taken = [_push(address, fields) for address in addresses]
    return "delivered" if any(taken) else "refused"


def _push(address: str, fields: dict[str, str]) -> bool:
    try:
        answer = _http.request("POST", address, fields=fields, encode_multipart=False)
    except urllib3.exceptions.HTTPError:
        return False
    return answer.status == 204  # noqa: PLR2004 - no content: taken
