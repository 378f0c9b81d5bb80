"""Every sentence a customer can read on the payment page, by key, in Persian and English.

A failure says what happened, whether money was taken and what to do now. ``{name}`` marks a value; both languages
carry the same ones (a test compares them). Which key a result has is the table in :mod:`gateway.web.outcomes`.
"""

from __future__ import annotations

from foundation.persian import Language
from gateway.web.balance_words import BALANCES
from gateway.web.bill_words import BILLS
from gateway.web.card_words import FORM, PAGE
from gateway.web.top_up_words import TOP_UPS
from gateway.web.transfer_words import TRANSFERS
from gateway.web.words import ISSUER, NOT_TAKEN, Words
from gateway.web.words import free as _free


def say(key: str, language: Language, **values: object) -> str:
    """Return the sentence of ``key`` with its values filled in; KeyError for a key that is not in the table."""
    words = WORDS[key]
    return (words.fa if language == "fa" else words.en).format(**values)


_FRAME = {
    "brand": Words("درگاه پویا", "Pooya Gateway"),
    "skip": Words("رفتن به محتوای اصلی", "Skip to main content"),
    "sandbox": Words("محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود", "Test environment – no money moves"),
    "other_language": Words("English", "فارسی"),
    "first_pin": Words(
        "این صفحه هرگز رمز اول کارت را نمی‌پرسد. پیش از پرداخت، نشانی بالای مرورگر را ببینید.",
        "This page never asks for your first (ATM) PIN. Check the address bar before you pay.",
    ),
    "title.error": Words("خطا: {title}", "Error: {title}"),
    "title": Words("{title} – درگاه پویا", "{title} – Pooya Gateway"),
    "rial": Words("ریال", "Rial"),
}

_PIN = {
    "pin.sent": Words(
        "رمز پویا پیامک شد. پیام بانک را بخوانید و رمز را این‌جا بنویسید.",
        "The dynamic PIN was sent by SMS. Read the bank’s message and enter the code here.",
    ),
    "pin.sent.proven": Words(
        "رمز به شماره‌ای که به {tail} ختم می‌شود پیامک شد و {seconds} ثانیه اعتبار دارد.",
        "Code sent to the number ending in {tail}; valid for {seconds} seconds.",
    ),
    "pin.accepted": Words(
        "درخواست پذیرفته شد. اگر این کارت رمز پویا داشته باشد، بانک رمز را به موبایل صاحب کارت پیامک می‌کند.",
        "Request accepted. If this card has a dynamic PIN, its bank texts the code to the cardholder’s mobile.",
    ),
    "pin.already_sent": Words(
        "رمز همین پرداخت چند لحظه پیش فرستاده شده و هنوز معتبر است؛ همان را وارد کنید.",
        "The code for this payment was sent a moment ago and is still valid; use that one.",
    ),
    "pin.delivery.queued": Words("پیامک در راه است.", "The SMS is on its way."),
    "pin.delivery.accepted": Words("پیامک فرستاده شد؛ به‌زودی می‌رسد.", "The SMS is sent and should arrive soon."),
    "pin.delivery.not_sent": Words(
        "پیامک ارسال نشد؛ دوباره رمز بخواهید.", "The SMS was not sent; ask for the code again."
    ),
    "pin.card_not_found": Words("کارتی با این شماره پیدا نشد.", "We couldn’t find this card."),
    "pin.card_blocked": _free(
        "بانک این کارت را مسدود کرده است؛ با بانک تماس بگیرید.", "Your bank has blocked this card; contact them."
    ),
    "pin.card_data_mismatch": Words("مشخصات کارت با هم نمی‌خواند.", "The card details don’t match."),
    "pin.no_mobile": _free(
        "برای این کارت شمارهٔ موبایلی ثبت نشده است. شماره را در خودپرداز یا شعبهٔ بانک ثبت کنید یا کارت دیگری وارد کنید.",
        "No mobile is registered for this card. Register it at an ATM or branch of your bank, or use another card.",
    ),
    "pin.dynamic_pin_not_active": Words(
        "رمز پویای این کارت فعال نیست؛ آن را در خودپرداز یا برنامهٔ بانک فعال کنید. "
        "اگر کارت هدیه است، رمز دوم ثابت همان کارت را وارد کنید.",
        "Dynamic PIN isn’t active on this card; activate it at an ATM or in your bank’s app. "
        "On a gift card, enter the static second PIN that came with it.",
    ),
    "pin.too_soon": Words(
        "تازه رمز فرستاده‌ایم؛ {seconds} ثانیهٔ دیگر دوباره بخواهید.", "We’ve just sent one; try again in {seconds} s."
    ),
    "pin.too_many_requests": Words(
        "برای این کارت بیش از اندازه رمز خواسته شد؛ ساعتی دیگر یا با کارت دیگری امتحان کنید.",
        "Too many codes were requested for this card; try later or use another card.",
    ),
    "pin.too_many_unproven": Words(
        "تنها با شمارهٔ این کارت دیگر نمی‌توان رمز خواست. CVV2 و تاریخ انقضا را هم وارد کنید و دوباره رمز بخواهید.",
        "No more codes go out for this card’s number alone. Enter CVV2 and expiry too, then ask again.",
    ),
    "pin.too_many_live_codes": Words(
        "چند رمز این کارت هنوز معتبر است؛ پس از دو دقیقه دوباره بخواهید.",
        "Several codes of this card are still valid; ask again in two minutes.",
    ),
    "pin.temporarily_unavailable": _free(
        "بانک صادرکننده اکنون پاسخ نمی‌دهد. چند دقیقهٔ دیگر یا با کارت بانک دیگری امتحان کنید.",
        "The issuing bank isn’t answering. Try in a few minutes or use another bank’s card.",
    ),
    "pin.not_accepted": _free(
        "بانک درخواست رمز را نپذیرفت. با کارت دیگری امتحان کنید یا با بانک تماس بگیرید.",
        "The bank didn’t accept the request. Try another card or contact your bank.",
    ),
    "pin.too_many_for_payment": Words(
        "برای این پرداخت دیگر نمی‌توان رمز خواست. رمزی را که دارید وارد کنید یا از اول شروع کنید.",
        "No more codes can be requested for this payment. Use the one you have, or start again.",
    ),
}

