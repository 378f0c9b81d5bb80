"""What the pages for a card's balance say."""

from __future__ import annotations

from gateway.web.words import Words
from gateway.web.words import free as _free

BALANCES = {
    "balance.title": Words("مانده‌گیری", "Card balance"),
    "balance.text": Words(
        "با رمز پویای بانک می‌بینید در کارتتان چقدر پول هست. مانده را فقط یک بار و فقط به شما نشان می‌دهیم "
        "و جایی نگه نمی‌داریم.",
        "With your bank’s dynamic PIN you see how much is on your card. We show the balance once, to you alone, "
        "and keep it nowhere.",
    ),
    "balance.free": Words("رایگان", "Free"),
    "balance.fee": Words(
        "کارمزد این پرسش {amount} ریال است و از همین کارت برداشته می‌شود.",
        "This inquiry costs {amount} Rial, taken from the same card.",
    ),
    "balance.continue": Words("ادامه", "Continue"),
    "balance.now": Words("ماندهٔ کارت شما", "Your card’s balance"),
    "balance.overdrawn": Words("بدهی کارت شما", "Your card is overdrawn by"),
    "balance.once": Words(
        "این صفحه را ببندید یا ترک کنید، مانده دیگر نمایش داده نمی‌شود.",
        "Once you close or leave this page, the balance is not shown again.",
    ),
    "balance.gone.title": Words("مانده یک بار نمایش داده شد", "The balance was shown once"),
    "balance.gone.text": Words(
        "مانده را نگه نمی‌داریم و دوباره نمی‌توانیم نشان دهیم. اگر آن را ندیدید، دوباره بپرسید.",
        "We keep no balance and cannot show it again. If you missed it, please ask once more.",
    ),
    "balance.again": Words("پرسیدن دوباره", "Ask again"),
    "pay@BALANCE_INQUIRY": Words("نمایش مانده", "Show the balance"),
    "pay.title@BALANCE_INQUIRY": Words("مانده‌گیری", "Card balance"),
    "sms.text@BALANCE_INQUIRY": Words(
        "مانده‌گیری · {payee}", "\u2068مانده‌گیری\u2069 (balance inquiry) · \u2068{payee}\u2069"
    ),
    "sms.warning@BALANCE_INQUIRY": Words(
        "اگر پیامک از خرید یا انتقال می‌گوید، رمز را وارد نکنید.",
        "If the SMS speaks of a purchase or a transfer, don’t enter the code.",
    ),
    "summary.title@BALANCE_INQUIRY": Words("پرسش شما", "Your inquiry"),
    "summary.amount@BALANCE_INQUIRY": Words("کارمزد", "Fee"),
    "cancel@BALANCE_INQUIRY": Words("انصراف", "Cancel"),
    "return@BALANCE_INQUIRY": Words("بازگشت", "Return"),
    "errors.title@BALANCE_INQUIRY": Words(
        "هنوز پرسیده نشده است؛ این موارد را درست کنید", "Not asked yet; please fix the following"
    ),
    "declined.title@BALANCE_INQUIRY": Words("بانک مانده را اعلام نکرد", "The bank did not give the balance"),
    "tries.none@BALANCE_INQUIRY": Words(
        "دفعات مجاز این پرسش تمام شد؛ دوباره از اول شروع کنید.",
        "This inquiry has no tries left; please start again.",
    ),
    "decline.above_static_ceiling@BALANCE_INQUIRY": _free(
        "رمز دوم ثابت مانده را نشان نمی‌دهد؛ «درخواست رمز پویا» را بزنید.",
        "A static second PIN tells no balance; press “Send dynamic PIN”.",
    ),
    "attempt.voided@BALANCE_INQUIRY": _free(
        "بانک به پرسش پیشین پاسخ نداد و آن پرسش باطل شد. می‌توانید دوباره بپرسید.",
        "The bank did not answer your last inquiry, so it was undone. You can ask again.",
    ),
    "watching@BALANCE_INQUIRY": Words("این صفحه خودکار تازه می‌شود.", "This page keeps itself up to date."),
    "waiting.text@BALANCE_INQUIRY": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم و نمی‌دانیم چه شد. اگر پاسخ نرسد، مانده نمایش داده نمی‌شود "
        "و اگر کارمزدی برداشته شده باشد خودکار برمی‌گردد.",
        "We have no answer from the bank yet and don’t know what became of it. Without an answer no balance is shown, "
        "and any fee taken returns automatically.",
    ),
    "unknown.text@BALANCE_INQUIRY": Words(
        "بانک پاسخ نداد و نمی‌دانیم پرسش شما به آن رسیده است یا نه. مانده را دیگر نمی‌توانیم نشان دهیم؛ "
        "اگر کارمزدی برداشته شده باشد تا ساعت {at} به وقت تهران برمی‌گردد. می‌توانید دوباره بپرسید.",
        "The bank did not answer, and we don’t know whether your inquiry reached it. We can no longer show "
        "the balance; any fee taken returns by {at}, Tehran time. You may ask again.",
    ),
    "overdue.text@BALANCE_INQUIRY": Words(
        "پاسخ بانک تا ساعت {at} به وقت تهران که گفته بودیم نرسید و همکاران ما خبر دارند. "
        "اگر کارمزدی برداشته شده باشد، خودکار برمی‌گردد.",
        "The bank has not answered by {at}, Tehran time, as we promised, and our staff have been alerted. Any fee "
        "taken returns automatically.",
    ),
    "cancelled.title@BALANCE_INQUIRY": Words("پرسش را لغو کردید", "You cancelled the inquiry"),
    "cancelled.text@BALANCE_INQUIRY": _free("چیزی پرسیده نشد.", "Nothing was asked."),
    "expired.title@BALANCE_INQUIRY": Words("زمان این پرسش تمام شد", "This inquiry timed out"),
    "expired.text@BALANCE_INQUIRY": _free("دوباره شروع کنید.", "Please start again."),
    "reversing.title@BALANCE_INQUIRY": Words("پاسخ بانک نرسید", "The bank’s answer was lost"),
    "reversing.text@BALANCE_INQUIRY": Words(
        "بانک پاسخ داده بود ولی به ما نرسید و مانده را نمی‌دانیم. اگر کارمزدی برداشته شده باشد برمی‌گردد.",
        "The bank answered but the answer never reached us, so we don’t know the balance. "
        "Any fee taken is being returned.",
    ),
    "disputed.title@BALANCE_INQUIRY": Words("پاسخ بانک نرسید", "The bank’s answer was lost"),
    "disputed.text@BALANCE_INQUIRY": Words(
        "بانک پاسخ داده بود ولی به ما نرسید و هنوز تأیید نکرده که کارمزد برگشته است. اگر کارمزدی برداشته شده باشد، "
        "همکاران ما برگشتش را با بانک پیگیری می‌کنند.",
        "The bank’s answer never reached us, and it has not confirmed yet that any fee is back. If one was taken, our "
        "staff are settling its return with the bank.",
    ),
    "reversed.title@BALANCE_INQUIRY": Words("مانده اعلام نشد", "The balance is not available"),
    "reversed.text@BALANCE_INQUIRY": Words(
        "پاسخ بانک به ما نرسید. اگر کارمزدی برداشته شده بود برگشت؛ می‌توانید دوباره بپرسید.",
        "The bank’s answer never reached us. Any fee taken was returned; you may ask again.",
    ),
}
"""Key → words; ``<key>@<kind>`` is said in place of ``<key>``."""
