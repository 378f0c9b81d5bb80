"""Every sentence of the app by key, in Persian and English; page and scripts read the same table.

``{name}`` marks a value; both languages carry the same ones, and a test compares them.
"""

from __future__ import annotations

from foundation.persian import Language
from otp.ramznegar.words import Words
from otp.ramznegar.words_of_codes import CODES
from otp.ramznegar.words_of_help import HELP
from otp.ramznegar.words_of_settings import SETTINGS

_FRAME = {
    "brand": Words("رمزنگار", "Ramznegar"),
    "description": Words(
        "رمز پویای کارت، روی گوشی خودتان و بدون اینترنت", "Your card’s dynamic PIN, on your phone, offline"
    ),
    "sandbox": Words("محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود", "Test environment – no money moves"),
    "other_language": Words("English", "فارسی"),
    "offline": Words(
        "اینترنت قطع است. رمزها بدون اینترنت هم ساخته می‌شوند.", "You’re offline. Codes work without a network too."
    ),
    "noscript": Words(
        "رمزنگار رمزها را در مرورگر می‌سازد؛ جاوااسکریپت را روشن کنید.",
        "Ramznegar makes codes in the browser; please turn JavaScript on.",
    ),
    "back": Words("بازگشت", "Back"),
    "home": Words("کارت‌ها", "Cards"),
    "continue": Words("ادامه", "Continue"),
    "confirm": Words("تأیید", "Confirm"),
    "no": Words("نه، بازگرد", "No, go back"),
    "show": Words("نمایش آنچه نوشته‌اید", "Show what you typed"),
    "working": Words("چند لحظه صبر کنید…", "One moment…"),
    "rials": Words("{amount} ریال", "{amount} Rial"),
    "seconds": Words("{number} ثانیه", "{number} s"),
    "minutes": Words("{number} دقیقه", "{number} min"),
    "trouble": Words("مشکلی پیش آمد", "Something went wrong"),
    "trouble.again": Words("پاک کردن و فعال‌سازی دوباره", "Erase and activate again"),
}

