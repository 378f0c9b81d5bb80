"""Every sentence of the sandbox's own pages, by key, in Persian and English."""

from __future__ import annotations

from foundation.persian import Language
from sandbox.terminals.wording import TERMINAL_WORDS
from sandbox.words import Words


def say(key: str, language: Language, **values: object) -> str:
    """Return the sentence of ``key`` with its values filled in; KeyError for a key that is not in the table."""
    words = WORDS[key]
    return (words.fa if language == "fa" else words.en).format(**values)


WORDS: dict[str, Words] = {
    **TERMINAL_WORDS,
    "ribbon": Words("محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود", "Test environment – no money moves"),
    "wrong_now": Words("خرابی‌های روشن:", "Wrong at present:"),
    "skip": Words("رفتن به محتوای اصلی", "Skip to main content"),
    "sandbox": Words("محیط آزمایشی", "Sandbox"),
    "other_language": Words("English", "فارسی"),
    "guide": Words("کارت‌ها و سناریوها", "Cards and scenarios"),
    "phones": Words("گوشی‌ها", "Phones"),
    "control": Words("کنترل", "Control"),
    "shop": Words("فروشگاه", "Shop"),
    "reference": Words("مرجع API", "API reference"),
    "copy": Words("رونوشت", "Copy"),
    "copied": Words("رونوشت شد", "Copied"),
    "copy.named": Words("رونوشت {what}", "Copy {what}"),
    "guide.title": Words("چه چیزی را می‌آزمایید؟", "What do you want to try?"),
    "guide.text": Words(
        "کارتی را بردارید که همان کار را می‌کند، در فروشگاه نمونه خرید کنید و رمز را از گوشیِ همان کارت بخوانید.",
        "Take the card that does what you want to see, buy something in the sample shop, and read the code on that "
        "card’s phone.",
    ),
    "guide.go": Words("رفتن به فروشگاه", "Go to the shop"),
    "good": Words("بی‌دردسر", "Without trouble"),
    "refused": Words("بانک نمی‌پذیرد", "The bank refuses"),
    "faulty": Words("چیزی در راه خراب است", "Something goes wrong on the way"),
    "pan": Words("شماره کارت", "Card number"),
    "cvv2": Words("CVV2", "CVV2"),
    "pin1": Words("رمز اول", "First PIN"),
    "pin2": Words("رمز دوم ایستا", "Static second PIN"),
    "expiry": Words("انقضا", "Expires"),
    "expiry.value": Words("ماه {month}، سال {year}", "month {month}, year {year}"),
    "no_phone": Words("این کارت گوشی ندارد", "This card has no phone"),
    "phone.of": Words("پیام‌های {mobile}", "Messages of {mobile}"),
    "messages": Words("پیام‌ها", "Messages"),
    "messages.log": Words("پیامک‌های رسیده، تازه‌ترین در بالا", "Messages received, newest first"),
    "messages.none": Words("هنوز پیامی نرسیده است.", "No message has arrived yet."),
    "messages.again": Words("بررسی دوباره", "Check again"),
    "send.title": Words("فرستادن پیام", "Send a message"),
    "send.to": Words("شمارهٔ گیرنده", "To"),
    "send.text": Words("متن", "Text"),
    "send.hint": Words(
        "برای رمز پیامکی، چهار رقم آخر کارت را به ۳۰۰۰۳۳۰۳ بفرستید.",
        "For a code by text message, send the card’s last four digits to 30003303.",
    ),
    "send.go": Words("ارسال", "Send"),
    "sent.title": Words("پیام‌های فرستاده", "Sent messages"),
    "sent.delivered": Words("تحویل شد", "Delivered"),
    "sent.refused": Words("کسی این شماره را ندارد یا نپذیرفت", "Nobody has this number, or it was refused"),
    "switches.title": Words("پیامک‌های این گوشی", "Messages to this phone"),
    "switches.delay": Words("رسیدن", "Arrival"),
    "switches.delay.none": Words("بی‌درنگ", "at once"),
    "switches.delay.by": Words("{seconds} ثانیه دیرتر", "{seconds}\u00a0s late"),
    "switches.else": Words("در راه", "On the way"),
    "switches.lost": Words("گم می‌شوند", "are lost"),
    "switches.twice": Words("دو بار می‌رسند", "arrive twice"),
    "switches.out_of_order": Words("بی‌ترتیب می‌رسند", "arrive out of order"),
    "switches.airplane": Words(
        "حالت هواپیما: تا خاموش‌شدن این حالت منتظر می‌مانند", "airplane mode: they wait until it ends"
    ),
    "switches.apply": Words("اعمال شود", "Apply"),
    "pair.title": Words("دو گوشی کنار هم", "Two phones side by side"),
    "pair.choose": Words("دو گوشی کنار هم", "Two phones side by side"),
    "pair.one": Words("گوشی اول", "First phone"),
    "pair.two": Words("گوشی دوم", "Second phone"),
    "pair.go": Words("نمایش", "Show"),
    "messages.one": Words("{count} پیام", "{count} message"),
    "messages.count": Words("{count} پیام", "{count} messages"),
    "phones.all": Words("همهٔ گوشی‌ها", "All phones"),
    "phones.title": Words("گوشی‌های آزمایشی", "Sandbox phones"),
    "code": Words("رمز پویا", "Dynamic PIN"),
    "payee": Words("پذیرنده", "Payee"),
    "amount": Words("مبلغ", "Amount"),
    "control.title": Words("چه چیزی خراب باشد؟", "What shall go wrong?"),
    "control.text": Words(
        "این‌ها برای همهٔ کارت‌ها و گوشی‌هاست. برنامه‌ها همین نشانی را با JSON می‌خوانند و تغییر می‌دهند.",
        "These hold for every card and phone. Programs read and change the same address as JSON.",
    ),
    "control.apply": Words("اعمال شود", "Apply"),
    "control.reset": Words("همه‌چیز درست شود", "Set everything right"),
    "control.mistaken": Words(
        "چیزی تغییر نکرد؛ مورد مشخص‌شده را درست کنید.", "Nothing was changed; please fix the marked field."
    ),
    "control.right": Words("همه‌چیز درست است.", "Everything is as it should be."),
    "bank": Words("پاسخ‌های بانک", "The bank’s answers"),
    "bank.up": Words("درست و به‌موقع", "right and in time"),
    "bank.slow": Words("کند، هر پاسخ {seconds} ثانیه دیرتر", "slow, each answer {seconds}\u00a0s late"),
    "bank.down": Words("بی‌پاسخ", "none at all"),
    "sms": Words("پیامک‌ها", "Messages"),
    "sms.deliver": Words("می‌رسند", "arrive"),
    "sms.delay": Words("{seconds} ثانیه دیر می‌رسند", "arrive {seconds}\u00a0s late"),
    "sms.drop": Words("گم می‌شوند", "are lost"),
    "clock_seconds": Words("ساعت درگاه و بانک‌ها", "Clock of gateway and banks"),
    "clock_seconds.hint": Words(
        "چند ثانیه جلوتر از اکنون؛ عدد منفی یعنی عقب‌تر. حداکثر ۳۰ روز.",
        "Seconds ahead of now; a negative number is behind. At most 30 days.",
    ),
    "clock_seconds.wrong": Words(
        "تعداد ثانیه‌ها را با عدد صحیح بنویسید؛ حداکثر ۳۰ روز جلوتر یا عقب‌تر.",
        "Write a whole number of seconds, at most 30 days either way.",
    ),
    "clock_seconds.ahead": Words("{seconds} ثانیه جلو", "{seconds}\u00a0s ahead"),
    "clock_seconds.behind": Words("{seconds} ثانیه عقب", "{seconds}\u00a0s behind"),
    "clock.wish": Words("جلو بردن ساعت", "Put the clock forward"),
    "clock.120": Words("۲ دقیقه جلو: رمز باطل می‌شود", "2 minutes ahead: codes run out"),
    "clock.960": Words("۱۶ دقیقه جلو: صفحهٔ پرداخت منقضی می‌شود", "16 minutes ahead: payment pages run out"),
    "clock.86400": Words("یک روز جلو: سقف‌های روزانه از نو حساب می‌شوند", "a day ahead: today’s limits start anew"),
    "card.approve": Words("پرداخت انجام می‌شود", "The payment goes through"),
    "card.tosan-yaghut": Words(
        "درخواست رمز با پروتکل یاقوت؛ پرداخت تا ۵٬۰۰۰٬۰۰۰ ریال انجام می‌شود",
        "Code requested over the Yaghut (Tosan) protocol; payments up to 5,000,000 Rial go through",
    ),
    "card.sadad-adaptor": Words(
        "درخواست رمز با پروتکل سداد؛ پرداخت تا ۵٬۰۰۰٬۰۰۰ ریال انجام می‌شود",
        "Code requested over the Sadad protocol; payments up to 5,000,000 Rial go through",
    ),
    "card.gift": Words(
        "کارت هدیه: رمز دوم آن ایستاست و خدمات رمز پویا ندارد",
        "A gift card: static second PIN, no dynamic-PIN services",
    ),
    "card.insufficient_funds": Words("موجودی کافی نیست", "Not enough balance"),
    "card.blocked": Words("کارت مسدود است", "The card is blocked"),
    "card.no_mobile": Words("موبایلی برای کارت ثبت نشده است", "No mobile is registered for the card"),
    "card.expired": Words("تاریخ کارت گذشته است", "The card has expired"),
    "card.bank_slow": Words("پاسخ بانک ۴ ثانیه طول می‌کشد", "The bank takes 4 seconds to answer"),
    "card.bank_hangs": Words(
        "درخواست خرید به بانک نمی‌رسد: نتیجه نامعلوم می‌ماند و سپس روشن می‌شود",
        "The bank never hears of the purchase: the outcome is unknown, then cleared up",
    ),
    "card.answer_lost": Words(
        "پول کم می‌شود ولی پاسخ بانک گم می‌شود: نتیجه نامعلوم می‌ماند و سپس روشن می‌شود",
        "Debited, but the bank’s answer is lost: the outcome is unknown, then cleared up",
    ),
    "card.duplicate_answer": Words("پاسخ بانک دو بار می‌رسد و یک بار اثر دارد", "The answer comes twice, counts once"),
    "card.late_answer": Words(
        "پاسخ بانک پس از پایان انتظار درگاه می‌رسد", "The answer comes after the gateway stopped waiting"
    ),
    "card.sms_lost": Words("پیامکِ رمز گم می‌شود", "The message with the code is lost"),
    "card.sms_late": Words("پیامکِ رمز ۲۰ ثانیه دیر می‌رسد", "The message with the code is 20 seconds late"),
    "card.unreachable_bank": Words(
        "بانک هرگز پاسخ نمی‌دهد و پولی برداشته نمی‌شود", "The bank never answers, and no money is taken"
    ),
}  # fmt: skip
