"""Which device is calling: the one whose key signed the call, and whose number of calls is lower (D21, D23).

Two statements, the second a commit of its own: a call counts, whatever becomes of what it asks. A number that was
counted before comes from a copy of the device, or is a repeat of somebody who listened.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import structlog

from foundation.sensitive import Sensitive
from otp.domain.app_answers import AppCode, Refused
from otp.domain.device import DeviceState
from otp.domain.pairing import Kept, call_mac, kept_place
from otp.services.bank import Bank
from otp.store import devices

log = structlog.get_logger()

_NOBODYS_KEY = Sensitive(bytes(32))


@dataclass(frozen=True, slots=True)
class SignedCall:
    """One call as its door read it.

    Args:
        path: of the address, without a query.
        mac: 32 bytes, over everything else.
    """

    device_id: str
    number: int
    mac: bytes
    method: str
    path: str
    body: bytes


@dataclass(frozen=True, slots=True)
class Caller:
    """A device that is known."""

    device_id: str
    state: DeviceState
    customer_id: int


def know_device(bank: Bank, call: SignedCall) -> Caller | Refused:
    """Return who calls, and count the call."""
    with bank.database.single() as connection:
        sealed = devices.auth_key(connection, call.device_id)
    key = _NOBODYS_KEY
    if sealed is not None:
        key = Sensitive(bank.keys.open(sealed, bound_to=kept_place(Kept.AUTH_KEY, call.device_id)))
    right = hmac.compare_digest(call_mac(key, call.method, call.path, call.number, call.body), call.mac)
    if sealed is None or not right:
        return _refused(call, "signature")
    with bank.database.single() as connection:
        known = devices.count_call(connection, call.device_id, call.number)
    if known is None:
        return _refused(call, "counted_before")
    if known.state == DeviceState.SUSPENDED:
        return Refused(AppCode.DEVICE_SUSPENDED)
    return Caller(call.device_id, DeviceState(known.state), known.customer_id)


def _refused(call: SignedCall, reason: str) -> Refused:
    log.warning("app_call_refused", reason=reason, device_id=call.device_id)
    return Refused(AppCode.CALL_REFUSED)