_START = {
    "welcome.title": Words("رمز پویا روی همین گوشی", "Dynamic PIN on this phone"),
    "welcome.text": Words(
        "رمزنگار رمز پویای کارت را می‌سازد؛ منتظر پیامک نمی‌مانید.",
        "Ramznegar makes your card’s dynamic PIN, so you don’t wait for an SMS.",
    ),
    "welcome.offline": Words("بدون اینترنت و آنتن کار می‌کند.", "Works with no internet and no signal."),
    "welcome.secret": Words(
        "رمز ورود شما روی گوشی ذخیره نمی‌شود و به بانک هم نمی‌رود.",
        "Your app PIN is not stored on the phone, nor sent to the bank.",
    ),
    "welcome.bound": Words(
        "برای خریدهای بزرگ، رمزی می‌سازد که فقط برای همان مبلغ و همان فروشگاه است.",
        "For larger purchases it makes a code for that amount and that shop only.",
    ),
    "welcome.install": Words(
        "برای این‌که مانند برنامه‌های دیگر در دسترس باشد، در منوی مرورگر «افزودن به صفحهٔ اصلی» را بزنید.",
        "To keep it at hand, choose “Add to home screen” in the browser’s menu.",
    ),
    "activate": Words("فعال‌سازی با رسید خودپرداز", "Activate with an ATM slip"),
    "activate.title": Words("فعال‌سازی", "Activation"),
    "activate.text": Words(
        "در خودپرداز بانک «فعال‌سازی رمزنگار» را بزنید؛ یک رسید و یک پیامک می‌گیرید.",
        "Choose “Activate Ramznegar” at your bank’s ATM: you get a slip and an SMS.",
    ),
    "activate.again": Words("فعال‌سازی از نو", "Start activation over"),
    "activation_id": Words("شناسهٔ فعال‌سازی", "Activation ID"),
    "activation_id.hint": Words("۸ رقم، روی رسید", "8 digits, on the slip"),
    "slip": Words("بخش اول کد (روی رسید)", "First part of the code (on the slip)"),
    "slip.hint": Words("۸ رقم، زیر شناسه", "8 digits, under the ID"),
    "sms": Words("بخش دوم کد (در پیامک)", "Second part of the code (in the SMS)"),
    "sms.hint": Words(
        "۸ رقم و حرف؛ می‌توانید همهٔ پیامک را بچسبانید.", "8 digits and letters; you may paste the whole message."
    ),
    "sms.alone": Words("کد تأیید (در پیامک)", "Code (in the SMS)"),
    "sms.sent": Words(
        "کد تأیید به شماره‌ای که به {tail} ختم می‌شود پیامک شد.", "A code was sent to the number ending in {tail}."
    ),
    "device.name": Words("نام این دستگاه", "Name of this device"),
    "device.name.hint": Words("تا بعد آن را در فهرست دستگاه‌ها بشناسید.", "So that you know it in the list of devices."),
    "device.android": Words("گوشی اندروید", "Android phone"),
    "device.apple": Words("آیفون یا آیپد", "iPhone or iPad"),
    "device.other": Words("دستگاه من", "My device"),
    "pin": Words("رمز ورود برنامه", "App PIN"),
    "pin.choose": Words("رمز ورود برنامه را بسازید", "Choose your app PIN"),
    "pin.choose.text": Words(
        "رمزهای کارت از روی همین رمز ساخته می‌شوند. آن را هیچ‌جا نگه نمی‌داریم؛ اگر فراموش شود، باید دوباره فعال کنید.",
        "Your codes are made from it. It is stored nowhere; if you forget it, you need to activate again.",
    ),
    "pin.hint": Words(
        "دست‌کم ۶ رقم؛ نه رمز کارت و نه تاریخ تولد", "At least 6 digits; neither your card’s PIN nor a birthday"
    ),
    "pin.again": Words("تکرار رمز ورود", "App PIN again"),
    "pin.set": Words("ساخت رمز و پایان فعال‌سازی", "Set PIN and finish"),
    "ready.title": Words("رمزنگار آماده است", "Ramznegar is ready"),
    "ready.picture": Words("تصویر رمز شما این است:", "The picture of your PIN is:"),
    "ready.picture.why": Words(
        "هر بار که رمز ورود را درست بزنید همین تصویر را می‌بینید. تصویر دیگر یعنی رمز را اشتباه زده‌اید.",
        "You see it whenever you type your PIN right. Another picture means you mistyped it.",
    ),
    "ready.go": Words("رفتن به کارت‌ها", "Go to my cards"),
    "finger": Words("اثر انگشت", "Fingerprint"),
    "finger.text": Words(
        "به جای رمز ورود، انگشت خود را بگذارید؛ بدون اینترنت هم کار می‌کند.",
        "Use your finger instead of the app PIN; it works offline too.",
    ),
    "finger.on": Words("روشن کردن اثر انگشت", "Turn fingerprint on"),
    "finger.off": Words("خاموش کردن اثر انگشت", "Turn fingerprint off"),
    "finger.is_on": Words("اثر انگشت روشن شد.", "Fingerprint is on."),
    "finger.is_off": Words("اثر انگشت خاموش شد.", "Fingerprint is off."),
}

