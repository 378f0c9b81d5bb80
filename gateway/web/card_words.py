"""What the card page says of itself and of what is typed there; answers are in :mod:`gateway.web.wording`."""

from __future__ import annotations

from gateway.web.words import Words
from gateway.web.words import free as _free

PAGE = {
    "pay.title": Words("پرداخت با کارت", "Pay by card"),
    "summary.amount": Words("مبلغ", "Amount"),
    "summary.title": Words("خلاصهٔ خرید", "Your purchase"),
    "payee": Words("پذیرنده", "Merchant"),
    "site": Words("وب‌گاه", "Website"),
    "terminal": Words("شماره پایانه", "Terminal"),
    "merchant_id": Words("شماره پذیرنده", "Merchant no."),
    "order": Words("شماره سفارش", "Order"),
    "description": Words("شرح", "Description"),
    "details": Words("جزئیات بیشتر", "More details"),
    "fee": Words("کارمزد", "Fee"),
    "sms.title": Words("پیامک بانک باید این را بگوید:", "The bank’s SMS must say:"),
    "sms.text": Words(
        "خرید · {payee} · {amount} ریال", "\u2068خرید\u2069 (purchase) · \u2068{payee}\u2069 · {amount} Rial"
    ),
    "qr.alt": Words("کد QR", "QR code"),
    "qr.title": Words("نمایش کد QR برای رمزنگار", "Show QR code for Ramznegar"),
    "sms.warning": Words(
        "اگر مبلغ یا پذیرنده (در برخی بانک‌ها نام درگاه) فرق داشت، رمز را وارد نکنید.",
        "If amount or merchant (some banks name only the gateway) differ, don’t enter the code.",
    ),
    "time_left": Words("زمان باقی‌مانده", "Time left"),
    "extend": Words("{minutes} دقیقه بیشتر می‌خواهم", "I need {minutes} more minutes"),
    "extend.none": Words("این پرداخت دو بار تمدید شده است.", "This payment was already extended twice."),
    "extended": Words("{minutes} دقیقه به زمان این پرداخت افزوده شد.", "{minutes} minutes were added to this payment."),
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
        "رمزی را که پیامک می‌شود یا رمز رمزنگار را این‌جا وارد کنید.",
        "Enter the code that comes by SMS, or one from Ramznegar.",
    ),
    "show": Words("نمایش {field}", "Show {field}"),
    "request_pin": Words("درخواست رمز پویا", "Send dynamic PIN"),
    "requesting": Words("در حال ارسال…", "Sending…"),
    "resend_in": Words("ارسال دوباره پس از {time}", "Resend in {time}"),
    "resend": Words("ارسال دوبارهٔ رمز", "Resend code"),
    "pay": Words("پرداخت {amount} ریال", "Pay {amount} Rial"),
    "pay.alike": Words(
        "{minutes} دقیقه پیش همین مبلغ را به همین پذیرنده پرداخت کرده‌اید. باز هم پرداخت شود؟",
        "You paid this merchant the same amount {minutes} min ago. Pay again?",
    ),
    "paying": Words("در حال پرداخت؛ صفحه را نبندید", "Paying; please don’t close this page"),
    "cancel": Words("انصراف و بازگشت به فروشگاه", "Cancel and return to shop"),
    "errors.title": Words("پرداخت انجام نشد؛ این موارد را درست کنید", "Payment not made; please fix the following"),
    "declined.title": Words("پرداخت انجام نشد", "Payment not made"),
    "pin_errors.title": Words(
        "رمز پویا درخواست نشد؛ این موارد را درست کنید", "PIN not requested; please fix the following"
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
        "رمز به شماره‌ای می‌رود که در بانک ثبت کرده‌اید؛ اگر عوض شده است، آن را در خودپرداز یا شعبهٔ بانک به‌روز کنید.",
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

FORM = {
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
    "expiry.swap": Words("جابه‌جا شود", "Swap"),
    "expiry.swapped": Words("به نظر ماه و سال جابه‌جا شده‌اند.", "Month and year look swapped."),
    "pin.form": Words("رمز پویا را وارد کنید؛ ۴ تا ۱۲ رقم است.", "Enter the dynamic PIN; it has 4 to 12 digits."),
    "picture": Words("پنج رقم تصویر یا صدا", "Five digits, seen or heard"),
    "picture.alt": Words(
        "تصویر پنج رقم؛ همان‌ها را می‌توانید بشنوید", "Picture of five digits; you can hear them instead"
    ),
    "sound": Words("صدای همان پنج رقم", "The same five digits, spoken"),
    "picture.hint": Words(
        "رقم‌های تصویر را بنویسید یا همان‌ها را بشنوید. با جاوااسکریپت روشن، هیچ‌کدام لازم نمی‌شود.",
        "Type the digits of the picture, or listen to them. With JavaScript on, neither is needed.",
    ),
    "picture.needed": Words(
        "نتوانستیم مرورگر را بررسی کنیم؛ پنج رقم تصویر یا صدا را وارد کنید و دوباره رمز بخواهید.",
        "We couldn’t check your browser; enter the five digits you see or hear and ask for the PIN again.",
    ),
    "picture.wrong": Words(
        "رقم‌ها درست نبود؛ تصویر و صدای تازه‌ای گذاشتیم.", "Those digits were wrong; here are a new picture and sound."
    ),
    "form.stale": _free(
        "این صفحه قدیمی شده بود و تازه شد. مشخصات کارت را دوباره وارد کنید.",
        "This page was out of date and has been refreshed. Please enter the card details again.",
    ),
}