_DECLINE = {
    "decline.card_or_code_wrong": _free(
        "مشخصات کارت یا رمز پویا درست نیست.", "The card details or the dynamic PIN are not right."
    ),
    "tries.left": Words(
        "{count} بار دیگر می‌توانید امتحان کنید؛ CVV2 و رمز را دوباره وارد کنید.",
        "Tries left: {count}. Enter CVV2 and the PIN again.",
    ),
    "tries.none": Words(
        "دفعات مجاز این پرداخت تمام شد؛ به فروشگاه برگردید و دوباره شروع کنید.",
        "This payment has no tries left; return to the shop and start again.",
    ),
    "decline.code_expired": _free(
        "اعتبار این رمز تمام شده است. رمز تازه بخواهید.", "This code has expired. Ask for a new one."
    ),
    "decline.code_used": _free(
        "این رمز یک بار استفاده شده است. برای این پرداخت رمز تازه بخواهید.",
        "This code was already used. Ask for a new one.",
    ),
    "decline.code_of_other_payment": _free(
        "این رمز برای مبلغ یا پذیرندهٔ دیگری است. رمز همین پرداخت را بخواهید؛ "
        "اگر خودتان آن را نخواسته‌اید، به بانک خبر دهید.",
        "This code is for another amount or merchant. Ask for a code for this payment; "
        "if you didn’t request it, tell your bank.",
    ),
    "decline.pin_required": _free(
        "برای این مبلغ رمز پویا لازم است. «درخواست رمز پویا» را بزنید.",
        "This amount needs a dynamic PIN. Press “Send dynamic PIN”.",
    ),
    "decline.pin_tries_exceeded": _free(
        "رمز چند بار نادرست بود و بانک برای حفاظت از حساب، این کارت را موقتاً بست. با کارت دیگری بپردازید.",
        "The code was wrong several times, so the bank has paused this card to protect you. Use another card.",
    ),
    "decline.card_restricted": _free(
        "بانک پرداخت با این کارت را اجازه نداد؛ با بانک تماس بگیرید یا با کارت دیگری بپردازید.",
        "The bank doesn’t allow this card to pay; contact them or use another card.",
    ),
    "decline.no_account": _free(
        "حسابی برای این کارت پیدا نشد؛ با کارت دیگری بپردازید.", "No account was found for this card; use another card."
    ),
    "decline.not_enough_balance": _free(
        "موجودی کارت برای این پرداخت کافی نیست. با کارت دیگری بپردازید یا موجودی را بیشتر کنید و رمز تازه بخواهید.",
        "Not enough balance for this payment. Use another card, or top up and ask for a new code.",
    ),
    "decline.limit_exceeded": _free(
        "از سقف پرداخت این کارت بیشتر است؛ با کارت دیگری بپردازید یا فردا دوباره امتحان کنید.",
        "Over this card’s limit; use another card or try tomorrow.",
    ),
    "decline.above_code_ceiling": _free(
        "از سقف این رمز بیشتر است؛ در رمزنگار «رمز ویژهٔ این خرید» را بزنید یا «درخواست رمز پویا» را.",
        "Above this code’s ceiling; choose “Code for this purchase” in Ramznegar, or press “Send dynamic PIN”.",
    ),
    "decline.above_static_ceiling": _free(
        "رمز دوم ثابت هر کارت روزی حداکثر ۱٬۰۰۰٬۰۰۰ ریال می‌پردازد؛ برای این مبلغ «درخواست رمز پویا» را بزنید.",
        "A card’s static second PIN pays at most 1,000,000 Rial a day; for this amount, press “Send dynamic PIN”.",
    ),
    "decline.too_often": _free(
        "این کارت امروز بیش از اندازه به کار رفته است؛ با کارت دیگری بپردازید.",
        "This card was used too often today; use another card.",
    ),
    "decline.amount_refused": _free("بانک این مبلغ را نپذیرفت.", "The bank didn’t accept this amount."),
    "decline.refused_by_issuer": _free(
        "بانک این پرداخت را نپذیرفت؛ با کارت دیگری امتحان کنید یا با بانک تماس بگیرید.",
        "The bank refused this payment; try another card or contact them.",
    ),
    "decline.issuer_unavailable": _free(
        "بانک صادرکننده اکنون پاسخ نمی‌دهد. چند دقیقهٔ دیگر یا با کارت بانک دیگری امتحان کنید.",
        "The issuing bank isn’t available. Try in a few minutes or use another bank’s card.",
    ),
    "decline.not_possible_here": _free(
        "این پرداخت با این کارت این‌جا شدنی نیست؛ با کارت دیگری امتحان کنید.",
        "This card can’t make this payment here; try another card.",
    ),
}

