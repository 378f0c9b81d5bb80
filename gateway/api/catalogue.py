"""Every problem the merchant API answers with, as one table: code, status, what it means, what to do."""

from __future__ import annotations

from gateway.api.problem_rows import Row as Row
from gateway.api.problem_rows import plain as _plain
from gateway.api.problem_rows import row as _row
from gateway.api.refund_problems import REFUNDS
from gateway.api.transfer_problems import TRANSFERS
from gateway.domain import bill_errors, errors, top_up_errors
from gateway.domain.errors import GatewayError

ROWS = (
    _row(
        errors.MalformedMessage,
        400,
        ("درخواست مطابق قرارداد نیست", "The request does not follow the contract"),
        (
            "جای هر ایراد در `errors` آمده است؛ درستشان کنید و دوباره بفرستید.",
            "`errors` names each place; correct them and send it again.",
        ),
    ),
    _row(
        errors.InvalidCursor,
        422,
        ("نشانگر صفحه معتبر نیست", "The cursor is not valid here"),
        (
            "مقدار `next_cursor` را دست‌نخورده و با همان فیلترها بفرستید، یا از صفحهٔ نخست آغاز کنید.",
            "Send `next_cursor` untouched and with the same filters, or begin at the first page.",
        ),
    ),
    _row(
        errors.Unauthenticated,
        401,
        ("کلید محرمانهٔ معتبر لازم است", "A valid secret key is needed"),
        (
            "سرآیند `Authorization: Bearer` را با کلیدی بفرستید که هنوز کار می‌کند.",
            "Send `Authorization: Bearer` with a key that has not ended.",
        ),
    ),
    _row(
        errors.KeyOfOtherMode,
        401,
        ("این کلید برای محیط دیگر است", "The key is of the other mode"),
        (
            "کلید `sk_test_` را در محیط آزمایشی و `sk_live_` را در محیط عملیاتی به کار ببرید.",
            "Use `sk_test_` keys at the sandbox and `sk_live_` keys at the live gateway.",
        ),
    ),
    _row(
        errors.ScopeMissing,
        403,
        ("این کلید اجازهٔ این کار را ندارد", "The key may not do that"),
        (
            "کلیدی به کار ببرید که دامنهٔ نام‌برده در `scope` را دارد.",
            "Use a key that has the scope named in `scope`.",
        ),
    ),
    _row(
        errors.PaymentNotFound,
        404,
        ("چنین پرداختی نیست", "There is no such payment"),
        (
            "شناسه را بررسی کنید؛ هر پایانه تنها پرداخت‌های خود را می‌بیند.",
            "Check the id; a terminal sees its own payments only.",
        ),
    ),
    _row(
        errors.OrderNotFound,
        404,
        ("برای این سفارش پرداختی نیست", "The order has no payment"),
        (
            "اگر پاسخ باز کردن پرداخت به دستتان نرسیده بود، دوباره بازش کنید: چیزی باز نشده است.",
            "If the answer to opening it was lost, open it again: nothing was opened.",
        ),
    ),
    _row(
        errors.EndpointNotFound,
        404,
        ("چنین نشانی وب‌هوکی نیست", "There is no such endpoint"),
        (
            "شناسه را با فهرست نشانی‌های وب‌هوک مقایسه کنید؛ شاید برداشته شده باشد.",
            "Compare the id with the list of webhook endpoints; it may have been removed.",
        ),
    ),
    _row(
        errors.EventNotFound,
        404,
        ("چنین رویدادی نیست", "There is no such event"),
        (
            "رویدادها سی روز نگه داشته می‌شوند؛ برای کهنه‌ترها خود پرداخت را بخوانید.",
            "Events are kept for thirty days; for older ones read the payment itself.",
        ),
    ),
    _row(
        errors.SettlementNotFound,
        404,
        ("چنین واریزی نیست", "There is no such settlement"),
        (
            "شناسه را با فهرست واریزها مقایسه کنید؛ واریزی که هنوز بسته نشده دیده نمی‌شود.",
            "Compare the id with the list of settlements; one that is not closed yet is not shown.",
        ),
    ),
    _plain(
        "not_found",
        404,
        ("چنین نشانی‌ای نیست", "There is nothing at this address"),
        ("مسیر را با مرجع مقایسه کنید.", "Compare the path with the reference."),
    ),
    _plain(
        "method_not_allowed",
        405,
        ("این نشانی چنین روشی ندارد", "The address does not take this method"),
        ("روش‌های مجاز در سرآیند `Allow` آمده است.", "The header `Allow` names the methods."),
    ),
    _row(
        errors.NotPossible,
        409,
        ("وضعیت پرداخت اجازه نمی‌دهد", "The payment's state forbids this"),
        (
            "وضعیت کنونی در `state` است؛ پرداخت را بخوانید و از آنجا تصمیم بگیرید.",
            "`state` is how it stands; read the payment and decide from there.",
        ),
    ),
    _row(
        errors.ReversalWindowOver,
        409,
        ("مهلت بازگرداندن گذشته است", "The time for reversing is over"),
        (
            "پس از `reverse_before` پول را باید از راهی دیگر به خریدار برگردانید.",
            "After `reverse_before` give the money back to the shopper in another way.",
        ),
    ),
    _row(
        bill_errors.InvalidBill,
        422,
        ("شمارهٔ قبض درست نیست", "A bill's number is not right"),
        (
            "شناسه را دوباره از روی قبض بنویسید؛ `errors` می‌گوید کدام است.",
            "Copy the number from the bill again; `errors` says which it is.",
        ),
    ),
    _row(
        bill_errors.InvalidBills,
        422,
        ("فهرست قبض‌ها پذیرفته نیست", "The list of bills is not possible"),
        (
            "یک تا ۱۰ قبض بفرستید، هر کدام یک بار.",
            "Send one to ten bills, each of them once.",
        ),
    ),
    _row(
        bill_errors.UnknownBiller,
        422,
        ("صادرکنندهٔ قبض متصل نیست", "Whoever sent the bill is not connected"),
        (
            "این قبض را از این درگاه نمی‌توان پرداخت؛ بقیه را بی آن بفرستید.",
            "This bill cannot be paid here; send the others without it.",
        ),
    ),
    _row(
        bill_errors.BillAlreadyPaid,
        409,
        ("قبض پیش‌تر پرداخت شده است", "A bill is paid already"),
        (
            "آن قبض را از فهرست بردارید. اگر هم‌اکنون کسی در حال پرداخت آن است، چند دقیقهٔ دیگر دوباره ببینید.",
            "Take that bill out of the list. If somebody is paying it right now, look again in a few minutes.",
        ),
    ),
    _row(
        bill_errors.BillNotFound,
        404,
        ("چنین قبض پرداخت‌شده‌ای نیست", "No such bill of yours was paid"),
        (
            "کد پیگیری و شناسه‌ها را همان‌گونه که در `bill.paid` آمده بفرستید؛ هر صادرکننده تنها قبض‌های خود را می‌بیند.",
            "Send tracking code and numbers as `bill.paid` named them; a biller sees its own bills only.",
        ),
    ),
    _row(
        bill_errors.RefusalNotSigned,
        403,
        ("امضای نپذیرفتن قبض درست نیست", "The refusal is not signed by you"),
        (
            "متن `bill.refused.<tracking_code>.<bill_id>.<pay_id>` را با راز ۴۸‌ساعتهٔ یکی از وب‌هوک‌های خود امضا کنید.",
            "Sign `bill.refused.<tracking_code>.<bill_id>.<pay_id>` under a webhook secret of yours, 48 hours old.",
        ),
    ),
    _row(
        top_up_errors.InvalidTopUp,
        422,
        ("این شارژ ممکن نیست", "This top-up is not possible"),
        (
            "شماره، اپراتور یا مبلغ را درست کنید؛ `errors` می‌گوید کدام است.",
            "Correct number, operator or amount; `errors` says which it is.",
        ),
    ),
    _row(
        top_up_errors.OperatorNotOffered,
        422,
        ("شارژ این اپراتور ممکن نیست", "That operator's numbers are not topped up here"),
        (
            "اگر شماره ترابرد شده است، اپراتور کنونی را در `operator` بفرستید.",
            "If the number was ported, send its present operator in `operator`.",
        ),
    ),
    *REFUNDS,
    *TRANSFERS,
    _row(
        errors.AmountMismatch,
        409,
        ("مبلغ با مبلغ پرداخت یکی نیست", "The amount is not the payment's"),
        (
            "چیزی تغییر نکرد. سفارش و پرداخت را مقایسه کنید؛ کالا را تحویل ندهید.",
            "Nothing was changed. Compare order and payment; do not deliver.",
        ),
    ),
    _row(
        errors.DuplicateOrder,
        409,
        ("این سفارش پرداختی زنده دارد", "The order has a live payment"),
        (
            "همان پرداخت را که `payment_id` نام می‌برد به کار ببرید؛ شمارهٔ سفارش پس از لغو، انقضا یا بازگشت آزاد می‌شود.",
            "Use the payment that `payment_id` names; the order id is free again once that one came to nothing.",
        ),
    ),
    _row(
        errors.RequestInProgress,
        409,
        ("همین درخواست در حال انجام است", "The same request is being carried out"),
        (
            "پس از `Retry-After` همان درخواست را با همان کلید تکرار کنید.",
            "Repeat the same request with the same key after `Retry-After`.",
        ),
    ),
    _row(
        errors.DuplicateEndpoint,
        409,
        ("این نشانی وب‌هوک ثبت شده است", "There is an endpoint with this address"),
        ("همان را که در فهرست هست تغییر دهید یا بردارید.", "Change or remove the one in the list."),
    ),
    _row(
        errors.TooManyEndpoints,
        409,
        ("شمار نشانی‌های وب‌هوک به سقف رسیده است", "There are as many endpoints as there may be"),
        ("هر پذیرنده حداکثر ۱۶ نشانی دارد؛ یکی را بردارید.", "A merchant has at most 16; remove one."),
    ),
    _row(
        errors.RotationRunning,
        409,
        ("هم‌اکنون دو راز معتبرند", "Two secrets are live already"),
        (
            "تا پایان هم‌پوشانی صبر کنید، یا با `overlap_seconds` صفر هر دو راز پیشین را پایان دهید.",
            "Wait until the overlap ends, or rotate with `overlap_seconds` 0, which ends both.",
        ),
    ),
    _plain(
        "body_too_large",
        413,
        ("بدنهٔ درخواست بیش از اندازه بزرگ است", "The body is too large"),
        ("بدنه حداکثر ۱۶۳۸۴ بایت است.", "A body has at most 16384 bytes."),
    ),
    _row(
        errors.UnsupportedMediaType,
        415,
        ("نوع بدنه پذیرفته نیست", "The body is of another type"),
        ("سرآیند `Content-Type` را `application/json` بگذارید.", "Send `Content-Type: application/json`."),
    ),
    _row(
        errors.InvalidAmount,
        422,
        ("مبلغ بیرون از حد است", "The amount is outside its limits"),
        ("مبلغ به ریال است: از ۱٬۰۰۰ تا ۱٬۰۰۰٬۰۰۰٬۰۰۰.", "Amounts are rials: from 1,000 to 1,000,000,000."),
    ),
    _row(
        errors.InvalidOrderId,
        422,
        ("شمارهٔ سفارش پذیرفته نیست", "The order id has another shape"),
        ("۱ تا ۶۴ حرف لاتین، رقم و `._-` بفرستید.", "Send 1 to 64 letters, digits and `._-`."),
    ),
    _row(
        errors.InvalidCallback,
        422,
        ("نشانی بازگشت پذیرفته نیست", "The callback address is not yours"),
        (
            "نشانی باید روی سایت ثبت‌شدهٔ شما و در محیط عملیاتی `https` باشد.",
            "It must be on your registered site, and https at the live gateway.",
        ),
    ),
    _row(
        errors.InvalidText,
        422,
        ("متنی شکل دیگری دارد", "A text has another shape"),
        ("نام و قاعدهٔ آن در `errors` آمده است.", "`errors` names it and its rule."),
    ),
    _row(
        errors.InvalidEndpoint,
        422,
        ("نشانی وب‌هوک بیرون از قاعده است", "The webhook endpoint is outside its rules"),
        (
            "نشانی، نوع رویدادها یا زمان هم‌پوشانی را طبق `detail` درست کنید.",
            "Correct the address, the event types or the overlap as `detail` says.",
        ),
    ),
    _row(
        errors.IdempotencyMismatch,
        422,
        ("کلید یکتایی از آنِ درخواست دیگری است", "The idempotency key belongs to another request"),
        ("برای هر درخواست تازه کلیدی تازه بسازید.", "Make a new key for each new request."),
    ),
    _row(
        errors.TooManyCalls,
        429,
        ("شمار درخواست‌ها بیش از حد است", "There were too many calls"),
        ("به اندازهٔ `Retry-After` ثانیه صبر کنید.", "Wait `Retry-After` seconds."),
    ),
    _plain(
        "unavailable",
        503,
        ("نتیجه معلوم نیست؛ دوباره بفرستید", "The outcome is not known; try again"),
        (
            "شاید انجام شده باشد و شاید نه. همان درخواست را با همان `Idempotency-Key` تکرار کنید.",
            "It may or may not have been carried out. Repeat it with the same `Idempotency-Key`.",
        ),
    ),
)

BY_CODE = {row.code: row for row in ROWS}
BY_ERROR = {row.of: row for row in ROWS if row.of is not None}


def row_of(error: GatewayError) -> Row | None:
    """Return the row of an error's class or its nearest parent's; ``None`` for one no merchant should ever meet."""
    return next((BY_ERROR[kind] for kind in type(error).__mro__ if kind in BY_ERROR), None)
