"""Every sentence of the operators' page by key, in Persian and English; ``{name}`` marks a value."""

from __future__ import annotations

from foundation.persian import Language
from otp.console.words_of_states import STATES, Words

_FRAME = {
    "console": Words("میز کار اپراتور", "Operators’ desk"),
    "skip": Words("رفتن به متن", "Skip to content"),
    "sandbox": Words("محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود", "Test environment – no money moves"),
    "other_language": Words("English", "فارسی"),
    "pages": Words("صفحه‌ها", "Pages"),
    "log_in": Words("ورود", "Log in"),
    "log_in.name": Words("نام کاربری", "User name"),
    "log_in.password": Words("گذرواژه", "Password"),
    "log_in.wrong": Words("نام کاربری یا گذرواژه درست نیست.", "User name or password is not right."),
    "log_in.wait": Words(
        "تلاش‌ها از اندازه گذشت. {minutes} دقیقهٔ دیگر دوباره امتحان کنید.",
        "Too many tries. Try again in {minutes} min.",
    ),
    "log_in.note": Words(
        "پس از ۱۵ دقیقه بی‌فعالیتی، خودکار خارج می‌شوید.", "After 15 minutes of inactivity you are logged out."
    ),
    "log_out": Words("خروج", "Log out"),
    "role.viewer": Words("بیننده", "viewer"),
    "role.operator": Words("اپراتور", "operator"),
    "mistake": Words("خطا:", "Error:"),
    "missing": Words("چنین صفحه یا کارتی نیست", "There is no such page or card"),
    "back": Words("بازگشت به کارت‌ها", "Back to the cards"),
}
_OVERVIEW = {
    "overview": Words("وضعیت", "Overview"),
    "overview.parts": Words("اجزای بانک", "The bank’s parts"),
    "part.database": Words("پایگاه داده", "Database"),
    "part.keys": Words("کلیدها", "Keys"),
    "part.directory": Words("فهرست درگاه‌ها", "Directory of PSPs"),
    "part.redis": Words("Redis (برای شتاب)", "Redis (for speed)"),
    "part.up": Words("پاسخ می‌دهد", "answers"),
    "part.down": Words("پاسخ نمی‌دهد", "does not answer"),
    "overview.look": Words("آخرین نگاه پایشگر", "The monitor’s last look"),
    "look.never": Words("هنوز نگاه نکرده است", "has not looked yet"),
    "look.clean": Words("همه‌چیز درست است", "every rule holds"),
    "look.broken": Words("{count} قاعده درست نیست", "{count} rules do not hold"),
    "look.at": Words("در {moment}", "at {moment}"),
    "overview.work": Words("کار در جریان", "Work"),
    "work.live": Words("رمزهای زنده", "Codes that can be used"),
    "work.waiting": Words("پیام‌های در صف", "Messages waiting"),
    "work.dead": Words("پیام‌های رهاشده", "Messages given up"),
    "overview.sms": Words("پیامک رمزها در یک ساعت گذشته", "SMS of codes in the last hour"),
    "sms.none": Words("در این یک ساعت رمزی خواسته نشد.", "No code was asked for within the hour."),
    "sms.provider": Words("سامانهٔ پیامک", "Provider"),
    "sms.unnamed": Words("بی‌نام", "unnamed"),
    "sms.asked": Words("خواسته‌شده", "Asked for"),
    "sms.accepted": Words("پذیرفته", "Accepted"),
    "sms.refused": Words("نپذیرفته", "Refused"),
    "sms.dropped": Words("فرستاده‌نشده", "Not sent"),
    "sms.delivered": Words("رسیده", "Delivered"),
    "sms.undelivered": Words("نرسیده", "Undelivered"),
    "sms.accepted_after": Words("پذیرش: میانه / صدک ۹۵ (ثانیه)", "Accepted after: p50 / p95 (s)"),
    "sms.delivered_after": Words("رسیدن: میانه / صدک ۹۵ (ثانیه)", "Delivered after: p50 / p95 (s)"),
    "sms.note": Words(
        "زمان‌ها از درخواست رمز است: تا پذیرش پیامک نزد سامانهٔ پیامک، و تا آگاهی از رسیدن آن به گوشی. "
        "دربارهٔ رمزی که به کار رفته دیگر پرسیده نمی‌شود.",
        "Times count from asking for a code: until the provider accepts its message, and until it says that the phone "
        "has it. Of a code that was used nothing more is asked.",
    ),
}
_WRONG = {
    "wrong": Words("تلاش‌های نادرست", "Wrong tries"),
    "wrong.title": Words("تلاش‌های نادرست یک ساعت گذشته، به تفکیک پایانه", "Wrong tries of the last hour by terminal"),
    "wrong.none": Words(
        "در این یک ساعت رمز یا مشخصات کارت نادرستی وارد نشد.",
        "No wrong code or card data were entered within the hour.",
    ),
    "wrong.acquirer": Words("بانک پذیرنده", "Acquirer"),
    "wrong.terminal": Words("پایانه", "Terminal"),
    "wrong.tried": Words("همهٔ تلاش‌ها", "All tries"),
    "wrong.wrong": Words("نادرست", "Wrong"),
    "wrong.share": Words("سهم", "Share"),
    "wrong.state": Words("وضعیت", "State"),
    "wrong.alarm": Words("هشدار: حدس", "Alarm: guessing"),
    "wrong.calm": Words("عادی", "normal"),
    "wrong.note": Words(
        "رمز یا مشخصات کارت نادرست. هشدار: بیش از {percent}٪ در دست‌کم {least} تلاش. چنین پایانه‌ای باید قطع شود.",
        "Wrong codes or card data. Alarm: over {percent}% of at least {least} tries. Such a terminal is to be cut off.",
    ),
}
_CARDS = {
    "cards": Words("کارت‌ها", "Cards"),
    "cards.find": Words("یافتن کارت", "Find a card"),
    "cards.wanted": Words("شمارهٔ کارت، یا شمارهٔ آن نزد بانک", "Card number, or its number at the bank"),
    "cards.go": Words("نمایش", "Show"),
    "cards.shape": Words("شمارهٔ کارت درست نیست.", "This is no card number."),
    "cards.unknown": Words("چنین کارتی نیست.", "There is no such card."),
    "cards.locked": Words("کارت‌های بسته", "Blocked and locked cards"),
    "cards.none": Words("هیچ کارتی بسته نیست.", "No card is blocked or locked."),
    "card": Words("کارت {card_id}", "Card {card_id}"),
    "card.number": Words("شمارهٔ کارت", "Card number"),
    "card.at_bank": Words("شماره نزد بانک", "Number at the bank"),
    "card.mobile": Words("موبایل", "Mobile"),
    "card.mobile.ends": Words("با پایان {digits}", "ending in {digits}"),
    "card.mobile.none": Words("ندارد", "none"),
    "card.state": Words("وضعیت", "State"),
    "card.failures": Words("رمز نادرست پیاپی", "Wrong codes in a row"),
    "card.open": Words("باز", "open"),
    "card.held": Words("مسدود به دستور بانک", "blocked by the bank"),
    "card.blocked": Words("مسدود به‌سبب رمزهای نادرست", "blocked by wrong codes"),
    "card.locked": Words("قفل به‌سبب رمزهای نادرست تا {moment}", "locked by wrong codes until {moment}"),
    "card.paused": Words("مکث به‌سبب مشخصات نادرست تا {moment}", "pauses after wrong card data until {moment}"),
    "unlock": Words("باز کردن کارت", "Unlock the card"),
    "unlock.note": Words(
        "دارندهٔ کارت را شناسایی کنید. درخواست شما را باید همکاری دیگر تأیید کند.",
        "Identify the holder first. A colleague must approve your request.",
    ),
    "unlock.reason": Words("دلیل", "Reason"),
    "unlock.ask": Words("درخواست باز کردن", "Ask for the unlock"),
    "unlock.waiting": Words(
        "درخواست باز کردن از \u2068{maker}\u2069: «\u2068{reason}\u2069»",
        "\u2068{maker}\u2069 asks to unlock: “\u2068{reason}\u2069”",
    ),
    "unlock.until": Words("مهلت تأیید: {moment}", "To be approved by {moment}"),
    "unlock.own": Words("درخواست خود شما؛ همکاری دیگر باید تأیید کند.", "Your own request; a colleague must approve."),
    "unlock.approve": Words("تأیید و باز کردن", "Approve and unlock"),
    "history.codes": Words("رمزها", "Codes"),
    "history.purchases": Words("تراکنش‌ها", "Transactions"),
    "history.acts": Words("کارهای انجام‌شده بر کارت", "Acts on the card"),
    "history.none": Words("چیزی نیست.", "Nothing."),
    "history.at": Words("زمان", "Time"),
    "history.channel": Words("روش", "Channel"),
    "history.state": Words("وضعیت", "State"),
    "history.tries": Words("تلاش نادرست", "Wrong tries"),
    "history.of": Words("{tries} از {most}", "{tries} of {most}"),
    "history.delivery": Words("پیامک", "Message"),
    "history.after": Words("{seconds} ثانیه پس از درخواست", "{seconds} s after it was asked for"),
    "history.expires": Words("اعتبار تا", "Valid until"),
    "history.amount": Words("مبلغ (ریال)", "Amount (Rial)"),
    "history.action": Words("کد پاسخ", "Action code"),
    "history.reason": Words("سبب", "Reason"),
    "history.terminal": Words("پایانه", "Terminal"),
    "history.who": Words("چه کسی", "Who"),
    "history.what": Words("چه کاری", "What"),
    "history.why": Words("چرا", "Why"),
}
_ACTORS = {
    "actor.operator": Words("\u2068{name}\u2069 (اپراتور)", "\u2068{name}\u2069 (operator)"),
    "actor.atm": Words("خودپرداز \u2068{name}\u2069", "cash machine \u2068{name}\u2069"),
    "actor.app": Words("رمزنگار", "Ramznegar"),
}

WORDS: dict[str, Words] = _FRAME | _OVERVIEW | _WRONG | _CARDS | _ACTORS | STATES


def say(key: str, language: Language, **values: object) -> str:
    """Return the sentence for a key, its values filled in."""
    words = WORDS[key]
    return (words.fa if language == "fa" else words.en).format(**values)


def who_did(actor: str, language: Language) -> str:
    """Return who acted, as people say it, from ``kind:name`` of the audit trail; another kind stays as it is."""
    kind, _, name = actor.partition(":")
    return say(f"actor.{kind}", language, name=name) if f"actor.{kind}" in WORDS else actor
