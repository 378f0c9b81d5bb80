"""Change the app's PIN: the bank knows neither, and believes the new code root by a code of the one before (D23)."""

from __future__ import annotations

import structlog

from foundation.sensitive import Sensitive
from otp.domain.app_answers import AppCode, Refused
from otp.domain.pairing import WrappedRoot
from otp.services.audit_trail import By, note
from otp.services.bank import Bank
from otp.services.first_code import Shown, judge_code
from otp.services.know_device import Caller
from otp.store import devices

log = structlog.get_logger()


def change_app_pin(
    bank: Bank, caller: Caller, card_ref: str, root: WrappedRoot, code: Sensitive[str]
) -> Refused | None:
    """Let all cards of a device make their codes from a new root; codes of the old one are dead from then on.

    The steps of the cards go on as they were: what was taken once is not taken again, not even when the PIN is changed
    back within the minute. Asked again for the root that the bank has, nothing is done.
    """
    with bank.database.begin() as connection:
        card_id = devices.lock_card(connection, caller.device_id, state="active", card_ref=card_ref)
        if card_id is None:
            return Refused(AppCode.CARD_NOT_FOUND)
        shown = Shown(caller.device_id, card_id, root, code, by_new_root=False, card_ref=card_ref)
        rooted = judge_code(bank, connection, shown)
        if isinstance(rooted, Refused):
            return rooted
        if rooted is not None:
            devices.change_root(connection, rooted)
            note(connection, bank.keys, By(f"app:{caller.device_id}"), "app.pin_changed", f"card:{card_id}")
            log.info("app_pin_changed", device_id=caller.device_id)
    bank.ring()
    return None
