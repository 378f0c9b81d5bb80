"""What the page for mobile top-ups says."""

from __future__ import annotations

from gateway.web.words import Words
from gateway.web.words import free as _free

TOP_UPS = {
    "top_up.title": Words("شارژ تلفن همراه", "Mobile top-up"),
    "top_up.text": Words(
        "شارژ مستقیم می‌شود و پیامک آن به همان شماره می‌رسد.",
        "The number is topped up directly; its operator sends it a text.",
    ),
    "top_up.mobile": Words("شمارهٔ تلفن همراه", "Mobile number"),
    "top_up.mobile.hint": Words(
        "شمارهٔ خودتان یا کس دیگر؛ مانند ۰۹۱۲۱۲۳۴۵۶۷", "Yours or somebody else’s, e.g. 09121234567"
    ),
    "top_up.operator": Words("اپراتور", "Operator"),
    "top_up.operator.by_number": Words("از روی شماره", "Detect from the number"),
    "top_up.operator.hint": Words(
        "اگر شماره را به اپراتور دیگری ترابرد کرده‌اید، اپراتور کنونی را برگزینید.",
        "If the number was ported to another operator, choose the current one.",
    ),
    "top_up.amount": Words("مبلغ شارژ (ریال)", "Amount (Rial)"),
    "top_up.continue": Words("ادامه و پرداخت", "Continue to payment"),
    "top_up.errors.title": Words("هنوز چیزی پرداخت نشده است", "Nothing has been paid yet"),
    "top_up.mobile.number": Words(
        "شمارهٔ تلفن همراه درست نیست؛ ۰۹ و نه رقم دیگر بنویسید.", "That is no mobile number: write 09 and nine digits."
    ),
    "top_up.operator.needed": Words(
        "از پیش‌شماره نفهمیدیم این شماره از کدام اپراتور است؛ خودتان برگزینید.",
        "We couldn’t tell the operator from the number; please choose it.",
    ),
    "top_up.operator.unknown": Words("اپراتور را از فهرست برگزینید.", "Choose an operator from the list."),
    "top_up.operator.not_offered": Words(
        "شارژ این اپراتور از این درگاه ممکن نیست. اگر شماره ترابرد شده است، اپراتور کنونی را برگزینید.",
        "This operator’s numbers can’t be topped up here. If the number was ported, choose the current operator.",
    ),
    "top_up.amount.not_sold": Words("یکی از مبلغ‌های فهرست را برگزینید.", "Choose one of the amounts in the list."),
    "top_up.number": Words("شمارهٔ شارژشونده", "Number to top up"),
    "top_up.reference": Words("شمارهٔ پیگیری اپراتور", "Operator’s reference"),
    "top_up.check": Words(
        "شماره و اپراتور را با دقت ببینید؛ شارژ انجام‌شده را نمی‌توان پس گرفت.",
        "Check number and operator carefully: a delivered top-up can’t be taken back.",
    ),
    "pay.title@TOP_UP": Words("پرداخت و شارژ", "Pay and top up"),
    "pay.alike@TOP_UP": Words(
        "{minutes} دقیقه پیش همین شماره را به همین مبلغ شارژ کرده‌اید. باز هم شارژ شود؟",
        "You topped up this number by the same amount {minutes} min ago. Top up again?",
    ),
    "sms.text@TOP_UP": Words(
        "شارژ · {payee} · {amount} ریال", "\u2068شارژ\u2069 (top-up) · \u2068{payee}\u2069 · {amount} Rial"
    ),
    "sms.warning@TOP_UP": Words(
        "اگر مبلغ یا شماره فرق داشت، رمز را وارد نکنید.", "If amount or number differ, don’t enter the code."
    ),
    "summary.title@TOP_UP": Words("خلاصهٔ شارژ", "Your top-up"),
    "cancel@TOP_UP": Words("انصراف", "Cancel"),
    "return@TOP_UP": Words("بازگشت", "Return"),
    "waiting.text@TOP_UP": Words(
        "پول برداشته شده یا در حال برداشت است و شارژ را از اپراتور خواسته‌ایم. دوباره پرداخت نکنید. نتیجه همین‌جا می‌آید؛ "
        "اگر شارژ نشود، پول خودکار به کارت برمی‌گردد.",
        "The money was taken or is being taken, and the operator was asked to top up. Don’t pay again. The result "
        "will appear here; if it isn’t topped up, the money returns to the card automatically.",
    ),
    "waiting.title@TOP_UP": Words("شارژ در راه است", "The top-up is under way"),
    "receipt.title@TOP_UP": Words("شماره شارژ شد", "Topped up"),
    "reversing.text@TOP_UP": Words(
        "شارژ انجام نشد و پول به کارت برمی‌گردد. لازم نیست کاری بکنید.",
        "The number was not topped up, and the money is going back to the card. You need do nothing.",
    ),
    "reversed.text@TOP_UP": Words(
        "شارژ انجام نشد و همهٔ مبلغ به کارت برگشت.",
        "The number was not topped up; the whole amount is back on the card.",
    ),
    "tries.none@TOP_UP": Words(
        "دفعات مجاز این شارژ تمام شد؛ دوباره از اول شروع کنید.",
        "This top-up has no tries left; please start again.",
    ),
    "cancelled.text@TOP_UP": _free("شماره شارژ نشد.", "The number was not topped up."),
    "expired.text@TOP_UP": _free("دوباره شروع کنید.", "Please start again."),
}
"""Key → words; ``<key>@<kind>`` is said in place of ``<key>``."""
