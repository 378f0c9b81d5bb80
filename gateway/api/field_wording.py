"""The Persian of every field and parameter of the contract; its English is the contract's own."""

from __future__ import annotations

from foundation.persian import grouped
from gateway.api.transfers import AMOUNT_SAID
from gateway.domain.transfer import LIMITS

_LEAST, _MOST = (grouped(limit.amount, "fa") for limit in (LIMITS[-1].least, LIMITS[-1].most))

FIELDS: dict[str, str] = {
    "id": "شناسهٔ پرداخت",
    "state": "وضعیت پرداخت",
    "amount": "مبلغ به ریال، بدون کارمزد",
    "fee": "کارمزدی که دارندهٔ کارت می‌پردازد، به ریال",
    "bills": "قبض‌ها، ۱ تا ۱۰",
    "topped_mobile": "شماره‌ای که شارژ می‌شود",
    "operator": "اپراتور کنونی شماره‌ای که ترابرد شده است؛ نفرستید، از پیش‌شماره دانسته می‌شود",
    "bill_id": "شناسهٔ قبض: ۶ تا ۱۳ رقم",
    "pay_id": "شناسهٔ پرداخت روی قبض: ۶ تا ۱۳ رقم؛ مبلغ در آن است",
    "paid_at": "زمان پرداخت",
    "order_id": "شمارهٔ سفارش شما: ۱ تا ۶۴ حرف لاتین، رقم و ._-",
    "description": "متنی که خریدار روی صفحه می‌بیند، حداکثر ۱۲۰ نویسه",
    "mobile": "تلفن همراه خریدار: ۰۹ و نه رقم",
    "page_url": "مرورگر خریدار را به این‌جا بفرستید",
    "callback_url": "روی سایت ثبت‌شدهٔ شما؛ خریدار به این‌جا بازمی‌گردد",
    "created_at": "زمان ساخته شدن",
    "expires_at": "تا این زمان می‌شود پرداخت کرد",
    "confirm_before": "خریدی که تا این زمان تأیید نکنید خودبه‌خود بازمی‌گردد؛ قبض، شارژ و انتقال این زمان را ندارند",
    "decided_by": "تا این زمان نتیجه معلوم می‌شود یا پول بازمی‌گردد؛ دوباره نگیرید",
    "authorised_at": "زمان برداشت از کارت",
    "confirmed_at": "زمان تأیید شما",
    "reverse_before": "تا این زمان می‌توان خرید تأییدشده را بازگرداند",
    "reversed_at": "زمان بازگشت به کارت",
    "refunded_amount": "چند ریال از آن بازپرداخت شده یا در راه است؛ بازپرداخت ردشده دیگر به حساب نمی‌آید",
    "refund": "بازپرداختی که پایان یافت",
    "refund_id": "شناسهٔ این بازپرداخت نزد شما، یک بار برای همیشه: ۱ تا ۶۴ حرف لاتین، رقم و ._-",
    "reason": "برای دفتر خودتان، حداکثر ۱۲۰ نویسه",
    "asked_at": "زمان درخواست",
    "decided_at": "زمان انجام یا رد شدن",
    "bill": "قبض چندم پرداخت که صادرکننده نپذیرفت، از ۱؛ null: خودتان خواسته‌اید",
    "signature": (
        "`v1,` و HMAC-SHA-256 به base64، با راز یکی از نشانی‌های وب‌هوک شما، روی متن "
        "`bill.refused.<tracking_code>.<bill_id>.<pay_id>` چنان که `bill.paid` آن‌ها را نامید"
    ),
    "action_code": "پاسخ بانک (DE 39) پس از رسیدن؛ 000 یعنی آری",
    "rrn": "شمارهٔ مرجع، ۱۲ رقم",
    "operator_reference": "از یک شارژ: شمارهٔ شما برای آنچه تحویل دادید",
    "tracking_code": "کد رهگیری روی رسید خریدار",
    "card": "کارتی که پرداخت کرد",
    "masked_pan": "شش رقم نخست و چهار رقم آخر",
    "token": "نشان این کارت نزد شما؛ پذیرندهٔ دیگر نشان دیگری می‌بیند",
    "destination": "کارت مقصد ذخیره‌شده: آنکه خواسته بودید، یا آنکه پرداخت‌کننده پس از انتقال نزد شما گذاشت",
    "destination_token": "نشان یک کارت مقصد ذخیره‌شدهٔ شما؛ اگر نفرستید پرداخت‌کننده شماره را می‌نویسد",
    "holder_name": "نام پوشیدهٔ صاحب کارت، چنان که بانکش گفت",
    "bank_fa": "نام فارسی بانک",
    "bank_en": "نام انگلیسی بانک",
    "saved_at": "زمان ذخیره شدن",
    "kept_until": "اگر تا این زمان به کار نرود حذف می‌شود",
    "first_time": "برای فراخوانی‌ای که تأیید کرد و تکرارهای همان کلید درست است؛ یک بار تحویل دهید",
    "items": "ردیف‌ها",
    "next_cursor": "برای صفحهٔ بعد در cursor بفرستید؛ در پایان null است",
    "at": "زمان رخداد",
    "type": "نوع",
    "attempt": "چندمین تلاش خریدار",
    "limit": "شمار ردیف‌ها در صفحه، حداکثر ۱۰۰",
    "cursor": "همان next_cursor صفحهٔ پیش؛ فیلترها را تغییر ندهید",
    "card_token": "پرداخت‌شده با این کارت",
    "created_from": "بازشده در این زمان یا پس از آن",
    "created_before": "بازشده پیش از این زمان",
    "Idempotency-Key": "کلید یکتایی: برای هر درخواست تازه کلیدی تازه",
    "title": "عنوان خطا؛ با Accept-Language فارسی می‌شود",
    "status": "وضعیت HTTP",
    "detail": "شرح همین مورد",
    "code": "کد پایدار برای برنامه",
    "errors": "جای هر ایراد",
    "payment_id": "پرداختی که سخن از آن است",
    "scope": "دامنه‌ای که کلید ندارد",
    "pointer": "جای ایراد در بدنه (JSON Pointer)",
    "parameter": "نام پارامتر",
    "header": "نام سرآیند",
    "title_fa": "عنوان فارسی",
    "title_en": "عنوان انگلیسی",
    "do_fa": "چه کنید، فارسی",
    "do_en": "چه کنید، انگلیسی",
    "url": "نشانی‌ای که رویدادها به آن فرستاده می‌شود؛ https و روی اینترنت عمومی",
    "event_types": "نوع رویدادهایی که فرستاده می‌شود؛ خالی یعنی همه، حتی آنچه در نسخه‌های بعدی بیاید",
    "enabled": "فعال است یا نه",
    "disabled_at": "زمان غیرفعال شدن",
    "disabled_why": "به خواست شما، یا پس از روزها ناکامی",
    "failures": "شمار ناکامی‌های پیاپی؛ صفر یعنی همه چیز خوب است",
    "failing_since": "آغاز ناکامی‌ها",
    "previous_secret_until": "تا این زمان هر پیام با راز پیشین نیز امضا می‌شود",
    "secret": "راز امضا؛ تنها همین یک بار نشان داده می‌شود",
    "overlap_seconds": "چند ثانیه راز پیشین نیز امضا کند؛ صفر همان دم پایانش می‌دهد",
    "endpoint_id": "شناسهٔ نشانی وب‌هوک",
    "event_id": "شناسهٔ رویداد",
    "since": "از این زمان به بعد",
    "queued": "شمار ارسال‌های در صف",
    "until": "زمان آخرین رویداد در صف؛ اگر ده هزار بود از همین‌جا ادامه دهید",
    "tries": "شمار تلاش‌ها",
    "next_try_at": "زمان تلاش بعدی",
    "delivered_at": "زمان رسیدن",
    "last_error": "ایراد آخرین تلاش",
    "attempts": "بیست‌وپنج تلاش آخر، کهنه‌ترین نخست",
    "duration_ms": "مدت به میلی‌ثانیه",
    "error": "ایراد تلاش",
    "timestamp": "همان created_at به نامی که Standard Webhooks می‌گذارد",
    "data": "پرداخت در همان لحظه؛ در آگهی‌های نشانی، موضوع آگهی",
    "why": "چرا",
    "business_day": "روز کاری‌ای که بسته شد، به وقت تهران",
    "value_day": "روز کاری بعد که بانک واریز می‌کند",
    "closed_at": "زمان بسته شدن؛ پس از آن تغییر نمی‌کند",
    "lines": "شمار ردیف‌ها",
    "gross": "مبلغ نزد شما به ریال، پس از کسر بازپرداخت‌های پیشین",
    "charge": "کارمزدی که شما به ما می‌پردازید، به ریال",
    "net": "مبلغ واریزی به ریال: مبلغ نزد شما منهای کارمزد",
    "payouts": "واریز به هر شبا",
    "iban": "شماره شبا",
    "returned_at": "زمانی که بانک آن را برگرداند؛ با واریزی دیگر دوباره پرداخت می‌شود",
    "kind": "پرداخت، قبض، شارژ، یا واریزی که برگشته و دوباره پرداخت می‌شود",
    "settlement": "واریز",
    "settlement_id": "شناسهٔ واریز",
    "parts": "سهم این شبا از همهٔ سهم‌ها",
    "usable_from": "از این زمان پول به این شبا می‌رود",
}
"""Field or parameter → Persian, unless the contract says something of its own about it where it stands."""

