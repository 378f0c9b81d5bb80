"""Every sentence a customer can read on the payment page, by key, in Persian and English.

A failure says what happened, whether money was taken and what to do now. ``{name}`` marks a value; both languages
carry the same ones (a test compares them). Which key a result has is the table in :mod:`gateway.web.outcomes`.
"""

from __future__ import annotations

from foundation.persian import Language
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
    "rial.full": Words("ریال ایران", "Iranian rial"),
}

_PAGE = {
    "pay.title": Words("پرداخت با کارت", "Pay by card"),
    "summary.amount": Words("مبلغ", "Amount"),
    "summary.title": Words("خلاصهٔ خرید", "Your purchase"),
    "payee": Words("پذیرنده", "Merchant"),
    "site": Words("نشانی", "Website"),
    "terminal": Words("شماره پایانه", "Terminal"),
    "merchant_id": Words("شماره پذیرنده", "Merchant no."),
    "order": Words("شماره سفارش", "Order"),
    "description": Words("شرح", "Description"),
    "details": Words("جزئیات بیشتر", "More details"),
    "fee": Words("کارمزد", "Fee"),
    "sms.title": Words("پیامک بانک باید این را بگوید:", "The bank’s SMS must say:"),
    "sms.text": Words("خرید · {payee} · {amount} ریال", "خرید (purchase) · {payee} · {amount} Rial"),
    "sms.warning": Words(
        "اگر مبلغ یا پذیرنده فرق داشت، رمز را وارد نکنید.", "If amount or merchant differ, don’t enter the code."
    ),
    "time_left": Words("زمان باقی‌مانده", "Time left"),
    "extend": Words("۵ دقیقه بیشتر می‌خواهم", "I need 5 more minutes"),
    "extend.none": Words("این پرداخت دو بار تمدید شده است.", "This payment was already extended twice."),
    "extended": Words("۵ دقیقه به زمان این پرداخت افزوده شد.", "5 minutes were added to this payment."),
    "pan": Words("شماره کارت", "Card number"),
    "pan.hint": Words("۱۶ رقم روی کارت", "16 digits on the card"),
    "pan.bank": Words("بانک صادرکننده: {bank}", "Issuing bank: {bank}"),
    "cvv2": Words("کد CVV2", "CVV2 code"),
    "cvv2.hint": Words("۳ یا ۴ رقم، روی یا پشت کارت", "3 or 4 digits, front or back"),
    "expiry": Words("تاریخ انقضا", "Expiry date"),
    "expiry.hint": Words("ماه و سال شمسی؛ مانند ۰۷ / ۰۸", "Jalali month and year, e.g. 07 / 08"),
    "expiry.echo": Words("انقضا: {month} {year}", "Expires {month} {year}"),
    "month": Words("ماه", "Month"),
    "year": Words("سال", "Year"),
    "pin": Words("رمز پویا (رمز دوم)", "Dynamic PIN (second PIN)"),
    "pin.hint": Words(
        "برای گرفتن رمز با پیامک، «درخواست رمز پویا» را بزنید.", "Press “Send dynamic PIN” to get it by SMS."
    ),
    "show": Words("نمایش {field}", "Show {field}"),
    "request_pin": Words("درخواست رمز پویا", "Send dynamic PIN"),
    "requesting": Words("در حال ارسال…", "Sending…"),
    "resend_in": Words("ارسال دوباره تا {time}", "Resend in {time}"),
    "resend": Words("ارسال دوبارهٔ رمز", "Resend code"),
    "pay": Words("پرداخت {amount} ریال", "Pay {amount} Rial"),
    "pay.alike": Words(
        "{minutes} دقیقه پیش همین مبلغ را به همین پذیرنده داده‌اید. باز هم پرداخت شود؟",
        "You paid this merchant the same amount {minutes} min ago. Pay again?",
    ),
    "paying": Words("در حال پرداخت؛ صفحه را نبندید", "Paying; please don’t close this page"),
    "cancel": Words("انصراف و بازگشت به فروشگاه", "Cancel and return to shop"),
    "errors.title": Words("پرداخت انجام نشد؛ این موارد را درست کنید", "Payment not made; please fix the following"),
    "declined.title": Words("پرداخت انجام نشد", "Payment not made"),
    "pin_errors.title": Words(
        "رمز پویا خواسته نشد؛ این موارد را درست کنید", "PIN not requested; please fix the following"
    ),
    "keypad": Words("صفحه‌کلید تصادفی برای {field}", "Shuffled keypad for {field}"),
    "keypad.erase": Words("پاک کردن", "Delete"),
    "keypad.close": Words("بستن", "Close"),
    "late.title": Words("پیامک نرسید؟", "Didn’t get it?"),
    "late.wait": Words(
        "پیامک گاهی تا یک دقیقه دیر می‌رسد. پیام‌های ناشناس و مسدود گوشی را هم ببینید.",
        "An SMS can take a minute. Look among unknown and blocked messages too.",
    ),
    "late.resend": Words(
        "وقتی شمارش تمام شد، «ارسال دوبارهٔ رمز» را بزنید. اگر چند پیامک رسید، رمز تازه‌ترین را وارد کنید.",
        "When the countdown ends, press “Resend code”. If several arrive, enter the code of the newest.",
    ),
    "late.mobile": Words(
        "رمز به شماره‌ای می‌رود که در بانک ثبت کرده‌اید؛ اگر عوض شده است، آن را در خودپرداز یا شعبهٔ بانک تازه کنید.",
        "The code goes to the mobile your bank has on file; if it changed, update it at an ATM or branch.",
    ),
    "late.other": _free("می‌توانید با کارت دیگری بپردازید یا انصراف دهید.", "You can use another card, or cancel."),
    "otp.read": Words("رمز از پیامک خوانده شد.", "Code read from SMS."),
    "left.seconds": Words("{seconds} ثانیه تا ارسال دوباره", "{seconds} seconds until you can resend"),
    "left.two_minutes": Words("دو دقیقه تا پایان زمان پرداخت مانده است.", "Two minutes left to pay."),
    "offline": Words(
        "ارتباط برقرار نشد. نوشته‌های شما روی صفحه می‌ماند؛ دوباره تلاش کنید.",
        "Couldn’t connect. Your entries stay here; please try again.",
    ),
}

