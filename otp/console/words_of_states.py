"""What the page calls the bank's own states: of codes, messages, purchases, and the reasons of decisions."""

from __future__ import annotations

from typing import NamedTuple


class Words(NamedTuple):
    """One thing to say, in both languages."""

    fa: str
    en: str


CHALLENGE = {
    "challenge.issued": Words("در انتظار ورود", "waiting to be entered"),
    "challenge.verified": Words("بررسی‌شده، خرج‌نشده", "checked, not spent"),
    "challenge.consumed": Words("به‌کاررفته", "used"),
    "challenge.locked": Words("بسته پس از رمزهای نادرست", "locked after wrong codes"),
    "challenge.expired": Words("منقضی", "expired"),
    "challenge.superseded": Words("جایگزین‌شده با رمز تازه‌تر", "replaced by a newer one"),
}
CHANNEL = {
    "channel.harim": Words("پیامک به درخواست درگاه", "SMS, requested by PSP"),
    "channel.sms": Words("پیامک به درخواست دارنده", "SMS, requested by its holder"),
    "channel.app": Words("رمزنگار", "Ramznegar"),
    "channel.app_bound": Words("رمزنگار، ویژهٔ یک خرید", "Ramznegar, for one purchase"),
    "channel.static": Words("رمز دوم ایستا", "static second PIN"),
    "channel.first_pin": Words("رمز اول", "first PIN"),
}
DELIVERY = {
    "delivery.queued": Words("در صف ارسال", "queued"),
    "delivery.accepted": Words("تحویل سامانهٔ پیامک شد", "accepted by the provider"),
    "delivery.refused": Words("سامانهٔ پیامک نپذیرفت", "refused by the provider"),
    "delivery.dropped": Words("فرستاده نشد", "not sent"),
    "delivery.delivered": Words("به گوشی رسید", "delivered to the phone"),
    "delivery.undelivered": Words("به گوشی نرسید", "not delivered to the phone"),
}
PURCHASE = {
    "purchase.approved": Words("تأییدشده", "approved"),
    "purchase.declined": Words("ردشده", "declined"),
    "purchase.reversed": Words("برگشت‌خورده", "reversed"),
}
REASON = {
    "reason.approved": Words("بی‌ایراد", "nothing wrong"),
    "reason.card_unknown": Words("کارت ناشناخته", "unknown card"),
    "reason.card_paused": Words("کارت در مکث", "card pauses"),
    "reason.card_data_wrong": Words("مشخصات کارت نادرست", "wrong card data"),
    "reason.card_blocked": Words("کارت مسدود", "card blocked"),
    "reason.second_pin_inactive": Words("رمز دوم غیرفعال", "second PIN not active"),
    "reason.card_expired": Words("کارت منقضی", "card expired"),
    "reason.pin_locked": Words("کارت قفل به‌سبب رمزهای نادرست", "card locked by wrong codes"),
    "reason.code_wrong": Words("رمز نادرست", "wrong code"),
    "reason.code_expired": Words("رمز منقضی", "code expired"),
    "reason.code_used": Words("رمز پیش‌تر به کار رفته", "code used before"),
    "reason.code_foreign": Words("رمز تراکنشی دیگر", "code of another transaction"),
    "reason.code_locked": Words("رمز بسته", "code locked"),
    "reason.pin_block_refused": Words("بلوک رمز خوانده نشد", "PIN block not readable"),
    "reason.not_supported": Words("پشتیبانی نمی‌شود", "not supported"),
    "reason.too_many_wrong": Words("تلاش‌های نادرست بسیار از آن پایانه", "too many wrong tries from that terminal"),
    "reason.amount_not_possible": Words("مبلغ ناممکن", "amount not possible"),
    "reason.fee_too_high": Words("کارمزد بیش از حد", "fee too high"),
    "reason.purchase_limit": Words("بیش از سقف خرید", "above the purchase limit"),
    "reason.day_limit": Words("بیش از سقف روزانه", "above the day’s limit"),
    "reason.unbound_limit": Words("بیش از سقف رمز آزاد", "above the ceiling of unbound codes"),
    "reason.static_limit": Words("بیش از سقف رمز ایستا", "above the ceiling of static PINs"),
    "reason.transfer_limit": Words("بیش از سقف کارت به کارت", "above the transfer limit"),
    "reason.transfer_day_limit": Words("بیش از سقف روزانهٔ کارت به کارت", "above the day’s transfer limit"),
    "reason.balance_limit": Words("بیش از دفعه‌های روزانهٔ مانده‌گیری", "balance asked for too often that day"),
    "reason.balance_too_long": Words("مانده در پیام جا نمی‌شود", "balance too long for a message"),
    "reason.funds": Words("موجودی ناکافی", "not enough money"),
    "reason.cannot_receive": Words("کارت مقصد پول نمی‌پذیرد", "the destination cannot receive"),
    "reason.credit_day": Words("بیش از سقف واریز پذیرنده در روز", "above the acquirer’s credits of a day"),
    "reason.nothing_to_refund": Words("چیزی برای برگرداندن نمانده", "nothing left to give back"),
}
ACT = {
    "act.app.activated": Words("فعال‌سازی رمزنگار", "activated Ramznegar"),
    "act.app.card_added": Words("افزودن کارت به رمزنگار", "added the card to Ramznegar"),
    "act.app.card_removed": Words("حذف کارت از رمزنگار", "removed the card from Ramznegar"),
    "act.app.ceiling_lowered": Words("کاستن از سقف هر رمز", "lowered the ceiling per code"),
    "act.app.ceiling_raised": Words("افزودن بر سقف هر رمز", "raised the ceiling per code"),
    "act.app.pin_changed": Words("تغییر رمز ورود رمزنگار", "changed Ramznegar’s app PIN"),
    "act.atm.activate_app": Words("درخواست فعال‌سازی رمزنگار", "asked to activate Ramznegar"),
    "act.atm.activate_sms": Words("فعال‌سازی رمزنگار پیامکی", "activated Ramznegar by SMS"),
    "act.atm.change_first_pin": Words("تغییر رمز اول", "changed the first PIN"),
    "act.atm.change_mobile": Words("درخواست تغییر شمارهٔ موبایل", "asked to change the mobile number"),
    "act.atm.end_app": Words("غیرفعال‌کردن رمزنگار", "ended Ramznegar"),
    "act.atm.end_sms": Words("غیرفعال‌کردن رمزنگار پیامکی", "ended Ramznegar by SMS"),
    "act.atm.end_static_pin": Words("غیرفعال‌کردن رمز دوم ایستا", "ended the static second PIN"),
    "act.atm.set_static_pin": Words("تعیین رمز دوم ایستا", "set a static second PIN"),
    "act.card.blocked": Words("مسدود کردن کارت", "blocked the card"),
    "act.card.shown": Words("دیدن سابقهٔ کارت", "looked at the card’s history"),
    "act.card.unlock_approved": Words("تأیید باز کردن کارت", "approved the unlock"),
    "act.card.unlock_asked": Words("درخواست باز کردن کارت", "asked for the unlock"),
    "act.card.unlocked": Words("باز شدن کارت به درخواست او", "card opened at their request"),
}
"""What the audit trail's acts on a card are called."""
OUTCOME = {
    "outcome.asked": Words(
        "درخواست ثبت شد. همکاری دیگر باید تا ۲۴ ساعت آن را تأیید کند.",
        "The request was recorded. A colleague must approve it within 24 hours.",
    ),
    "outcome.approved": Words("تأیید شد و کارت باز است.", "Approved; the card is open."),
    "outcome.not_allowed": Words("نقش شما این کار را اجازه نمی‌دهد.", "Your role does not allow this."),
    "outcome.not_locked": Words("این کارت قفل نیست.", "This card is not locked."),
    "outcome.held_by_bank": Words(
        "این کارت را خود بانک مسدود کرده است و از این راه باز نمی‌شود.",
        "The bank itself blocked this card; it is not opened this way.",
    ),
    "outcome.asked_already": Words(
        "برای این کارت درخواستی در انتظار است.", "A request for this card is waiting already."
    ),
    "outcome.own_request": Words(
        "درخواست خودتان را نمی‌توانید تأیید کنید؛ همکاری دیگر باید تأیید کند.",
        "You cannot approve your own request; a colleague must.",
    ),
    "outcome.done_already": Words(
        "این درخواست پیش‌تر تأیید شده است؛ کار دیگری انجام نشد.",
        "This request was approved before; nothing more was done.",
    ),
    "outcome.too_late": Words("مهلت این درخواست گذشته است؛ دوباره درخواست کنید.", "The request has lapsed; ask again."),
    "outcome.card_changed": Words(
        "وضعیت کارت پس از درخواست عوض شده است؛ بررسی و دوباره درخواست کنید.",
        "The card has changed since it was asked for; look at it and ask again.",
    ),
    "outcome.reason_shape": Words("دلیل را در ۵ تا ۳۰۰ نویسه بنویسید.", "Give a reason of 5 to 300 characters."),
    "outcome.no_such": Words("چنین درخواست یا کارتی نیست.", "There is no such request or card."),
    "outcome.stale": Words(
        "این فرم کهنه شده است؛ صفحه را دوباره باز کنید.", "This form is out of date; open the page again."
    ),
}
STATES = CHALLENGE | CHANNEL | DELIVERY | PURCHASE | REASON | ACT | OUTCOME
