"""Problems of transfers, as rows of the catalogue."""

from __future__ import annotations

from gateway.api.problem_rows import row
from gateway.domain import transfer_errors as errors

TRANSFERS = (
    row(
        errors.DestinationNotFound,
        404,
        ("چنین کارت مقصدی ذخیره نشده است", "There is no such saved destination"),
        (
            "شاید حذف شده یا مهلتش گذشته است؛ انتقال را بی `destination_token` باز کنید تا پرداخت‌کننده بنویسد.",
            "It was deleted, or its time is over. Without `destination_token` whoever pays types the card.",
        ),
    ),
    row(
        errors.TransferLimit,
        422,
        ("مبلغ بیرون از حد انتقال است", "The amount is outside the limits of transfers"),
        ("هر انتقال از ۱۰٬۰۰۰ تا ۵۰٬۰۰۰٬۰۰۰ ریال است.", "One transfer takes 10,000 to 50,000,000 rials."),
    ),
)