_FORM = {
    "pan.length": Words("شماره کارت باید ۱۶ رقم باشد.", "Card number must be 16 digits."),
    "pan.luhn": Words(
        "شماره کارت درست نیست؛ رقم‌ها را با کارت مقایسه کنید.", "Card number isn’t right; compare it with the card."
    ),
    "pan.real": Words(
        "این شماره به یک بانک واقعی تعلق دارد. در محیط آزمایشی فقط کارت‌های نمونه را وارد کنید. "
        "شماره به هیچ بانکی فرستاده نشد.",
        "This looks like a real card. Use only sample cards here. It was not sent to any bank.",
    ),
    "pan.unknown_issuer": _free(
        "بانک صادرکنندهٔ این کارت را نمی‌شناسیم. با کارت دیگری امتحان کنید.",
        "We don’t know the bank of this card. Try another card.",
    ),
    "cvv2.form": Words("CVV2 باید ۳ یا ۴ رقم باشد.", "CVV2 must be 3 or 4 digits."),
    "month.form": Words("ماه را از ۰۱ تا ۱۲ وارد کنید.", "Month must be 01–12."),
    "year.form": Words("سال شمسی را دو رقمی وارد کنید؛ مانند ۰۸.", "Enter the Jalali year, e.g. 08."),
    "expiry.swap": Words("جابه‌جا کن", "Swap"),
    "expiry.swapped": Words("به نظر ماه و سال جابه‌جا شده‌اند.", "Month and year look swapped."),
    "pin.form": Words("رمز پویا را وارد کنید؛ ۴ تا ۱۲ رقم است.", "Enter the dynamic PIN; it has 4 to 12 digits."),
    "form.stale": _free(
        "این صفحه قدیمی شده بود و تازه شد. دوباره وارد کنید.",
        "This page was out of date and has been refreshed. Please re-enter.",
    ),
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
    "pin.delivery.accepted": Words("پیامک به اپراتور تحویل شد.", "The SMS was handed to the operator."),
    "pin.delivery.not_sent": Words(
        "پیامک ارسال نشد؛ دوباره رمز بخواهید.", "The SMS was not sent; ask for the code again."
    ),
    "pin.card_not_found": Words("کارتی با این شماره پیدا نشد.", "We couldn’t find this card."),
    "pin.card_blocked": _free(
        "بانک این کارت را مسدود کرده است؛ با بانک تماس بگیرید.", "Your bank has blocked this card; contact them."
    ),
    "pin.card_data_mismatch": Words("مشخصات کارت با هم نمی‌خواند.", "The card details don’t match."),
    "pin.no_mobile": Words(
        "برای این کارت شمارهٔ موبایلی ثبت نشده است. شماره را در خودپرداز یا شعبهٔ بانک ثبت کنید.",
        "No mobile is registered for this card. Register it at an ATM or branch of your bank.",
    ),
    "pin.dynamic_pin_not_active": Words(
        "رمز پویای این کارت فعال نیست. آن را در خودپرداز یا برنامهٔ بانک فعال کنید.",
        "Dynamic PIN isn’t active on this card. Activate it at an ATM or in your bank’s app.",
    ),
    "pin.too_soon": Words(
        "تازه رمز فرستاده‌ایم؛ {seconds} ثانیهٔ دیگر دوباره بخواهید.", "We’ve just sent one; try again in {seconds} s."
    ),
    "pin.too_many_requests": Words(
        "برای این کارت بیش از اندازه رمز خواسته شد؛ ساعتی دیگر یا با کارت دیگری امتحان کنید.",
        "Too many codes were requested for this card; try later or use another card.",
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
        "برای این پرداخت دیگر نمی‌توان رمز خواست. رمزی را که دارید وارد کنید یا از فروشگاه دوباره شروع کنید.",
        "No more codes can be requested for this payment. Use the one you have or restart from the shop.",
    ),
}

