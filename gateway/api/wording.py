"""Sentences of the reference page in Persian and English."""

from __future__ import annotations

from gateway.api.operations import Said

PAGE: dict[str, Said] = {
    "title": Said("مرجع API پذیرندگان پویا", "Pooya merchant API reference"),
    "problems": Said("فهرست خطاها", "Problems"),
    "other": Said("English", "فارسی"),
    "sandbox": Said("محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود", "Test environment – no money moves"),
    "intro": Said(
        "پرداخت را باز کنید، خریدار را به `page_url` بفرستید و پس از بازگشتش پرداخت را تأیید کنید. مبلغ‌ها عدد صحیح و "
        "به ریال‌اند.",
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
