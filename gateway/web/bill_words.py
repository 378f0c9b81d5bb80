"""What the page for bills says."""

from __future__ import annotations

from gateway.domain.bills import Service
from gateway.web.words import Words
from gateway.web.words import free as _free

SERVICES: dict[Service, Words] = {
    Service.WATER: Words("قبض آب", "Water bill"),
    Service.POWER: Words("قبض برق", "Power bill"),
    Service.GAS: Words("قبض گاز", "Gas bill"),
    Service.PHONE: Words("قبض تلفن ثابت", "Landline bill"),
    Service.MOBILE: Words("قبض تلفن همراه", "Mobile phone bill"),
    Service.MUNICIPALITY: Words("عوارض شهرداری", "Municipal charges"),
    Service.MUNICIPALITY_TWO: Words("عوارض شهرداری", "Municipal charges"),
    Service.TAX: Words("مالیات", "Tax"),
    Service.TRAFFIC_FINE: Words("جریمهٔ راهنمایی و رانندگی", "Traffic fine"),
}

BILLS = {
    **{f"bill.service.{int(service)}": words for service, words in SERVICES.items()},
    "bill.title": Words("پرداخت قبض", "Pay bills"),
    "bill.text": Words(
        "شناسهٔ قبض و شناسهٔ پرداخت را از روی قبض بنویسید، یا ۲۶ رقم بارکد را. تا ۱۰ قبض را یک‌جا و با یک رمز می‌توانید "
        "بپردازید.",
        "Copy bill ID and payment ID from the bill, or the 26 digits of its barcode. Up to 10 bills can be paid "
        "together with one code.",
    ),
    "bill.id": Words("شناسهٔ قبض", "Bill ID"),
    "bill.payment_id": Words("شناسهٔ پرداخت", "Payment ID"),
    "bill.barcode": Words("یا بارکد قبض", "or the bill’s barcode"),
    "bill.barcode.hint": Words("۲۶ رقم؛ فاصله مهم نیست", "26 digits; spaces don’t matter"),
    "bill.list": Words("قبض‌هایی که می‌پردازید", "Bills you are paying"),
    "bill.more": Words("قبض دیگر", "Another bill"),
    "bill.total": Words("جمع", "Total"),
    "bill.add": Words("افزودن قبضی دیگر", "Add another bill"),
    "bill.remove": Words("حذف", "Remove"),
    "bill.remove.named": Words("حذف قبض {bill_id}", "Remove bill {bill_id}"),
    "bill.continue": Words("ادامه و پرداخت", "Continue to payment"),
    "bill.errors.title": Words("نتوانستیم قبض را بخوانیم", "We couldn’t read the bill"),
    "bill.paid.title": Words("این قبض پیش‌تر پرداخت شده است", "This bill is paid already"),
    "bill.being_paid.title": Words("این قبض در حال پرداخت است", "This bill is being paid"),
    "bill.bill_id.length": Words("شناسهٔ قبض ۶ تا ۱۳ رقم دارد.", "A bill ID has 6 to 13 digits."),
    "bill.bill_id.check": Words(
        "شناسهٔ قبض درست نیست؛ یکی از رقم‌ها جابه‌جا یا اشتباه است.",
        "The bill ID isn’t right: a digit is wrong or swapped.",
    ),
    "bill.payment_id.length": Words("شناسهٔ پرداخت ۶ تا ۱۳ رقم دارد.", "A payment ID has 6 to 13 digits."),
    "bill.payment_id.check": Words(
        "شناسهٔ پرداخت درست نیست یا از این قبض نیست.", "The payment ID isn’t right, or isn’t of this bill."
    ),
    "bill.barcode.length": Words("بارکد قبض ۲۶ رقم دارد.", "A bill’s barcode has 26 digits."),
    "bill.barcode.check": Words(
        "بارکد درست نیست؛ یکی از رقم‌ها اشتباه است.", "The barcode isn’t right: a digit is wrong."
    ),
    "bill.none": Words("شناسه‌های یک قبض را بنویسید.", "Enter the numbers of a bill."),
    "bill.many": Words(
        "در یک پرداخت بیش از ۱۰ قبض نمی‌شود؛ بقیه را جداگانه بپردازید.",
        "One payment takes at most 10 bills; pay the others separately.",
    ),
    "bill.twice": Words("این قبض همین حالا در فهرست هست.", "This bill is already in the list."),
    "bill.amount": Words(
        "جمع این قبض‌ها بیرون از حدّ یک پرداخت است؛ جداگانه بپردازید.",
        "Together these bills are outside one payment’s limits; pay them separately.",
    ),
    "bill.unknown_biller": Words(
        "سازمان صادرکنندهٔ این قبض به این درگاه متصل نیست.", "Whoever sent this bill isn’t connected to this gateway."
    ),
    "bill.paid": Words(
        "قبض {bill_id} پیش‌تر پرداخت شده است ({when}، کد پیگیری {tracking}).",
        "Bill {bill_id} has been paid already ({when}, tracking code {tracking}).",
    ),
    "bill.being_paid": _free(
        "قبض {bill_id} همین حالا در حال پرداخت است؛ چند دقیقهٔ دیگر دوباره ببینید.",
        "Bill {bill_id} is being paid right now; look again in a few minutes.",
    ),
    "bill.stale": Words(
        "یکی از این قبض‌ها را در این میان کسی پرداخت. از این پرداخت پولی برداشت نشده است.",
        "Somebody has paid one of these bills meanwhile. Nothing was taken for this payment.",
    ),
    "sms.text@BILL_PAYMENT": Words(
        "پرداخت قبض · {payee} · {amount} ریال", "\u2068پرداخت قبض\u2069 (bills) · \u2068{payee}\u2069 · {amount} Rial"
    ),
    "bill.refund.waiting": Words(
        "فرستندهٔ قبض آن را نپذیرفت؛ بازگشت پول به کارت در انتظار بررسی است.",
        "The sender of this bill refused it; the money’s way back to the card is being reviewed.",
    ),
    "bill.refund.pending": Words(
        "فرستندهٔ قبض آن را نپذیرفت؛ پول در راه بازگشت به کارت است.",
        "The sender of this bill refused it; the money is on its way back to the card.",
    ),
    "bill.refund.done": Words(
        "فرستندهٔ قبض آن را نپذیرفت و پول به کارت بازگشت.",
        "The sender of this bill refused it, and the money is back on the card.",
    ),
    "bill.refund.refused": Words(
        "فرستندهٔ قبض آن را نپذیرفت، ولی پول به کارت بازنگشت؛ با صادرکنندهٔ قبض تماس بگیرید.",
        "The sender of this bill refused it, but the money did not go back to the card; contact that sender.",
    ),
    "summary.title@BILL_PAYMENT": Words("خلاصهٔ پرداخت", "Your payment"),
    "receipt.title@BILL_PAYMENT": Words("قبض پرداخت شد", "Bills paid"),
    "bill.some_refused.title": Words("برخی از قبض‌ها پرداخت نشد", "Some bills were not paid"),
    "bill.all_refused.title": Words("قبضی پرداخت نشد", "No bill was paid"),
    "return@BILL_PAYMENT": Words("بازگشت", "Return"),
    "cancel@BILL_PAYMENT": Words("انصراف", "Cancel"),
    "tries.none@BILL_PAYMENT": Words(
        "دفعات مجاز این پرداخت تمام شد؛ دوباره از اول شروع کنید.",
        "This payment has no tries left; please start again.",
    ),
    "cancelled.text@BILL_PAYMENT": _free("قبض‌ها پرداخت نشده مانده‌اند.", "The bills are still unpaid."),
    "expired.text@BILL_PAYMENT": _free("دوباره شروع کنید.", "Please start again."),
}
"""Key → words; ``bill.service.<digit>`` names what is paid for, ``<key>@<kind>`` is said in place of ``<key>``."""
