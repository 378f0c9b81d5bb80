"""Action codes (DE 39) this bank gives, and what each of its reasons tells the outside.

The table is the contract's (``contracts/iso8583/v1``, §6). Several reasons share one code on purpose: wrong card data,
wrong code and an unknown card look the same from outside (D18).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class ActionCode(StrEnum):
    """Three digits of DE 39; 180 to 199 are private."""

    APPROVED = "000"
    CARD_EXPIRED = "101"
    CARD_RESTRICTED = "104"
    TRIES_EXCEEDED = "106"
    AMOUNT_NOT_POSSIBLE = "110"
    NOT_SUPPORTED = "115"
    FUNDS = "116"
    CARD_OR_CODE_WRONG = "117"
    CANNOT_RECEIVE = "118"
    CARDHOLDER_NOT_ALLOWED = "119"
    LIMIT = "121"
    FEE = "124"
    PIN_BLOCK = "126"
    CODE_EXPIRED = "180"
    CODE_USED = "181"
    CODE_FOREIGN = "182"
    CODE_LOCKED = "183"
    REVERSAL_CAME_FIRST = "184"
    ABOVE_CODE_CEILING = "185"
    ABOVE_STATIC_CEILING = "186"
    REVERSED = "400"
    NOT_REVERSED = "480"
    ORIGINAL_REVERSED = "482"
    NOT_READABLE = "904"
    HOST_FAILED = "909"
    KEY_REUSED = "913"
    NOT_FOUND = "914"
    TIME_OFF = "915"
    MAC_WRONG = "916"
    KEK_UNKNOWN = "918"
    KEYS_REFUSED = "919"
    IN_PROGRESS = "923"


class Reason(StrEnum):
    """Why a purchase, transfer or credit was decided so, as the bank itself sees it; never leaves the bank."""

    APPROVED = "approved"
    CARD_UNKNOWN = "card_unknown"
    CARD_PAUSED = "card_paused"
    CARD_DATA_WRONG = "card_data_wrong"
    CARD_BLOCKED = "card_blocked"
    SECOND_PIN_INACTIVE = "second_pin_inactive"
    CARD_EXPIRED = "card_expired"
    PIN_LOCKED = "pin_locked"
    CODE_WRONG = "code_wrong"
    CODE_EXPIRED = "code_expired"
    CODE_USED = "code_used"
    CODE_FOREIGN = "code_foreign"
    CODE_LOCKED = "code_locked"
    PIN_BLOCK_REFUSED = "pin_block_refused"
    NOT_SUPPORTED = "not_supported"
    TOO_MANY_WRONG = "too_many_wrong"
    AMOUNT_NOT_POSSIBLE = "amount_not_possible"
    FEE_TOO_HIGH = "fee_too_high"
    PURCHASE_LIMIT = "purchase_limit"
    DAY_LIMIT = "day_limit"
    UNBOUND_LIMIT = "unbound_limit"
    STATIC_LIMIT = "static_limit"
    TRANSFER_LIMIT = "transfer_limit"
    TRANSFER_DAY_LIMIT = "transfer_day_limit"
    BALANCE_LIMIT = "balance_limit"
    BALANCE_TOO_LONG = "balance_too_long"
    FUNDS = "funds"
    CANNOT_RECEIVE = "cannot_receive"
    CREDIT_DAY = "credit_day"
    NOTHING_TO_REFUND = "nothing_to_refund"


CODES: Mapping[Reason, ActionCode] = MappingProxyType(
    {
        Reason.APPROVED: ActionCode.APPROVED,
        Reason.CARD_UNKNOWN: ActionCode.CARD_OR_CODE_WRONG,
        Reason.CARD_DATA_WRONG: ActionCode.CARD_OR_CODE_WRONG,
        Reason.CODE_WRONG: ActionCode.CARD_OR_CODE_WRONG,
        Reason.CARD_PAUSED: ActionCode.TRIES_EXCEEDED,
        Reason.PIN_LOCKED: ActionCode.TRIES_EXCEEDED,
        Reason.CARD_BLOCKED: ActionCode.CARD_RESTRICTED,
        Reason.SECOND_PIN_INACTIVE: ActionCode.CARDHOLDER_NOT_ALLOWED,
        Reason.CARD_EXPIRED: ActionCode.CARD_EXPIRED,
        Reason.CODE_EXPIRED: ActionCode.CODE_EXPIRED,
        Reason.CODE_USED: ActionCode.CODE_USED,
        Reason.CODE_FOREIGN: ActionCode.CODE_FOREIGN,
        Reason.CODE_LOCKED: ActionCode.CODE_LOCKED,
        Reason.PIN_BLOCK_REFUSED: ActionCode.PIN_BLOCK,
        Reason.NOT_SUPPORTED: ActionCode.NOT_SUPPORTED,
        Reason.TOO_MANY_WRONG: ActionCode.LIMIT,
        Reason.AMOUNT_NOT_POSSIBLE: ActionCode.AMOUNT_NOT_POSSIBLE,
        Reason.FEE_TOO_HIGH: ActionCode.FEE,
        Reason.PURCHASE_LIMIT: ActionCode.LIMIT,
        Reason.DAY_LIMIT: ActionCode.LIMIT,
        Reason.UNBOUND_LIMIT: ActionCode.ABOVE_CODE_CEILING,
        Reason.STATIC_LIMIT: ActionCode.ABOVE_STATIC_CEILING,
        Reason.TRANSFER_LIMIT: ActionCode.LIMIT,
        Reason.TRANSFER_DAY_LIMIT: ActionCode.LIMIT,
        Reason.BALANCE_LIMIT: ActionCode.LIMIT,
        Reason.BALANCE_TOO_LONG: ActionCode.NOT_SUPPORTED,
        Reason.FUNDS: ActionCode.FUNDS,
        Reason.CANNOT_RECEIVE: ActionCode.CANNOT_RECEIVE,
        Reason.CREDIT_DAY: ActionCode.LIMIT,
        Reason.NOTHING_TO_REFUND: ActionCode.AMOUNT_NOT_POSSIBLE,
    }
)
"""What the outside is told for each reason."""