_DECLINE = {
    "decline.card_or_code_wrong": _free(
        "مشخصات کارت یا رمز پویا درست نیست.", "The card details or the dynamic PIN are not right."
    ),
    "tries.left": Words("{count} بار دیگر می‌توانید امتحان کنید.", "Tries left: {count}."),
    "tries.none": Words(
        "دفعه‌های مجاز این پرداخت تمام شد؛ به فروشگاه برگردید و دوباره شروع کنید.",
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
    "unknown.title": Words("نتیجه نامعلوم", "Outcome not known yet"),
    "unknown.text": Words(
        "هنوز پاسخ بانک را نگرفته‌ایم و همچنان می‌پرسیم. دوباره پرداخت نکنید. "
        "تا ساعت {at} به وقت تهران نتیجه همین‌جا می‌آید؛ اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "We’re still waiting for the bank and keep asking. Don’t pay again. The result will appear here by {at}, "
        "Tehran time; if the payment fails, any money returns automatically.",
    ),
    "overdue.title": Words("نتیجه هنوز نامعلوم است", "The outcome is still not known"),
    "overdue.text": Words(
        "پاسخ بانک از ساعتی که گفتیم ({at}) دیرتر شده و همکاران ما خبر دارند. دوباره پرداخت نکنید؛ پرسیدن ادامه دارد و "
        "اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "The bank is later than the time we promised ({at}) and our staff have been alerted. Don’t pay again; we keep "
        "asking, and if the payment fails, any money returns automatically.",
    ),
    "attempt.voided": _free(
        "بانک به تلاش پیشین پاسخ نداد و آن تلاش باطل شد. می‌توانید دوباره پرداخت کنید.",
        "The bank did not answer your last attempt, so it was undone. You can pay again.",
    ),
    "waiting.again": Words("این صفحه {seconds} ثانیهٔ دیگر تازه می‌شود.", "This page refreshes in {seconds} s."),
    "refresh": Words("اکنون بررسی کن", "Check now"),
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
    "copy": Words("رونوشت", "Copy"),
    "copied": Words("رونوشت برداشته شد", "Copied"),
    "receipt.check": Words("درستی این رسید را این‌جا ببینید", "Check that this receipt is genuine"),
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
        "این پرداخت برگشت خورده است. نیازی به کار دیگری نیست؛ دوباره به همین صفحه سر بزنید.",
        "This payment is being reversed. You need do nothing; check this page again later.",
    ),
    "reversed.title": Words("پول به کارت شما برگشت", "Your money was returned"),
    "reversed.text": Words("همهٔ مبلغ این پرداخت به کارت برگردانده شد.", "The whole amount was returned to the card."),
    "missing.title": Words("چنین پرداختی پیدا نشد", "No such payment"),
    "missing.text": Words(
        "نشانی صفحه درست نیست. از فروشگاه دوباره شروع کنید.", "The page’s address isn’t right. Restart from the shop."
    ),
    "unavailable.title": Words("مشکلی از سمت ما پیش آمد", "Something went wrong on our side"),
    "unavailable.text": Words(
        "اگر دکمهٔ پرداخت را زده‌اید، دوباره پرداخت نکنید؛ چند لحظهٔ دیگر همین صفحه را تازه کنید تا نتیجه را ببینید. "
        "اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "If you already pressed Pay, don’t pay again: reload this page in a moment to see the result. "
        "If the payment isn’t completed, any money returns automatically.",
    ),
    "flooded.title": Words("چند لحظه صبر کنید", "Please wait a moment"),
    "flooded.text": Words(
        "از این نشانی اینترنتی درخواست‌های زیادی رسیده است. یک دقیقهٔ دیگر صفحه را تازه کنید.",
        "Too many requests came from this internet address. Reload the page in a minute.",
    ),
    "check.title": Words("این رسید اصل است", "This receipt is genuine"),
    "check.compare": Words(
        "این‌ها را با رسیدی که در دست دارید مقایسه کنید؛ اگر فرق دارند، آن رسید دستکاری شده است.",
        "Compare this with the receipt you were shown; if it differs, that receipt was altered.",
    ),
    "check.missing.title": Words("رسیدی با این کد نیست", "There is no receipt with this code"),
    "check.missing.text": Words("کد پیگیری را با رسید مقایسه کنید.", "Compare the tracking code with the receipt."),
}

WORDS: dict[str, Words] = {**_FRAME, **_PAGE, **_FORM, **_PIN, **ISSUER, **_DECLINE, **_OUTCOME}
