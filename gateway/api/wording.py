"""Sentences of the reference page in Persian and English, and the Persian of every field of the contract."""

from __future__ import annotations

from gateway.api.operations import Said

PAGE: dict[str, Said] = {
    "title": Said("مرجع API پذیرندگان پویا", "Pooya merchant API reference"),
    "problems": Said("فهرست خطاها", "Problems"),
    "other": Said("English", "فارسی"),
    "sandbox": Said("محیط آزمایشی؛ پول واقعی جابه‌جا نمی‌شود", "Sandbox; no real money moves"),
    "intro": Said(
        "پرداخت را باز کنید، خریدار را به `page_url` بفرستید و پس از بازگشتش پرداخت را تأیید کنید. مبلغ‌ها به ریال و "
        "عدد درست‌اند.",
        "Open a payment, send the shopper to its `page_url`, and confirm it when the shopper returns. Amounts "
        "are whole "
        "rials.",
    ),
    "document": Said("سند OpenAPI", "OpenAPI document"),
    "keys": Said("کلید و دامنه‌ها", "Keys and scopes"),
    "keys.text": Said(
        "هر درخواست سرآیند `Authorization: Bearer sk_test_…` می‌خواهد. هر کلید تنها کارهایی را می‌تواند که دامنه‌هایش "
        "می‌گویند؛ وگرنه پاسخ ۴۰۳ نام دامنهٔ لازم را می‌گوید.",
        "Every request needs `Authorization: Bearer sk_test_…`. A key may do what its scopes say; otherwise a "
        "403 names "
        "the scope that is missing.",
    ),
    "repeat": Said("تکرار بی‌خطر", "Repeating safely"),
    "repeat.text": Said(
        "با هر POST یک `Idempotency-Key` تازه بفرستید. اگر پاسخ نرسید یا ۵۰۳ بود، همان درخواست را با همان کلید "
        "تکرار کنید: "
        "اثرش یک بار است و پاسخ نخست دوباره می‌آید. کلید دست‌کم ۲۴ ساعت نگه داشته می‌شود.",
        "Send a new `Idempotency-Key` with every POST. When no answer comes, or a 503, repeat the same request "
        "with the "
        "same key: it has one effect and the first answer comes back. A key is kept for at least 24 hours.",
    ),
    "pages": Said("صفحه‌ها", "Pages"),
    "pages.text": Said(
        "فهرست‌ها `limit` (حداکثر ۱۰۰) و `cursor` می‌گیرند و `next_cursor` می‌دهند؛ پرداخت‌های تازه صفحه‌های "
        "بعدی را جابه‌جا "
        "نمی‌کنند.",
        "Lists take `limit` (at most 100) and `cursor`, and give `next_cursor`; new payments do not shift later pages.",
    ),
    "limits": Said("سقف درخواست‌ها", "Rate limits"),
    "limits.text": Said(
        "سقف برای هر کلید است. سرآیندهای `RateLimit-Limit`، `RateLimit-Remaining` و `RateLimit-Reset` مانده را "
        "می‌گویند؛ "
        "پس از سقف، ۴۲۹ با `Retry-After` می‌آید.",
        "The limit is per key. `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset` say what is left; "
        "beyond it "
        "comes a 429 with `Retry-After`.",
    ),
    "states": Said("وضعیت‌ها", "States"),
    "operations": Said("عملیات", "Operations"),
    "scope": Said("دامنه", "scope"),
    "parameters": Said("پارامترها", "Parameters"),
    "body": Said("بدنه", "Body"),
    "answer": Said("پاسخ", "Answer"),
    "required": Said("لازم", "required"),
    "objects": Said("چیزها", "Objects"),
    "try": Said("آزمودن", "Try it"),
    "try.key": Said(
        "کلید آزمایشی (جایی ذخیره نمی‌شود)",
        "Sandbox key (kept nowhere)",
    ),
    "try.send": Said("فرستادن", "Send"),
    "try.offline": Said("پاسخی نرسید.", "No answer came."),
    "code": Said("کد", "Code"),
    "status": Said("وضعیت HTTP", "HTTP status"),
    "meaning": Said("معنا", "Meaning"),
    "do": Said("چه کنید", "What to do"),
    "state": Said("وضعیت", "State"),
    "field": Said("نام", "Name"),
}

STATES: dict[str, Said] = {
    "open": Said("هنوز پرداخت نشده؛ تا `expires_at` می‌شود پرداخت کرد", "not paid yet; can be paid until `expires_at`"),
    "unknown": Said(
        "بانک هنوز آری یا نه نگفته؛ تحویل ندهید و دوباره نگیرید",
        "the bank has not said yes or no; do not deliver, do not charge again",
    ),
    "authorised": Said("پول گرفته شد و منتظر تأیید شماست", "the money was taken and waits for you: confirm"),
    "confirmed": Said("از آنِ شماست؛ تحویل دهید", "yours; deliver"),
    "settled": Said("به حساب شما واریز شد", "paid out to you"),
    "reversing": Said("در راه بازگشت به کارت", "on its way back to the card"),
    "reversed": Said("به کارت بازگشت", "back on the card"),
    "refunded": Said("همهٔ آن بازپرداخت شد", "all of it was refunded"),
    "cancelled": Said("خریدار منصرف شد؛ پولی گرفته نشد", "the shopper gave up; nothing was taken"),
    "expired": Said("مهلت گذشت؛ پولی گرفته نشد", "its time is over; nothing was taken"),
}

