"""Believe a code root by a code: a new device's own first code, or the last one under the root before (D23)."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from sqlalchemy import Connection

from foundation.keys import Keyring
from foundation.sensitive import Sensitive
from otp.domain import purposes
from otp.domain.app_answers import AppCode, Refused
from otp.domain.app_code import STEP_SECONDS, Purpose, code_key
from otp.domain.device import Clockwork, DeviceState, matched, wrong_code
from otp.domain.pairing import Kept, WrappedRoot, kept_place, unwrapped
from otp.services.bank import Bank
from otp.store import devices
from otp.store.devices import HeldDevice, Rooted

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Shown:
    """A code root and the code that shall make it believed.

    Args:
        card_id: held already.
        card_ref: the card's name on the device, where the app names one.
        by_new_root: whether the code is made from this root, which a device without one may show, or from the one
            that the bank has.
    """

    device_id: str
    card_id: int
    root: WrappedRoot
    code: Sensitive[str]
    by_new_root: bool
    card_ref: str | None = None


def judge_code(bank: Bank, connection: Connection, shown: Shown) -> Rooted | Refused | None:
    """Judge the code under the device's lock; a wrong one counts on the device, and the tenth suspends it.

    ``None`` says that the bank has this very root already: an app that did not hear the answer asks again. Whoever
    guesses at a PIN learns no more by it than by a code, and pays for each guess alike.
    """
    held = devices.hold(connection, shown.device_id, shown.card_id)
    if held.card_ref is None or held.wrap_key_sealed is None or shown.card_ref not in (None, held.card_ref):
        return Refused(AppCode.CALL_REFUSED)  # it was removed or suspended, or lost this card, a moment ago
    wrap_key = _opened(bank.keys, Kept.WRAP_KEY, shown.device_id, held.wrap_key_sealed)
    root, had = unwrapped(wrap_key, shown.device_id, shown.root), _root(bank.keys, shown.device_id, held)
    if root is None:
        return _wrong(connection, shown, held)
    if root == had:
        return None
    clock = Clockwork(held.last_second_step or 0, held.drift_steps or 0)
    now_at = _matched(shown, held, root if had is None else had, clock)
    if now_at is None or (shown.by_new_root and had is not None):
        return _wrong(connection, shown, held)
    if now_at == clock:
        return Refused(AppCode.CODE_WRONG)  # a repeat: taken once already, and no guess (D14)
    return Rooted(
        device_id=shown.device_id,
        card_id=shown.card_id,
        card_ref=held.card_ref,
        code_root_sealed=bank.keys.seal(
            purposes.DEVICE_SEAL, root.reveal(), bound_to=kept_place(Kept.CODE_ROOT, shown.device_id)
        ),
        step=now_at.last_step,
        drift=now_at.drift,
    )


def _matched(shown: Shown, held: HeldDevice, root: Sensitive[bytes], clock: Clockwork) -> Clockwork | None:
    key = code_key(root, Purpose.SECOND, held.card_ref or "")
    return matched(key, shown.code, int(held.now.timestamp()) // STEP_SECONDS, clock)


def _root(keys: Keyring, device_id: str, held: HeldDevice) -> Sensitive[bytes] | None:
    sealed = held.code_root_sealed
    return None if sealed is None else _opened(keys, Kept.CODE_ROOT, device_id, sealed)


def _wrong(connection: Connection, shown: Shown, held: HeldDevice) -> Refused:
    state = wrong_code(DeviceState(held.state), held.wrong_codes)
    devices.count_wrong_code(connection, shown.device_id, state=state, card_id=shown.card_id)
    log.warning("app_code_wrong", device_id=shown.device_id, state=state)
    suspended = state is DeviceState.SUSPENDED
    return Refused(AppCode.DEVICE_SUSPENDED if suspended else AppCode.CODE_WRONG)


def _opened(keys: Keyring, kept: Kept, device_id: str, sealed: bytes) -> Sensitive[bytes]:
    return Sensitive(keys.open(sealed, bound_to=kept_place(kept, device_id)))