_OUTCOME = {
    "waiting.title": Words("در انتظار پاسخ بانک", "Waiting for the bank"),
    "waiting.text": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم. دوباره پرداخت نکنید. نتیجه همین‌جا می‌آید؛ "
        "اگر پرداخت کامل نشود، پول خودکار به کارت برمی‌گردد.",
        "We’re still waiting for the bank. Don’t pay again. The result will appear here; "
        "if the payment fails, any money returns to the card automatically.",
    ),
    "unknown.title": Words("نتیجه هنوز معلوم نیست", "Outcome not known yet"),
    "unknown.text": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم و همچنان پیگیری می‌کنیم. دوباره پرداخت نکنید. "
        "تا ساعت {at} به وقت تهران نتیجه همین‌جا می‌آید؛ اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "We’re still waiting for the bank and keep asking. Don’t pay again. The result will appear here by {at}, "
        "Tehran time; if the payment fails, any money returns automatically.",
    ),
    "overdue.title": Words("نتیجه هنوز نامعلوم است", "The outcome is still not known"),
    "overdue.text": Words(
        "پاسخ بانک تا ساعت {at} به وقت تهران که گفته بودیم نرسید و همکاران ما خبر دارند. دوباره پرداخت نکنید؛ "
        "پیگیری ادامه دارد و اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "The bank has not answered by {at}, Tehran time, as we promised, and our staff have been alerted. Don’t pay "
        "again; we keep asking, and if the payment fails, any money returns automatically.",
    ),
    "attempt.voided": _free(
        "بانک به تلاش پیشین پاسخ نداد و آن تلاش باطل شد. می‌توانید دوباره پرداخت کنید.",
        "The bank did not answer your last attempt, so it was undone. You can pay again.",
    ),
    "watching": Words(
        "این صفحه خودکار تازه می‌شود و نتیجه را همین‌جا نشان می‌دهد.", "This page keeps asking and shows the result here."
    ),
    "refresh": Words("بررسی دوباره", "Check again"),
    "receipt.title": Words("پرداخت انجام شد", "Payment complete"),
    "receipt.text": Words(
        "به فروشگاه برگردید تا سفارش کامل شود. اگر فروشگاه آن را تأیید نکند، پول خودکار به کارت برمی‌گردد.",
        "Go back to the shop to complete the order. If the shop doesn’t confirm it, the money returns automatically.",
    ),
    "card": Words("کارت", "Card"),
    "issuer": Words("بانک صادرکننده", "Issuing bank"),
    "rrn": Words("شماره مرجع", "Reference no."),
    "tracking": Words("کد پیگیری", "Tracking code"),
    "when": Words("زمان", "Time"),
    "print": Words("چاپ رسید", "Print receipt"),
    "pdf": Words("دریافت PDF", "Get PDF"),
    "pdf.hint": Words(
        "برای PDF، در پنجرهٔ چاپ «ذخیره به‌صورت PDF» را برگزینید.", "For a PDF, choose “Save as PDF” in the print window."
    ),
    "copy": Words("کپی", "Copy"),
    "copied": Words("کپی شد", "Copied"),
    "receipt.check": Words("بررسی اصالت این رسید", "Check that this receipt is genuine"),
    "return": Words("بازگشت به فروشگاه", "Return to shop"),
    "return.in": Words("تا {seconds} ثانیهٔ دیگر به فروشگاه برمی‌گردید.", "Returning to the shop in {seconds} s."),
    "return.stay": Words("همین‌جا می‌مانم", "Stay here"),
    "cancelled.title": Words("پرداخت را لغو کردید", "You cancelled the payment"),
    "cancelled.text": _free("می‌توانید به فروشگاه برگردید.", "You can return to the shop."),
    "expired.title": Words("زمان این پرداخت تمام شد", "This payment timed out"),
    "expired.text": Words(
        f"{NOT_TAKEN.fa} به فروشگاه برگردید و دوباره شروع کنید.",
        f"{NOT_TAKEN.en} Return to the shop and start again.",
    ),
    "reversing.title": Words("پول به کارت شما برمی‌گردد", "Your money is on its way back"),
    "reversing.text": Words(
        "این پرداخت در حال برگشت است؛ لازم نیست کاری بکنید.",
        "This payment is being reversed. You need do nothing.",
    ),
    "disputed.title": Words("برگشت پول به درازا کشیده است", "Your money’s return is taking longer"),
    "disputed.text": Words(
        "بانک هنوز تأیید نکرده که پول به کارت برگشته است. همکاران ما خبر دارند و آن را با بانک پیگیری می‌کنند. "
        "اگر پرسشی دارید، کد پیگیری زیر را به بانک صادرکنندهٔ کارت یا به پذیرنده بگویید.",
        "The bank has not confirmed yet that the money is back on the card. Our staff have been alerted and are "
        "settling it with the bank. For questions, tell your card’s bank or the merchant the tracking code below.",
    ),
    "reversed.title": Words("پول به کارت شما برگشت", "Your money was returned"),
    "reversed.text": Words("همهٔ مبلغ این پرداخت به کارت برگردانده شد.", "The whole amount was returned to the card."),
    "missing.title": Words("چنین پرداختی پیدا نشد", "No such payment"),
    "missing.text": Words(
        "نشانی صفحه درست نیست. از فروشگاه دوباره شروع کنید.", "The page’s address isn’t right. Restart from the shop."
    ),
    "unavailable.title": Words("مشکلی از سمت ما پیش آمد", "Something went wrong on our side"),
    "unavailable.text": Words(
        "اگر دکمهٔ پرداخت را زده‌اید، دوباره پرداخت نکنید؛ چند لحظهٔ دیگر دوباره بررسی کنید تا نتیجه را ببینید. "
        "اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "If you already pressed Pay, don’t pay again: check again in a moment to see the result. "
        "If the payment isn’t completed, any money returns automatically.",
    ),
    "trace": Words("کد خطا:", "Error ref:"),
    "flooded.title": Words("چند لحظه صبر کنید", "Please wait a moment"),
    "flooded.text": Words(
        "از این نشانی اینترنتی درخواست‌های زیادی رسیده است. یک دقیقهٔ دیگر دوباره بررسی کنید. "
        "اگر دکمهٔ پرداخت را زده‌اید، تا نتیجه را ندیده‌اید دوباره پرداخت نکنید؛ "
        "اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "Too many requests came from this internet address. Check again in a minute. "
        "If you already pressed Pay, don’t pay again before you have seen the result; "
        "if the payment isn’t completed, any money returns automatically.",
    ),
    "check.title": Words("این پرداخت نزد ما ثبت شده است", "This payment is on our records"),
    "check.reversing.title": Words(
        "این پرداخت ثبت شده، ولی پول آن در حال برگشت است", "On our records, but the money is being returned"
    ),
    "check.reversed.title": Words(
        "این پرداخت ثبت شده، ولی پول آن برگشته است", "On our records, but the money was returned"
    ),
    "check.compare": Words(
        "این‌ها را با رسیدی که در دست دارید مقایسه کنید؛ اگر فرق دارند، آن رسید دستکاری شده است.",
        "Compare this with the receipt you were shown; if it differs, that receipt was altered.",
    ),
    "check.missing.title": Words("رسیدی با این کد نیست", "There is no receipt with this code"),
    "check.missing.text": Words("کد پیگیری را با رسید مقایسه کنید.", "Compare the tracking code with the receipt."),
}

WORDS: dict[str, Words] = {
    **_FRAME,
    **PAGE,
    **FORM,
    **_PIN,
    **ISSUER,
    **_DECLINE,
    **_OUTCOME,
    **BILLS,
    **TRANSFERS,
    **BALANCES,
    **TOP_UPS,
}