SENTENCES: dict[str, str] = {
    "of the transfer": "شناسهٔ انتقال",
    "of the endpoint": "شناسهٔ نشانی وب‌هوک",
    "of the event; the same at every try": "شناسهٔ رویداد؛ در هر تلاش همان است",
    "of the settlement": "شناسهٔ واریز",
    "for your own eyes": "یادداشتی برای خودتان",
    "whole rials": "مبلغ به ریال؛ عدد صحیح",
    "rials, without the fee; 0 for a transfer whose payer has not typed it yet": (
        "مبلغ به ریال، بدون کارمزد؛ برای انتقالی که پرداخت‌کننده هنوز مبلغش را ننوشته، صفر"
    ),
    "rials, without the fee; null until whoever pays has typed it": (
        "مبلغ به ریال، بدون کارمزد؛ null تا هنگامی که پرداخت‌کننده آن را بنویسد"
    ),
    "whole rials; one of the amounts that the operator sells": "مبلغ به ریال؛ یکی از مبلغ‌هایی که اپراتور می‌فروشد",
    AMOUNT_SAID: f"مبلغ به ریال، بدون کارمزد، از {_LEAST} تا {_MOST}؛ اگر نفرستید پرداخت‌کننده آن را می‌نویسد",
    "rials": "مبلغ به ریال",
    "whole rials, at most what is left of the payment": "مبلغ به ریال، حداکثر ماندهٔ پرداخت",
    "rials that go back, without the fee": "مبلغی که بازمی‌گردد به ریال، بدون کارمزد",
    "rials that go back to the card": "مبلغی که به کارت بازمی‌گردد، به ریال",
    "if sent, it must be the payment's: a part is not reversed": (
        "اگر بفرستید باید مبلغ پرداخت باشد؛ بخشی از آن را نمی‌توان بازگرداند"
    ),
    "exactly this many rials": "دقیقاً همین مبلغ، به ریال",
    "rials of the cardholder's fee that go back too: all of it with the whole payment": (
        "کارمزدی که همراه آن بازمی‌گردد، به ریال: با بازگشت همهٔ پرداخت، همهٔ آن"
    ),
    "rials the sender pays on top, once both cards are known": (
        "کارمزدی که پرداخت‌کننده می‌پردازد، به ریال، همین که هر دو کارت معلوم شود"
    ),
    "of the receipt; one receipt may be for several bills": "کد رهگیری رسید؛ یک رسید شاید از آنِ چند قبض باشد",
    "as `bill.paid` named it": "همان که در `bill.paid` آمد",
    "what the sender reads on the receipt": "کد رهگیری روی رسید پرداخت‌کننده",
    "send it as destination_token; other merchants see another for this card": (
        "آن را در `destination_token` بفرستید؛ پذیرندهٔ دیگر برای این کارت نشان دیگری می‌بیند"
    ),
    "dead: given up after three days": "وضعیت ارسال؛ `dead`: پس از سه روز رها شد",
    "how the payment stood then": "وضعیت پرداخت در آن زمان",
    "waiting: for a second person; pending: until the bank answers; done; refused: yours again": (
        "`waiting`: منتظر نفر دوم؛ `pending`: تا پاسخ بانک؛ `done`: انجام شد؛ `refused`: پول باز از آنِ شماست"
    ),
    "authorised: taken from one card and on its way to the other; confirmed: complete": (
        "`authorised`: از یک کارت برداشته شد و در راه کارت دیگر است؛ `confirmed`: کامل شد"
    ),
    "as they stand now": "وضعیت کنونی",
    "every payment of one order": "همهٔ پرداخت‌های یک سفارش",
    "every transfer of one order": "همهٔ انتقال‌های یک سفارش",
    "send the sender's browser here": "مرورگر پرداخت‌کننده را به این‌جا بفرستید",
    "while unknown: by then the result is known or the money is back; do not begin another": (
        "تا این زمان نتیجه معلوم می‌شود یا پول بازمی‌گردد؛ انتقال دیگری آغاز نکنید"
    ),
    "when the sender's card was debited": "زمان برداشت از کارت مبدأ",
    "when it was complete": "زمان کامل شدن",
    "of a bill": "از یک قبض: شناسهٔ آن",
    "the other number on the bill": "شناسهٔ پرداخت روی قبض",
    "retrieval reference number": "شمارهٔ مرجع",
    "tries in a row that failed": "شمار ناکامی‌های پیاپی",
    "address of the explanation, ends in # and the code": "نشانی توضیح خطا؛ پایانش # و کد است",
    "ignore types you do not know": "نوع رویداد؛ نوع‌هایی را که نمی‌شناسید نادیده بگیرید",
    "only events of this type": "تنها رویدادهای این نوع",
    "what your server answered, if it did": "وضعیت HTTP پاسخ سرور شما، اگر پاسخی داد",
    "the payment it is of": "پرداختی که بازپرداخت از آن است",
    "of a payment; of a top-up the reference you were asked under": (
        "شناسهٔ پرداخت؛ از یک شارژ: شماره‌ای که با آن از شما خواسته شد"
    ),
    "only events of this payment": "تنها رویدادهای این پرداخت",
    "only events that happened then or later, RFC 3339": "تنها رویدادهای این زمان و پس از آن، به شکل RFC 3339",
    "what the last try met": "ایراد آخرین تلاش",
    "events per page": "شمار رویدادها در صفحه، حداکثر ۱۰۰",
}
"""What the contract says of a field where its name alone says too little or something else → Persian."""


def persian(name: str, said: str) -> str:
    """Return the Persian of a field or parameter, by what the contract says of it or else by its name."""
    return SENTENCES.get(said) or FIELDS[name]
