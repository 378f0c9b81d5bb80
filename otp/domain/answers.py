"""Every answer of the Harim contract: its code, HTTP status and sentence (contracts/harim/v1/errors.json)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from otp.domain.action_codes import Reason


class Code(StrEnum):
    """What the bank says to a PSP."""

    ACCEPTED = "ACCEPTED"
    ALREADY_SENT = "ALREADY_SENT"
    VERIFIED = "VERIFIED"
    CARD_NOT_FOUND = "CARD_NOT_FOUND"
    CARD_BLOCKED = "CARD_BLOCKED"
    CARD_DATA_MISMATCH = "CARD_DATA_MISMATCH"
    CARD_OR_CODE_WRONG = "CARD_OR_CODE_WRONG"
    CODE_EXPIRED = "CODE_EXPIRED"
    CODE_USED = "CODE_USED"
    CODE_FOREIGN = "CODE_FOREIGN"
    CODE_LOCKED = "CODE_LOCKED"
    NO_MOBILE = "NO_MOBILE"
    DYNAMIC_PIN_NOT_ACTIVE = "DYNAMIC_PIN_NOT_ACTIVE"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    TOO_MANY_LIVE_CODES = "TOO_MANY_LIVE_CODES"
    INCOMPLETE_BINDING = "INCOMPLETE_BINDING"
    FEE_NOT_ALLOWED = "FEE_NOT_ALLOWED"
    MALFORMED = "MALFORMED"
    SIGNATURE_REFUSED = "SIGNATURE_REFUSED"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    STALE = "STALE"
    UNSUPPORTED_OPERATION = "UNSUPPORTED_OPERATION"
    TEMPORARILY_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"


@dataclass(frozen=True, slots=True)
class Answer:
    """HTTP status and what a person may read."""

    status: int
    fa: str
    en: str


ANSWERS: Mapping[Code, Answer] = MappingProxyType(
    {
        Code.ACCEPTED: Answer(
            200,
            "اگر کارت برای رمز پویا فعال باشد، رمز به شمارهٔ همراه ثبت‌شده پیامک می‌شود.",
            "If the card has dynamic PIN, the code is being sent to its registered mobile.",
        ),
        Code.ALREADY_SENT: Answer(
            200, "رمز پویا کمی پیش فرستاده شد؛ همان را وارد کنید.", "The code was sent a moment ago; use that one."
        ),
        Code.VERIFIED: Answer(200, "رمز درست بود و دیگر به کار نمی‌رود.", "The code was right and is used up now."),
        Code.CARD_NOT_FOUND: Answer(404, "این کارت در بانک شناخته نشد.", "This bank has no such card."),
        Code.CARD_BLOCKED: Answer(
            403, "کارت مسدود، منقضی یا موقتاً بسته است.", "The card is blocked, expired or paused for a while."
        ),
        Code.CARD_DATA_MISMATCH: Answer(
            403, "مشخصات کارت درست نیست.", "CVV2 or expiry is wrong; which of them is not told."
        ),
        Code.CARD_OR_CODE_WRONG: Answer(
            403, "مشخصات کارت یا رمز پویا درست نیست.", "Card data or code is wrong; which of them is not told."
        ),
        Code.CODE_EXPIRED: Answer(
            409,
            "اعتبار این رمز تمام شده یا رمز تازه‌تری فرستاده شده است.",
            "The code was right but its time is over or a newer one was sent.",
        ),
        Code.CODE_USED: Answer(409, "این رمز پیش‌تر به کار رفته است.", "The code was right but has been used."),
        Code.CODE_FOREIGN: Answer(
            409,
            "این رمز برای تراکنش دیگری ساخته شده بود و دیگر اعتبار ندارد.",
            "The code was made for another transaction and is void now.",
        ),
        Code.CODE_LOCKED: Answer(
            409, "دفعه‌های مجاز این رمز تمام شده است.", "The code was right but its tries are used up."
        ),
        Code.NO_MOBILE: Answer(
            409, "برای این کارت شمارهٔ همراهی ثبت نشده است.", "No mobile number is registered for this card."
        ),
        Code.DYNAMIC_PIN_NOT_ACTIVE: Answer(
            409, "رمز پویا برای این کارت فعال نیست.", "Dynamic PIN is not active on this card."
        ),
        Code.TOO_MANY_REQUESTS: Answer(
            429, "درخواست رمز بیش از حد مجاز است؛ کمی بعد دوباره بخواهید.", "Too many requests; ask again later."
        ),
        Code.TOO_MANY_LIVE_CODES: Answer(
            429,
            "چند رمز معتبر هم‌زمان برای این کارت فرستاده شده است؛ کمی صبر کنید.",
            "The card has too many codes that are still good; wait until one ends.",
        ),
        Code.INCOMPLETE_BINDING: Answer(
            422,
            "مشخصات تراکنش برای ساختن رمز کامل نیست.",
            "The transaction lacks something that a code must be bound to.",
        ),
        Code.FEE_NOT_ALLOWED: Answer(
            422, "کارمزد بیش از سقف مجاز بانک است.", "The fee is above this bank's dated table."
        ),
        Code.MALFORMED: Answer(400, "پیام خوانا نیست.", "The message is not what the contract says."),
        Code.SIGNATURE_REFUSED: Answer(401, "امضای پیام پذیرفته نشد.", "The signature was not accepted."),
        Code.REQUEST_ID_REUSED: Answer(
            409, "این شناسهٔ درخواست پیش‌تر برای پیام دیگری به کار رفته است.", "This request id served another message."
        ),
        Code.STALE: Answer(
            409,
            "درخواست تازه‌تری برای این تراکنش رسیده است.",
            "A request with this or a higher sequence number was seen for this transaction.",
        ),
        Code.UNSUPPORTED_OPERATION: Answer(
            501, "این عملیات در این بانک ارائه نمی‌شود.", "This bank does not offer this operation."
        ),
        Code.TEMPORARILY_UNAVAILABLE: Answer(
            503, "سامانهٔ بانک موقتاً در دسترس نیست.", "The bank cannot answer right now."
        ),
    }
)


VERDICTS: Mapping[Reason, Code] = MappingProxyType(
    {
        Reason.APPROVED: Code.VERIFIED,
        Reason.CARD_UNKNOWN: Code.CARD_OR_CODE_WRONG,
        Reason.CARD_DATA_WRONG: Code.CARD_OR_CODE_WRONG,
        Reason.CODE_WRONG: Code.CARD_OR_CODE_WRONG,
        Reason.CARD_PAUSED: Code.CARD_BLOCKED,
        Reason.PIN_LOCKED: Code.CARD_BLOCKED,
        Reason.CARD_BLOCKED: Code.CARD_BLOCKED,
        Reason.CARD_EXPIRED: Code.CARD_BLOCKED,
        Reason.SECOND_PIN_INACTIVE: Code.DYNAMIC_PIN_NOT_ACTIVE,
        Reason.CODE_EXPIRED: Code.CODE_EXPIRED,
        Reason.CODE_USED: Code.CODE_USED,
        Reason.CODE_FOREIGN: Code.CODE_FOREIGN,
        Reason.CODE_LOCKED: Code.CODE_LOCKED,
        Reason.FEE_TOO_HIGH: Code.FEE_NOT_ALLOWED,
        Reason.NOT_SUPPORTED: Code.UNSUPPORTED_OPERATION,
        Reason.TOO_MANY_WRONG: Code.TOO_MANY_REQUESTS,
    }
)
"""What VerifyDynamicPin tells for each reason; those about money and PIN blocks cannot come up there (D13, D18)."""


def body(code: Code, request_id: str | None, **details: int | str | None) -> dict[str, object]:
    """Write the JSON of an answer; details that are ``None`` are left out."""
    told = {name: value for name, value in details.items() if value is not None}
    message = {"fa": ANSWERS[code].fa, "en": ANSWERS[code].en}
    return {"request_id": request_id, "code": str(code), "message": message, **told}
