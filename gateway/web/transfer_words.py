"""What the page for card-to-card transfers says."""

from __future__ import annotations

from gateway.web.words import Words
from gateway.web.words import free as _free

TRANSFERS = {
    "transfer.title": Words("کارت به کارت", "Card to card"),
    "transfer.text": Words(
        "پیش از برداشت پول، نام صاحب کارت مقصد و کارمزد را نشان می‌دهیم.",
        "Before any money moves we show you the destination’s holder and the fee.",
    ),
    "transfer.pan": Words("کارت شما (مبدأ)", "Your card (source)"),
    "transfer.destination": Words("کارت مقصد", "Destination card"),
    "transfer.amount": Words("مبلغ (ریال)", "Amount (Rial)"),
    "transfer.amount.hint": Words(
        "از ۱۰٬۰۰۰ تا ۵۰٬۰۰۰٬۰۰۰ ریال در هر انتقال", "10,000 to 50,000,000 Rial per transfer"
    ),
    "transfer.continue": Words("ادامه", "Continue"),
    "transfer.errors.title": Words("هنوز چیزی منتقل نشده است", "Nothing has been transferred yet"),
    "transfer.amount.toman": Words("{toman} تومان", "{toman} toman"),
    "transfer.amount.form": Words("مبلغ را به ریال و با رقم بنویسید.", "Enter the amount in Rial, in digits."),
    "transfer.limit.least": Words(
        "کمترین مبلغ هر انتقال ۱۰٬۰۰۰ ریال است.", "The least one transfer takes is 10,000 Rial."
    ),
    "transfer.limit.most": Words(
        "بیشترین مبلغ هر انتقال ۵۰٬۰۰۰٬۰۰۰ ریال است.", "The most one transfer takes is 50,000,000 Rial."
    ),
    "transfer.limit.day": Words(
        "با این انتقال از سقف روزانهٔ این کارت می‌گذرید؛ مبلغ کمتری بفرستید یا تا فردا صبر کنید.",
        "This would pass the card’s daily limit; send less, or wait until tomorrow.",
    ),
    "transfer.limit.count": Words(
        "امروز با این کارت بیش از این نمی‌توان انتقال داد.", "This card has made as many transfers today as it may."
    ),
    "transfer.limit.destination": Words(
        "امروز از این کارت سه بار به همین مقصد پول فرستاده شده است؛ بیش از این نمی‌شود.",
        "This card has sent money to that card three times today, which is the most.",
    ),
    "transfer.limit.now": _free(
        "امروز با این کارت نمی‌توان این مبلغ را به این مقصد فرستاد؛ مبلغ کمتری بفرستید یا تا فردا صبر کنید.",
        "This card can’t send this amount to that card today; send less, or wait until tomorrow.",
    ),
    "transfer.destination.length": Words("شمارهٔ کارت مقصد ۱۶ رقم دارد.", "A destination card number has 16 digits."),
    "transfer.destination.luhn": Words(
        "شمارهٔ کارت مقصد درست نیست؛ یک رقم اشتباه یا جابه‌جاست.",
        "The destination card number isn’t right: a digit is wrong or swapped.",
    ),
    "transfer.destination.same": Words("کارت مبدأ و مقصد یکی است.", "Source and destination are the same card."),
    "transfer.destination.unknown_issuer": Words(
        "بانک کارت مقصد به این درگاه متصل نیست.", "The destination’s bank isn’t connected to this gateway."
    ),
    "transfer.destination.real": Words(
        "این یک کارت واقعی است؛ در محیط آزمایشی فقط کارت آزمایشی پذیرفته می‌شود.",
        "That is a real card; only test cards work in this sandbox.",
    ),
    "transfer.destination.refused": Words(
        "بانک مقصد این کارت را برای دریافت پول نمی‌پذیرد؛ شماره را دوباره ببینید.",
        "The destination’s bank doesn’t take money for this card; check the number.",
    ),
    "transfer.destination.unavailable": _free(
        "بانک مقصد اکنون پاسخ نمی‌دهد؛ چند دقیقهٔ دیگر دوباره امتحان کنید.",
        "The destination’s bank isn’t answering; try again in a few minutes.",
    ),
    "transfer.destination.gone": Words(
        "این کارت مقصد دیگر در فهرست فروشگاه نیست؛ به سایت برگردید و دوباره آغاز کنید.",
        "The shop no longer has this destination card; go back to the site and start again.",
    ),
    "transfer.picture.needed": Words(
        "امروز دربارهٔ این کارت‌ها بسیار پرسیده‌اند؛ پنج رقم تصویر یا صدا را وارد کنید و ادامه دهید.",
        "Much was asked about these cards today; enter the five digits you see or hear, then continue.",
    ),
    "transfer.too_many": Words(
        "امروز بیش از این نمی‌توان نام صاحب کارت پرسید؛ فردا دوباره امتحان کنید.",
        "No more holders’ names can be asked for today; try again tomorrow.",
    ),
    "transfer.other_card": Words(
        "با همان کارتی بپردازید که در آغاز نوشتید؛ کارمزد و مسیر برای آن کارت حساب شده است.",
        "Pay with the card you began with: fee and route were worked out for that one.",
    ),
    "transfer.stale": Words(
        "از نمایش نام صاحب کارت مقصد بیش از ۱۵ دقیقه گذشته است؛ انتقال را از نو آغاز کنید. پولی برداشت نشده است.",
        "The destination’s name was shown more than 15 minutes ago; please begin again. No money was taken.",
    ),
    "transfer.renamed": _free(
        "گیرنده در پنجرهٔ دیگری عوض شده است؛ نام زیر را ببینید و دوباره تأیید کنید.",
        "The payee was changed in another tab; check the name below and confirm again.",
    ),
    "transfer.unchecked": Words(
        "نام گیرنده را ببینید و تیک بزنید که درست است.", "Check the payee’s name and tick that it is right."
    ),
    "transfer.first.title": Words("نخستین انتقال به این کارت", "First transfer to this card"),
    "transfer.first.text": Words(
        "تاکنون با کارت شما پولی به این مقصد فرستاده نشده است. اگر کسی تلفنی یا با پیام از شما خواسته است، پیش از "
        "ادامه مطمئن شوید؛ انتقال انجام‌شده را نمی‌توان پس گرفت.",
        "Your card has never sent money there. If somebody asked you to by phone or message, make sure before you go "
        "on: a completed transfer can’t be taken back.",
    ),
    "transfer.first.tick": Words(
        "نام «\u2068{holder}\u2069» و شمارهٔ کارت را دیدم و درست است.",
        "I have checked the name “\u2068{holder}\u2069” and the card number.",
    ),
    "transfer.change": Words("تغییر کارت یا مقصد", "Change card or destination"),
    "transfer.open_until": Words("مهلت", "Open until"),
    "transfer.open_until.at": Words("تا ساعت {at} به وقت تهران", "{at}, Tehran time"),
    "transfer.asked_by": Words("درخواست‌کننده", "Asked for by"),
    "transfer.save": Words("این مقصد در «کارت‌های مقصد من» بماند", "Keep this destination in “My destination cards”"),
    "transfer.save.hint": Words(
        "پس از انتقال، «{merchant}» نام پوشیدهٔ گیرنده، بانک و چند رقم شمارهٔ کارت را می‌بیند، نه همهٔ آن را.",
        "After the transfer {merchant} sees the payee’s masked name, the bank and some digits of the card, never all.",
    ),
    "transfer.to": Words("انتقال به", "To"),
    "transfer.to_card": Words("کارت مقصد", "Destination card"),
    "transfer.to_bank": Words("بانک مقصد", "Destination bank"),
    "transfer.principal": Words("مبلغ انتقال", "Amount sent"),
    "transfer.fee": Words("کارمزد", "Fee"),
    "transfer.check": Words(
        "نام و شمارهٔ مقصد را با دقت ببینید؛ انتقال انجام‌شده را نمی‌توان پس گرفت.",
        "Check name and number carefully: a completed transfer can’t be taken back.",
    ),
    "pay@CARD_TRANSFER": Words("بله، {amount} ریال منتقل شود", "Yes, transfer {amount} Rial"),
    "pay.title@CARD_TRANSFER": Words("تأیید و انتقال", "Confirm and transfer"),
    "pay.alike@CARD_TRANSFER": Words(
        "{minutes} دقیقه پیش همین مبلغ را به همین کارت فرستاده‌اید. باز هم منتقل شود؟",
        "You sent this card the same amount {minutes} min ago. Transfer again?",
    ),
    "sms.text@CARD_TRANSFER": Words(
        "کارت به کارت · {payee} · {amount} ریال",
        "\u2068کارت به کارت\u2069 (transfer) · \u2068{payee}\u2069 · {amount} Rial",
    ),
    "sms.warning@CARD_TRANSFER": Words(
        "اگر مبلغ یا کارت مقصد فرق داشت، رمز را وارد نکنید.",
        "If amount or destination card differ, don’t enter the code.",
    ),
    "card@CARD_TRANSFER": Words("کارت مبدأ", "Source card"),
    "issuer@CARD_TRANSFER": Words("بانک مبدأ", "Source bank"),
    "waiting.text@CARD_TRANSFER": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم. دوباره منتقل نکنید. نتیجه همین‌جا می‌آید؛ "
        "اگر انتقال انجام نشود، پول خودکار به کارت شما برمی‌گردد.",
        "We’re still waiting for the bank. Don’t transfer again. The result will appear here; "
        "if the transfer fails, any money returns to your card automatically.",
    ),
    "unknown.text@CARD_TRANSFER": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم و همچنان پیگیری می‌کنیم. دوباره منتقل نکنید. "
        "تا ساعت {at} به وقت تهران نتیجه همین‌جا می‌آید؛ اگر انتقال انجام نشود، پول خودکار برمی‌گردد.",
        "We’re still waiting for the bank and keep asking. Don’t transfer again. The result will appear here by {at}, "
        "Tehran time; if the transfer fails, any money returns automatically.",
    ),
    "overdue.text@CARD_TRANSFER": Words(
        "پاسخ بانک تا ساعت {at} به وقت تهران که گفته بودیم نرسید و همکاران ما خبر دارند. دوباره منتقل نکنید؛ "
        "پیگیری ادامه دارد و اگر انتقال انجام نشود، پول خودکار برمی‌گردد.",
        "The bank has not answered by {at}, Tehran time, as we promised, and our staff have been alerted. Don’t "
        "transfer again; we keep asking, and if the transfer fails, any money returns automatically.",
    ),
    "attempt.voided@CARD_TRANSFER": _free(
        "بانک به تلاش پیشین پاسخ نداد و آن تلاش باطل شد. می‌توانید دوباره منتقل کنید.",
        "The bank did not answer your last attempt, so it was undone. You can transfer again.",
    ),
    "declined.title@CARD_TRANSFER": Words("انتقال انجام نشد", "Transfer not made"),
    "reversing.text@CARD_TRANSFER": Words(
        "انتقال انجام نشد و پول در حال برگشت به کارت شماست. لازم نیست کاری بکنید.",
        "The transfer was not made, and the money is on its way back to your card. You need do nothing.",
    ),
    "reversed.text@CARD_TRANSFER": Words(
        "انتقال انجام نشد و همهٔ مبلغ به کارت شما برگشت.",
        "The transfer was not made; the whole amount is back on your card.",
    ),
    "summary.title@CARD_TRANSFER": Words("خلاصهٔ انتقال", "Your transfer"),
    "cancel@CARD_TRANSFER": Words("انصراف", "Cancel"),
    "receipt.title@CARD_TRANSFER": Words("پول منتقل شد", "Money transferred"),
    "return@CARD_TRANSFER": Words("بازگشت", "Return"),
    "tries.none@CARD_TRANSFER": Words(
        "دفعات مجاز این انتقال تمام شد؛ دوباره از اول شروع کنید.",
        "This transfer has no tries left; please start again.",
    ),
    "cancelled.text@CARD_TRANSFER": _free("پولی منتقل نشد.", "No money was transferred."),
    "expired.text@CARD_TRANSFER": _free("دوباره شروع کنید.", "Please start again."),
}
"""Key → words; ``<key>@<kind>`` is said in place of ``<key>``."""
