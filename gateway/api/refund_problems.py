"""Problems of refunds, as rows of the catalogue."""

from __future__ import annotations

from gateway.api.problem_rows import row
from gateway.domain import refund_errors as errors

REFUNDS = (
    row(
        errors.RefundsExist,
        409,
        ("بخشی از این پرداخت بازپرداخت شده است", "A part of the payment was refunded"),
        (
            "پرداختی که بازپرداخت دارد یکجا بازنمی‌گردد؛ ماندهٔ آن را با `refund` بازپرداخت کنید.",
            "A payment with refunds is not reversed any more; refund the rest with `refund`.",
        ),
    ),
    row(
        errors.RefundNotOffered,
        409,
        ("این نوع پرداخت بازپرداخت ندارد", "A payment of this kind is not refunded"),
        (
            "فقط خرید از این‌جا بازپرداخت می‌شود؛ با پرداخت‌کننده جداگانه تسویه کنید.",
            "Only purchases are refunded here; settle with whoever paid in another way.",
        ),
    ),
    row(
        errors.RefundWindowOver,
        409,
        ("مهلت بازپرداخت گذشته است", "The time for refunds is over"),
        (
            "شمارهٔ کارت دیگر نگه داشته نمی‌شود. پول را با واریز به حسابی که خریدار می‌گوید برگردانید.",
            "The card's number is not kept any more. Pay the shopper back into an account that they name.",
        ),
    ),
    row(
        errors.RefundAboveRest,
        409,
        ("مبلغ بیش از ماندهٔ پرداخت است", "The refund is more than what is left of the payment"),
        (
            "مانده در `detail` آمده است: مبلغ پرداخت منهای `refunded_amount`. با مبلغی کمتر دوباره بخواهید.",
            "`detail` says what is left: the payment's amount less its `refunded_amount`. Ask again for less.",
        ),
    ),
    row(
        errors.RefundIdTaken,
        409,
        ("این شناسهٔ بازپرداخت از آنِ بازپرداخت دیگری است", "The refund id belongs to another refund"),
        (
            "برای بازپرداختی تازه شناسه‌ای تازه بسازید؛ برای دانستن حال آن یکی، بازپرداخت‌های `payment_id` را بخوانید.",
            "Use a new id for a new refund; to learn of the other one, read the refunds of `payment_id`.",
        ),
    ),
    row(
        errors.PayableTooLow,
        409,
        ("طلب شما از درگاه کمتر از این مبلغ است", "You are not owed so much"),
        (
            "بازپرداخت از طلب شماست، جز پولی که شاید بازگردد یا جای تردید دارد. پس از فروش‌های بعدی دوباره بخواهید.",
            "Refunds come out of what you are owed, less what may go back or is in doubt. Ask again after more sales.",
        ),
    ),
    row(
        errors.TooManyRefunds,
        409,
        ("شمار بازپرداخت‌های این پرداخت به سقف رسیده است", "The payment has as many refunds as it may"),
        ("هر پرداخت حداکثر ۵۰ بازپرداخت دارد.", "A payment takes at most 50 refunds."),
    ),
)