FIELDS: dict[str, str] = {
    "id": "شناسهٔ پرداخت",
    "state": "وضعیت پرداخت",
    "amount": "مبلغ به ریال، بدون کارمزد",
    "fee": "کارمزدی که دارندهٔ کارت می‌پردازد، به ریال",
    "bills": "قبض‌ها، ۱ تا ۱۰",
    "bill_id": "شناسهٔ قبض: ۶ تا ۱۳ رقم",
    "pay_id": "شناسهٔ پرداخت روی قبض: ۶ تا ۱۳ رقم؛ مبلغ در آن است",
    "paid_at": "زمان پرداخت",
    "order_id": "شمارهٔ سفارش شما: ۱ تا ۶۴ حرف لاتین، رقم و ._-",
    "description": "متنی که خریدار روی صفحه می‌بیند، حداکثر ۱۲۰ نویسه",
    "mobile": "تلفن همراه خریدار: ۰۹ و نه رقم",
    "page_url": "مرورگر خریدار را به اینجا بفرستید",
    "callback_url": "روی سایت ثبت‌شدهٔ شما؛ خریدار به اینجا بازمی‌گردد",
    "created_at": "زمان باز شدن",
    "expires_at": "تا این زمان می‌شود پرداخت کرد",
    "confirm_before": "اگر تا این زمان تأیید نکنید، پول خودبه‌خود بازمی‌گردد",
    "decided_by": "تا این زمان نتیجه معلوم می‌شود یا پول بازمی‌گردد",
    "authorised_at": "زمان برداشت از کارت",
    "confirmed_at": "زمان تأیید شما",
    "reverse_before": "تا این زمان می‌توان پرداخت تأییدشده را بازگرداند",
    "reversed_at": "زمان بازگشت به کارت",
    "refunded_amount": "چند ریال از آن بازپرداخت شده یا در راه است؛ بازپرداخت ردشده دیگر به حساب نمی‌آید",
    "refund": "بازپرداختی که پایان یافت",
    "refund_id": "شناسهٔ این بازپرداخت نزد شما، یک بار برای همیشه: ۱ تا ۶۴ حرف لاتین، رقم و ._-",
    "reason": "برای دفتر خودتان، حداکثر ۱۲۰ نویسه",
    "asked_at": "زمان درخواست",
    "decided_at": "زمان انجام یا رد شدن",
    "action_code": "پاسخ بانک (DE 39) پس از رسیدن؛ 000 یعنی آری",
    "rrn": "شمارهٔ مرجع، ۱۲ رقم",
    "tracking_code": "کد رهگیری روی رسید خریدار",
    "card": "کارتی که پرداخت کرد",
    "masked_pan": "شش رقم نخست و چهار رقم آخر",
    "token": "نشان این کارت نزد شما؛ پذیرندهٔ دیگر نشان دیگری می‌بیند",
    "first_time": "برای فراخوانی‌ای که تأیید کرد و تکرارهای همان کلید درست است؛ یک بار تحویل دهید",
    "items": "ردیف‌ها",
    "next_cursor": "برای صفحهٔ بعد در cursor بفرستید؛ در پایان null است",
    "at": "زمان رخداد",
    "type": "نوع",
    "attempt": "چندمین تلاش خریدار",
    "limit": "شمار ردیف‌ها در صفحه، حداکثر ۱۰۰",
    "cursor": "همان next_cursor صفحهٔ پیش؛ صافی‌ها را تغییر ندهید",
    "card_token": "پرداخت‌شده با این کارت",
    "created_from": "بازشده در این زمان یا پس از آن",
    "created_before": "بازشده پیش از این زمان",
    "Idempotency-Key": "کلید یکتایی: برای هر درخواست تازه کلیدی تازه",
    "title": "عنوان خطا؛ با Accept-Language فارسی می‌شود",
    "status": "وضعیت HTTP",
    "detail": "شرح همین رخداد",
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
    "event_types": "نوع رویدادهایی که فرستاده می‌شود؛ خالی یعنی همه",
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
    "kind": "پرداخت، یا واریزی که برگشته و دوباره پرداخت می‌شود",
    "settlement": "واریز",
    "settlement_id": "شناسهٔ واریز",
    "parts": "سهم این شبا از همهٔ سهم‌ها",
    "usable_from": "از این زمان پول به این شبا می‌رود",
}
"""Field or parameter → Persian; the English is in the contract."""
