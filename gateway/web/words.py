"""What a sentence is, and the sentences about issuers in trouble; :mod:`gateway.web.wording` has them all."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One thing to say, in both languages."""

    fa: str
    en: str


NOT_TAKEN = Words("پولی از حساب شما برداشت نشده است.", "No money has left your account.")


def free(fa: str, en: str) -> Words:
    """Words for a failure before which no money moved: the reassurance is appended."""
    return Words(f"{fa} {NOT_TAKEN.fa}", f"{en} {NOT_TAKEN.en}")


ISSUER = {
    "issuer.paused": free(
        "در حال حاضر پرداخت با کارت‌های این بانک ممکن نیست؛ با کارت بانک دیگری بپردازید یا بعداً دوباره امتحان کنید.",
        "Payments with this bank’s cards aren’t possible at the moment; use another bank’s card or try again later.",
    ),
    "health.title": Words("پیش از وارد کردن شمارهٔ کارت بخوانید", "Good to know before you type your card"),
    "health.paused": Words(
        "{bank}: در حال حاضر پرداخت با کارت‌های این بانک ممکن نیست؛ با کارت بانک دیگری بپردازید.",
        "{bank}: payments with this bank’s cards aren’t possible at the moment; use another bank’s card.",
    ),
    "health.down": Words(
        "{bank}: این بانک اکنون پاسخ نمی‌دهد؛ با کارت بانک دیگری بپردازید یا چند دقیقهٔ دیگر امتحان کنید.",
        "{bank} isn’t answering right now; use another bank’s card or try in a few minutes.",
    ),
    "health.slow": Words(
        "{bank}: رمز پویا و پاسخ این بانک اکنون با تأخیر می‌رسد؛ کمی بیشتر صبر کنید.",
        "{bank}: dynamic PINs and answers of this bank are slow at the moment; please allow a little longer.",
    ),
}
