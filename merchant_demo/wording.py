"""Every sentence of the shop, by key, in Persian and English."""

from __future__ import annotations

from typing import NamedTuple

from foundation.persian import Language


class Words(NamedTuple):
    """One thing to say, in both languages."""

    fa: str
    en: str

    def in_(self, language: Language) -> str:
        """Return the words of one language."""
        return self.fa if language == "fa" else self.en


def say(key: str, language: Language, **values: object) -> str:
    """Return the sentence of ``key`` with its values filled in; KeyError for a key that is not in the table."""
    return WORDS[key].in_(language).format(**values)


WORDS: dict[str, Words] = {
    "shop": Words("بازارچهٔ نمونه", "Sample Bazaar"),
    "slogan": Words("چیزهای خوب از گوشه‌گوشهٔ ایران", "Good things from all over Iran"),
    "sandbox": Words("محیط آزمایشی – هیچ کالایی فرستاده نمی‌شود", "Test environment – nothing is delivered"),
    "testing": Words("کارت‌های آزمایشی", "Test cards"),
    "skip": Words("رفتن به محتوای اصلی", "Skip to main content"),
    "other_language": Words("English", "فارسی"),
    "footer": Words(
        "این فروشگاه نمونه‌ای برای آزمودن درگاه پویاست.", "This shop is a sample for trying the Pooya gateway."
    ),
    "rial": Words("ریال", "Rial"),
    "products": Words("کالاها", "Products"),
    "basket": Words("سبد خرید", "Basket"),
    "basket.count": Words("سبد خرید، {count} کالا", "Basket, {count} items"),
    "basket.empty": Words("سبد خرید شما خالی است.", "Your basket is empty."),
    "basket.add": Words("افزودن به سبد", "Add to basket"),
    "basket.add.named": Words("افزودن {title} به سبد", "Add {title} to basket"),
    "basket.added": Words("{title} به سبد افزوده شد.", "{title} was added to your basket."),
    "quantity": Words("تعداد", "Quantity"),
    "quantity.of": Words("تعداد {title}", "Quantity of {title}"),
    "update": Words("به‌روزرسانی سبد", "Update basket"),
    "remove": Words("حذف", "Remove"),
    "remove.named": Words("حذف {title}", "Remove {title}"),
    "product": Words("کالا", "Product"),
    "price": Words("بها", "Price"),
    "total": Words("جمع", "Total"),
    "to_checkout": Words("ادامهٔ خرید", "Checkout"),
    "go_on": Words("بازگشت به کالاها", "Back to products"),
    "checkout": Words("تکمیل خرید", "Checkout"),
    "name": Words("نام گیرنده", "Recipient’s name"),
    "mobile": Words("شماره موبایل (اختیاری)", "Mobile number (optional)"),
    "mobile.hint": Words("مانند ۰۹۱۲۳۴۵۶۷۸۹؛ برای خبر دادن از سفارش", "Like 09123456789; for news of your order"),
    "pay": Words("پرداخت {amount} ریال", "Pay {amount} Rial"),
    "pay.hint": Words(
        "برای پرداخت به درگاه پویا می‌روید و سپس به همین‌جا برمی‌گردید.",
        "You go to the Pooya gateway to pay and then come back here.",
    ),
    "name.missing": Words("نام گیرنده را بنویسید.", "Enter the recipient’s name."),
    "mobile.form": Words(
        "شماره موبایل ۱۱ رقم است و با ۰۹ آغاز می‌شود.", "A mobile number has 11 digits and starts with 09."
    ),
    "errors": Words("این موارد را درست کنید", "Please fix the following"),
    "order": Words("سفارش {number}", "Order {number}"),
    "order.items": Words("کالاهای سفارش", "Items"),
    "order.comma": Words("، ", ", "),
    "order.number": Words("شماره سفارش", "Order number"),
    "order.placed_at": Words("زمان سفارش", "Ordered"),
    "order.recipient": Words("گیرنده", "Recipient"),
    "order.refunded": Words("مبلغ برگشتی به کارت شما (واریزشده یا در راه)", "Back on your card, or on its way there"),
    "order.rrn": Words("شماره مرجع", "Reference no."),
    "order.tracking": Words("کد پیگیری", "Tracking code"),
    "order.card": Words("کارت", "Card"),
    "order.keep": Words(
        "نشانی این صفحه را نگه دارید؛ وضعیت سفارش همیشه همین‌جاست.",
        "Keep the address of this page; the order’s state is always here.",
    ),
    "state.placed": Words("در انتظار پرداخت", "Waiting for payment"),
    "state.placed.about": Words(
        "سفارش ثبت شده ولی به درگاه وصل نشدیم. پولی از شما گرفته نشده است؛ دوباره امتحان کنید.",
        "Your order is saved but we couldn’t reach the gateway. You were not charged; please try again.",
    ),
    "state.awaiting": Words("در انتظار پرداخت", "Waiting for payment"),
    "state.awaiting.about": Words(
        "پرداخت این سفارش هنوز کامل نشده است. می‌توانید به صفحهٔ پرداخت برگردید.",
        "This order has not been paid yet. You can go back to the payment page.",
    ),
    "state.checking": Words("در حال پرس‌وجو از درگاه", "Checking with the gateway"),
    "state.checking.about": Words(
        "نتیجهٔ پرداخت هنوز روشن نیست. دوباره پرداخت نکنید؛ اگر پرداخت کامل نشود، پول خودکار برمی‌گردد.",
        "The outcome is not known yet. Don’t pay again; if it fails, any money returns automatically.",
    ),
    "order.decided_by": Words(
        "حداکثر تا {moment} نتیجه روشن می‌شود یا پول به کارت شما برمی‌گردد.",
        "By {moment} the outcome is known or the money is back on your card.",
    ),
    "state.paid": Words("پرداخت شد", "Paid"),
    "state.paid.about": Words(
        "سپاس از خرید شما! سفارش شما در حال آماده‌سازی است.", "Thank you! Your order is being prepared."
    ),
    "state.failed": Words("پرداخت نشد", "Not paid"),
    "state.failed.about": Words(
        "پرداخت لغو شد یا زمان آن گذشت. اگر پولی برداشت شده باشد، خودکار برمی‌گردد.",
        "The payment was cancelled or timed out. Any money taken returns automatically.",
    ),
    "state.mismatch": Words("نیازمند بررسی", "Needs a look"),
    "state.mismatch.about": Words(
        "پاسخ درگاه با این سفارش نمی‌خواند. پرداخت پذیرفته نشد و پول خودکار برمی‌گردد.",
        "The gateway’s answer doesn’t match this order. It was not accepted and any money returns automatically.",
    ),
    "order.pay": Words("پرداخت سفارش", "Pay for the order"),
    "order.pay_again": Words("پرداخت دوباره", "Pay again"),
    "order.refresh": Words("بررسی دوباره", "Check again"),
    "keeper": Words("پیشخان فروشنده", "Shopkeeper’s desk"),
    "keeper.about": Words(
        "تنها برای آزمودن: هر که به این فروشگاه برسد این‌جا را می‌بیند.",
        "For trying out only: whoever reaches this shop can see this page.",
    ),
    "keeper.none": Words("هنوز سفارشی پرداخت نشده است.", "No order has been paid yet."),
    "keeper.back": Words("بازگشت به سفارش‌ها", "Back to the orders"),
    "refund.paid": Words("پرداخت‌شده", "Paid"),
    "refund.list": Words("بازپرداخت‌ها", "Refunds"),
    "refund.none": Words("تا کنون چیزی بازپرداخت نشده است.", "Nothing has been refunded yet."),
    "refund.amount": Words("مبلغ بازپرداخت به ریال", "Amount to refund, in Rial"),
    "refund.left": Words("تا {amount} ریال قابل بازپرداخت است.", "Up to {amount} Rial can be refunded."),
    "refund.do": Words("بازپرداخت به کارت خریدار", "Refund to the buyer’s card"),
    "refund.nothing_left": Words("چیزی برای بازپرداخت نمانده است.", "There is nothing left to refund."),
    "refund.state.waiting": Words("در انتظار تأیید نفر دوم در درگاه", "Waiting for a second person at the gateway"),
    "refund.state.pending": Words("در راه کارت خریدار", "On its way to the buyer’s card"),
    "refund.state.done": Words("به کارت خریدار بازگشت", "Back on the buyer’s card"),
    "refund.state.refused": Words(
        "پذیرفته نشد؛ پول همچنان از آنِ فروشگاه است", "Refused; the money is still the shop’s"
    ),
    "refund.unknown": Words("درگاه پاسخ نداد", "The gateway did not answer"),
    "refund.unknown.about": Words(
        "نمی‌دانیم چه چیزی بازپرداخت شده است؛ پیش از هر کار دوباره بررسی کنید.",
        "We don’t know what was refunded; check again before doing anything.",
    ),
    "refund.no.amount": Words(
        "مبلغی بنویسید که از ماندهٔ سفارش بیشتر نباشد.", "Enter an amount that is not more than what is left."
    ),
    "refund.no.owed": Words(
        "طلب فروشگاه از درگاه اکنون کمتر از این مبلغ است؛ پس از فروش‌های بعدی دوباره امتحان کنید.",
        "The gateway doesn’t owe the shop so much right now; try again after more sales.",
    ),
    "refund.no.late": Words(
        "مهلت بازپرداخت این سفارش گذشته است.", "It is too late to refund this order."
    ),
    "refund.no.stale": Words(
        "در این میان بازپرداخت دیگری خواسته شده است؛ فهرست را ببینید.",
        "Another refund was asked for meanwhile; look at the list.",
    ),
    "refund.no.refused": Words("درگاه این بازپرداخت را نپذیرفت.", "The gateway refused this refund."),
    "refund.no.answer": Words(
        "پاسخی از درگاه نرسید؛ شاید خواسته شده باشد. فهرست را ببینید.",
        "No answer from the gateway; it may have been asked for. Look at the list.",
    ),
    "error.404": Words("چنین صفحه‌ای نیست", "There is no such page"),
    "error.400": Words("این درخواست درست نبود", "That request was not right"),
    "error.403": Words("این صفحه قدیمی شده بود؛ دوباره امتحان کنید", "That page was out of date; please try again"),
    "error.500": Words("مشکلی از سمت ما پیش آمد", "Something went wrong on our side"),
    "error.503": Words(
        "سفارش‌ها چند لحظه در دسترس نیست؛ چیزی از آن‌ها کم نشده است. کمی بعد دوباره امتحان کنید",
        "Orders can’t be reached for a moment; none of them is lost. Please try again shortly",
    ),
}  # fmt: skip
