"""Every refusal that the app may meet: its code, HTTP status and sentence, for the person who holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from otp.domain.answers import Answer


class AppCode(StrEnum):
    """Why the app is refused something."""

    ACTIVATION_REFUSED = "ACTIVATION_REFUSED"
    CALL_REFUSED = "CALL_REFUSED"
    CARD_NOT_FOUND = "CARD_NOT_FOUND"
    CARD_NOT_ELIGIBLE = "CARD_NOT_ELIGIBLE"
    CEILING_TOO_HIGH = "CEILING_TOO_HIGH"
    CODE_WRONG = "CODE_WRONG"
    DEVICE_NOT_FOUND = "DEVICE_NOT_FOUND"
    DEVICE_SUSPENDED = "DEVICE_SUSPENDED"
    MALFORMED = "MALFORMED"
    TEMPORARILY_UNAVAILABLE = "TEMPORARILY_UNAVAILABLE"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"


APP_ANSWERS: Mapping[AppCode, Answer] = MappingProxyType(
    {
        AppCode.ACTIVATION_REFUSED: Answer(
            403,
            "کد پذیرفته نشد. آن را دوباره بخوانید، یا کد تازه‌ای بگیرید.",
            "The code was not accepted. Read it again, or get a new one.",
        ),
        AppCode.CALL_REFUSED: Answer(
            401,
            "بانک این دستگاه را نمی‌شناسد. رمزنگار را دوباره فعال کنید.",
            "The bank does not know this device. Activate the app again.",
        ),
        AppCode.CARD_NOT_FOUND: Answer(404, "این کارت روی این دستگاه نیست.", "This card is not on this device."),
        AppCode.CARD_NOT_ELIGIBLE: Answer(
            409,
            "برای این کارت نمی‌توان رمزنگار را فعال کرد؛ از بانک بپرسید.",
            "The app cannot be activated for this card; ask the bank.",
        ),
        AppCode.CEILING_TOO_HIGH: Answer(
            422, "این سقف از سقف بانک بیشتر است.", "This ceiling is above the bank's own."
        ),
        AppCode.CODE_WRONG: Answer(
            403,
            "رمز درست نیست. رمز ورود رمزنگار را دوباره وارد کنید.",
            "The code is not right. Enter the app PIN again.",
        ),
        AppCode.DEVICE_NOT_FOUND: Answer(404, "این دستگاه پیدا نشد.", "There is no such device."),
        AppCode.DEVICE_SUSPENDED: Answer(
            403,
            "رمزنگار این دستگاه پس از چند رمز نادرست بسته شد. آن را در خودپرداز دوباره فعال کنید.",
            "This device was closed after several wrong codes. Activate it again at a cash machine.",
        ),
        AppCode.MALFORMED: Answer(400, "درخواست خوانا نیست.", "The request cannot be read."),
        AppCode.TEMPORARILY_UNAVAILABLE: Answer(
            503,
            "بانک اکنون پاسخ نمی‌دهد. کمی بعد دوباره امتحان کنید.",
            "The bank cannot answer right now. Try again in a moment.",
        ),
        AppCode.TOO_MANY_REQUESTS: Answer(
            429, "درخواست‌ها بیش از حد مجاز است. بعداً دوباره امتحان کنید.", "Too many requests. Try again later."
        ),
    }
)


@dataclass(frozen=True, slots=True)
class Refused:
    """A no to the app.

    Args:
        retry_after_seconds: when it is worth asking again, where that is known.
    """

    code: AppCode
    retry_after_seconds: int | None = None


def refusal_body(refused: Refused) -> dict[str, object]:
    """Write the JSON of a refusal."""
    answer = APP_ANSWERS[refused.code]
    told: dict[str, object] = {"code": str(refused.code), "message": {"fa": answer.fa, "en": answer.en}}
    return told if refused.retry_after_seconds is None else {**told, "retry_after_seconds": refused.retry_after_seconds}
