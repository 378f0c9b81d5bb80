"""Questions people have, and their answers."""

from __future__ import annotations

from otp.ramznegar.words import Words

HELP = {
    "help": Words("راهنما", "Help"),
    "help.where": Words("رمز را کجا بنویسم؟", "Where do I type the code?"),
    "help.where.text": Words(
        "در صفحهٔ پرداخت، همان خانهٔ «رمز پویا (رمز دوم)». لازم نیست «درخواست رمز پویا» را بزنید.",
        "In the payment page’s field “Dynamic PIN”. There is no need to press “Send dynamic PIN”.",
    ),
    "help.which": Words("رمز اول یا رمز دوم؟", "First or second PIN?"),
    "help.which.text": Words(
        "رمز دوم برای خرید اینترنتی است و رمز اول برای خودپرداز و پایانهٔ فروش. هر رمز فقط یک بار پذیرفته می‌شود.",
        "The second PIN is for online purchases, the first for ATMs and shop terminals. Each code is accepted once.",
    ),
    "help.bound": Words("«رمز ویژهٔ این خرید» چیست؟", "What is a “code for this purchase”?"),
    "help.bound.text": Words(
        "رمزی است که فقط برای همان مبلغ و همان فروشگاه کار می‌کند؛ اگر لو برود به کار دیگری نمی‌آید. سقف هم ندارد.",
        "A code that works for that amount and that shop only: stolen, it is of no other use, and it has no ceiling.",
    ),
    "help.wrong": Words("چرا رمز پذیرفته نشد؟", "Why wasn’t my code accepted?"),
    "help.wrong.text": Words(
        "اگر تصویر همیشگی را نمی‌بینید، رمز ورود اشتباه بوده است. رمزِ به‌کاررفته دوباره پذیرفته نمی‌شود؛ "
        "یک دقیقه صبر کنید. شاید هم مبلغ از سقف هر رمز بیشتر است.",
        "If the picture isn’t the usual one, your app PIN was mistyped. A used code isn’t taken again: wait a minute. "
        "Or the amount is above the ceiling per code.",
    ),
    "help.pin": Words("رمز ورود را فراموش کرده‌ام.", "I forgot my app PIN."),
    "help.pin.text": Words(
        "رمز ورود هیچ‌جا نگه‌داری نمی‌شود. برنامه را از تنظیمات حذف کنید، در خودپرداز دوباره فعال کنید و رمز تازه بسازید.",
        "It is stored nowhere. Remove the app in its settings, activate again at an ATM and choose a new one.",
    ),
    "help.offline": Words("بدون اینترنت چه کار می‌کند؟", "What works offline?"),
    "help.offline.text": Words(
        "هر سه رمز، و خواندن کد QR. افزودن کارت، تغییر سقف و تغییر رمز ورود اینترنت می‌خواهد.",
        "All three codes, and scanning. Adding cards, ceilings and a new app PIN need the network.",
    ),
    "help.lost": Words("گوشی گم شد.", "I lost my phone."),
    "help.lost.text": Words(
        "از دستگاه دیگر خود یا در خودپرداز آن را حذف کنید. یابنده بدون رمز ورود نمی‌تواند رمز درست بسازد.",
        "Remove it from another device of yours or at an ATM. Without your app PIN a finder can’t make right codes.",
    ),
    "help.clock": Words("ساعت گوشی درست نیست.", "My phone’s clock is wrong."),
    "help.clock.text": Words(
        "رمزنگار با هر تماس، اختلاف ساعت با بانک را یاد می‌گیرد و رمزها را با ساعت بانک می‌سازد. "
        "اگر ساعت را دستی عوض کردید، یک بار با اینترنت بازش کنید.",
        "At each contact Ramznegar learns the difference and makes codes by the bank’s clock. "
        "If you changed the clock by hand, open it once with a network.",
    ),
}
