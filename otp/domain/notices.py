"""What a card's holder is texted about the app and its cards: a sentence for each kind, none with a secret in it.

No text names a device: its name was typed by whoever set it up. Amounts are in ASCII digits, as banks write them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.activation import Channel
from otp.domain.message import WARNING


class NoticeKind(StrEnum):
    """What the holder is told about."""

    APP_ACTIVATED = "app_activated"
    APP_REMOVED = "app_removed"
    APP_SUSPENDED = "app_suspended"
    APP_PIN_CHANGED = "app_pin_changed"
    CARD_ADDED = "card_added"
    CARD_REMOVED = "card_removed"
    CEILING_RAISED = "ceiling_raised"
    SMS_NOT_ACTIVE = "sms_not_active"
    SMS_CARD_REFUSED = "sms_card_refused"
    SMS_WRONG_CARD = "sms_wrong_card"
    SMS_AMBIGUOUS = "sms_ambiguous"
    SMS_GARBAGE = "sms_garbage"
    SMS_CODES_ACTIVATED = "sms_codes_activated"
    SMS_CODES_ENDED = "sms_codes_ended"
    MOBILE_CHANGED = "mobile_changed"
    MOBILE_REPLACED = "mobile_replaced"
    STATIC_PIN_SET = "static_pin_set"
    STATIC_PIN_ENDED = "static_pin_ended"
    FIRST_PIN_CHANGED = "first_pin_changed"


NOTICES: Mapping[NoticeKind, str] = MappingProxyType(
    {
        NoticeKind.APP_ACTIVATED: "رمزنگار برای کارت *{card} روی یک دستگاه فعال شد.",
        NoticeKind.APP_REMOVED: "دستگاه رمزنگار کارت *{card} حذف شد.",
        NoticeKind.APP_SUSPENDED: "رمزنگار کارت *{card} پس از چند رمز نادرست بسته شد.",
        NoticeKind.APP_PIN_CHANGED: "رمز ورود رمزنگار کارت *{card} عوض شد.",
        NoticeKind.CARD_ADDED: "کارت *{card} به رمزنگار یک دستگاه افزوده شد.",
        NoticeKind.CARD_REMOVED: "کارت *{card} از رمزنگار حذف شد.",
        NoticeKind.CEILING_RAISED: "سقف رمز رمزنگار کارت *{card} از ۲۴ ساعت دیگر {rial:,} ریال می‌شود.",
        NoticeKind.SMS_NOT_ACTIVE: "رمزنگار پیامکی فعال نیست. آن را در خودپرداز فعال کنید.",
        NoticeKind.SMS_CARD_REFUSED: "برای کارت *{card} اکنون رمز پیامکی فرستاده نمی‌شود.",
        NoticeKind.SMS_WRONG_CARD: "رمزنگار پیامکی برای کارتی با این رقم‌ها فعال نیست.",
        NoticeKind.SMS_AMBIGUOUS: "چند کارت شما به این رقم‌ها پایان می‌یابد. شش رقم آخر کارت را بفرستید.",
        NoticeKind.SMS_GARBAGE: "برای دریافت رمز، فقط چهار رقم آخر کارت را بفرستید.",
        NoticeKind.SMS_CODES_ACTIVATED: "رمزنگار پیامکی کارت *{card}: چهار رقم آخر آن را به {sender} پیامک کنید.",
        NoticeKind.SMS_CODES_ENDED: "رمزنگار پیامکی کارت *{card} غیرفعال شد.",
        NoticeKind.MOBILE_CHANGED: "این شماره برای کارت *{card} ثبت شد. رمزنگار را دوباره فعال کنید.",
        NoticeKind.MOBILE_REPLACED: "موبایل کارت *{card} عوض شد؛ پیام‌ها دیگر به این شماره نمی‌آید.",
        NoticeKind.STATIC_PIN_SET: "رمز دوم ایستا برای خریدهای خرد با کارت *{card} فعال شد.",
        NoticeKind.STATIC_PIN_ENDED: "رمز دوم ایستای کارت *{card} غیرفعال شد.",
        NoticeKind.FIRST_PIN_CHANGED: "رمز اول کارت *{card} عوض شد.",
    }
)
PURPOSES: Mapping[Channel, str] = MappingProxyType(
    {
        Channel.ATM: "بخش دوم کد فعال‌سازی رمزنگار برای کارت *{card}:",
        Channel.SMS: "کد افزودن کارت *{card} به رمزنگار:",
    }
)
"""What a code does that raises nothing."""
CEILING_PURPOSE = "کد بالا بردن سقف کارت *{card} به {rial:,} ریال:"
VALID_FOR = "اعتبار: ۲۴ ساعت"
IF_NOT_YOU = "اگر شما نبوده‌اید، با بانک تماس بگیرید."


@dataclass(frozen=True, slots=True)
class ActivationMessage:
    """What a message with an activation's SMS part says.

    Args:
        card_last_four: of the card that it is for.
        ceiling: what it raises the card's ceiling to; ``None`` where it is for a new app or one more card.
    """

    bank_name: str
    card_last_four: str
    channel: Channel
    ceiling: Rial | None = None


def notice_text(kind: NoticeKind, bank_name: str, card_last_four: str, facts: Mapping[str, object]) -> Sensitive[str]:
    """Write a notice; ``facts`` are amounts and numbers that its sentence names."""
    told = NOTICES[kind].format(card=card_last_four, **facts)
    return Sensitive(f"{bank_name}\n{told}\n{IF_NOT_YOU}")


def activation_text(message: ActivationMessage, part: Sensitive[str]) -> Sensitive[str]:
    """Write the message with an activation's SMS part: what it does, the part in two groups, for how long, warning."""
    typed, ceiling = part.reveal(), message.ceiling
    purpose = PURPOSES[message.channel] if ceiling is None else CEILING_PURPOSE
    lines = (
        message.bank_name,
        purpose.format(card=message.card_last_four, rial=ceiling and ceiling.amount),
        f"{typed[:4]}-{typed[4:]}",
        VALID_FOR,
        WARNING,
    )
    return Sensitive("\n".join(lines))


def mobile_code_text(bank_name: str, card_last_four: str, code: Sensitive[str]) -> Sensitive[str]:
    """Write the message that a new mobile number is confirmed by, at the cash machine (D27)."""
    lines = (
        bank_name,
        f"کد تأیید شمارهٔ موبایل برای کارت *{card_last_four}:",
        code.reveal(),
        "آن را در خودپرداز وارد کنید. اعتبار: ۱۰ دقیقه",
        IF_NOT_YOU,
    )
    return Sensitive("\n".join(lines))