_ERRORS = {
    "error.no_answer": Words(
        "به بانک وصل نشدیم. اینترنت را بررسی کنید و دوباره بزنید؛ نوشته‌های شما روی صفحه می‌ماند.",
        "We couldn’t reach the bank. Check your connection and try again; what you typed stays here.",
    ),
    "error.bank": Words(
        "بانک اکنون نمی‌تواند پاسخ دهد؛ کمی بعد دوباره بزنید.", "The bank can’t answer now; try again later."
    ),
    "error.phone": Words(
        "این مرورگر نتوانست کار را انجام دهد. آن را به‌روز کنید و حالت ناشناس را ببندید.",
        "This browser couldn’t do it. Update it, and leave private mode.",
    ),
    "error.not_the_bank": Words(
        "پاسخ از بانک شما نبود؛ چیزی ذخیره نشد. بعداً با اینترنت دیگری امتحان کنید.",
        "The answer did not come from your bank; nothing was stored. Try later over another network.",
    ),
    "error.ACTIVATION_REFUSED": Words(
        "فعال‌سازی پذیرفته نشد. نوشته‌ها را با رسید و پیامک مقایسه کنید؛ کد ۲۴ ساعت و پنج بار اعتبار دارد.",
        "Activation was refused. Compare with slip and SMS; the code is good for 24 hours and five tries.",
    ),
    "error.TOO_MANY_REQUESTS": Words(
        "درخواست‌ها زیاد بود؛ چند دقیقهٔ دیگر دوباره بزنید.", "Too many requests; try again in a few minutes."
    ),
    "error.CALL_REFUSED": Words(
        "بانک این دستگاه را دیگر نمی‌شناسد: از جای دیگری حذف شده یا دوباره فعال شده است. رمزهای آن پذیرفته نمی‌شود.",
        "The bank no longer knows this device: it was removed, or activated elsewhere. Its codes aren’t accepted.",
    ),
    "error.DEVICE_SUSPENDED": Words(
        "به دلیل رمزهای نادرست، بانک این دستگاه را بسته است. از خودپرداز رسید تازه بگیرید، سپس "
        "«پاک کردن و فعال‌سازی دوباره» را بزنید.",
        "The bank suspended this device after wrong codes. Get a new slip at an ATM, then press "
        "“Erase and activate again”.",
    ),
    "error.CODE_WRONG": Words(
        "بانک رمز را نپذیرفت. اگر رمز ورود را درست زده‌اید، یک دقیقهٔ دیگر دوباره بزنید.",
        "The bank didn’t accept the code. If you typed your PIN right, try again in a minute.",
    ),
    "error.activation_id": Words("شناسهٔ فعال‌سازی ۸ رقم است.", "The activation ID has 8 digits."),
    "error.slip": Words("بخش اول کد (روی رسید) ۸ رقم است.", "The first part of the code (on the slip) has 8 digits."),
    "error.sms": Words(
        "بخش دوم کد (در پیامک) ۸ رقم و حرف است.",
        "The second part of the code (in the SMS) has 8 digits and letters.",
    ),
    "error.sms_alone": Words("کد تأیید (در پیامک) ۸ رقم و حرف است.", "The code (in the SMS) has 8 digits and letters."),
    "error.pin_short": Words("رمز ورود دست‌کم ۶ رقم است.", "The app PIN has at least 6 digits."),
    "error.pin_guessable": Words(
        "این رمز آسان حدس زده می‌شود؛ رقم‌های تکراری یا پشت سر هم نگذارید.",
        "That PIN is easy to guess; avoid repeated or consecutive digits.",
    ),
    "error.pin_differs": Words("دو رمز یکی نیستند؛ دوباره بنویسید.", "The two PINs differ; type them again."),
    "error.pin_unknown": Words(
        "پاسخ بانک نرسید و شاید رمز عوض شده باشد: با رمز تازه امتحان کنید و اگر پذیرفته نشد با رمز پیشین.",
        "No answer came, and the PIN may have changed: try the new one, and if it isn’t accepted the old one.",
    ),
    "error.picture": Words(
        "رمز ورود را دوباره بنویسید تا تصویر همیشگی را ببینید.", "Type your PIN again until you see your usual picture."
    ),
    "error.finger": Words(
        "اثر انگشت شناخته نشد؛ دوباره یا با رمز ورود.", "Fingerprint not recognised; retry, or use your app PIN."
    ),
    "error.no_prf": Words(
        "اثر انگشت این دستگاه رمز را نگه نمی‌دارد؛ با رمز ورود ادامه دهید.",
        "This device’s fingerprint can’t protect the PIN; go on with your app PIN.",
    ),
    "error.camera": Words(
        "به دوربین دسترسی نیست؛ عکس را انتخاب کنید یا مبلغ و پایانه را بنویسید.",
        "No access to the camera; choose a picture, or type amount and terminal.",
    ),
    "error.qr_none": Words("در این عکس کد QR پیدا نشد.", "There’s no QR code in this picture."),
    "error.qr_foreign": Words("این کد QR برای رمزنگار نیست.", "This QR code isn’t for Ramznegar."),
    "error.total": Words("مبلغ را به ریال و با رقم بنویسید.", "Type the amount in Rial, in digits."),
    "error.terminal": Words("شمارهٔ پایانه تا ۸ رقم یا حرف است.", "A terminal number has up to 8 digits or letters."),
    "error.destination": Words(
        "دست‌کم ۸ رقم آخر کارت مقصد را بنویسید.", "Type at least the last 8 digits of the destination card."
    ),
    "error.ceiling": Words("مبلغی تا سقف بانک بنویسید.", "Type an amount up to the bank’s limit."),
    "error.no_card": Words("کارتی در برنامه نیست.", "There is no card in the app."),
}

WORDS = {**_FRAME, **_START, **CODES, **SETTINGS, **HELP, **_ERRORS}


def say(key: str, language: Language) -> str:
    """Return a sentence, its values still open; KeyError for a key that is not in the table."""
    words = WORDS[key]
    return words.fa if language == "fa" else words.en
