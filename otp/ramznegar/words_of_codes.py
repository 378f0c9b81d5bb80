"""What the screens with codes say."""

from __future__ import annotations

from otp.ramznegar.words import Words

CODES = {
    "home.title": Words("کارت‌های من", "My cards"),
    "home.none": Words("هنوز کارتی در برنامه نیست.", "No card in the app yet."),
    "codes": Words("رمزها", "Codes"),
    "second": Words("رمز دوم", "Second PIN"),
    "second.use": Words("برای خرید اینترنتی تا سقف {amount}", "For online purchases up to {amount}"),
    "first": Words("رمز اول (خودپرداز)", "First PIN (ATM)"),
    "first.use": Words(
        "برای خودپرداز و پایانهٔ فروش. هیچ صفحهٔ اینترنتی نباید آن را بپرسد.",
        "For ATMs and shop terminals. No web page should ever ask for it.",
    ),
    "bound": Words("رمز ویژهٔ این خرید", "Code for this purchase"),
    "unlock": Words("نمایش رمز", "Show code"),
    "unlock.finger": Words("با اثر انگشت", "With fingerprint"),
    "unlock.hint": Words(
        "درستی رمز روی گوشی بررسی نمی‌شود؛ به تصویر نگاه کنید.", "The phone can’t check it; look at the picture."
    ),
    "unlock.again": Words("دوباره وارد کنید", "Enter it again"),
    "picture.yours": Words("تصویر رمز شما:", "Picture of your PIN:"),
    "picture.other": Words("تصویر همیشگی نیست؟", "Not your usual picture?"),
    "picture.ask": Words("این تصویر همیشگی رمز شماست؟", "Is this the usual picture of your PIN?"),
    "picture.yes": Words("بله، همین است", "Yes, it is"),
    "picture.sun": Words("خورشید", "Sun"),
    "picture.tree": Words("درخت", "Tree"),
    "picture.fish": Words("ماهی", "Fish"),
    "picture.star": Words("ستاره", "Star"),
    "picture.house": Words("خانه", "House"),
    "picture.boat": Words("قایق", "Boat"),
    "picture.key": Words("کلید", "Key"),
    "picture.cup": Words("فنجان", "Cup"),
    "left": Words("{seconds} ثانیه", "{seconds} s left"),
    "next": Words("رمز بعدی:", "Next code:"),
    "copy": Words("رونوشت", "Copy"),
    "copied": Words("رونوشت شد", "Copied"),
    "scan": Words("خواندن کد QR صفحهٔ پرداخت", "Scan the payment page’s QR code"),
    "scan.text": Words(
        "در صفحهٔ پرداخت «نمایش کد QR برای رمزنگار» را باز کنید. این کار اینترنت نمی‌خواهد.",
        "On the payment page open “Show QR code for Ramznegar”. This needs no network.",
    ),
    "scan.view": Words("تصویر دوربین", "Camera view"),
    "scan.camera": Words("باز کردن دوربین", "Open camera"),
    "scan.picture": Words("انتخاب عکس", "Choose a picture"),
    "typed": Words("یا خودتان بنویسید", "Or type it"),
    "typed.kind": Words("برای چه؟", "What is it for?"),
    "typed.total": Words("مبلغ کل به ریال", "Total in Rial"),
    "typed.total.hint": Words(
        "با کارمزد، همان که صفحهٔ پرداخت نشان می‌دهد", "Fee included, as the payment page shows it"
    ),
    "typed.make": Words("ساخت رمز", "Make the code"),
    "type": Words("نوع", "Kind"),
    "type.PURCHASE": Words("خرید", "Purchase"),
    "type.CARD_TRANSFER": Words("کارت به کارت", "Card transfer"),
    "type.BILL_PAYMENT": Words("پرداخت قبض", "Bill payment"),
    "type.TOP_UP": Words("شارژ", "Top-up"),
    "type.BALANCE_INQUIRY": Words("مانده‌گیری", "Balance inquiry"),
    "payee": Words("پذیرنده", "Merchant"),
    "fee": Words("کارمزد", "Fee"),
    "terminal": Words("شمارهٔ پایانه", "Terminal"),
    "terminal.hint": Words("در «جزئیات بیشتر» صفحهٔ پرداخت", "Under “More details” on the payment page"),
    "destination": Words("شمارهٔ کارت مقصد", "Destination card"),
    "destination.hint": Words("همه یا ۸ رقم آخر آن", "All of it, or its last 8 digits"),
    "destination.short": Words("کارت مقصد", "Destination card"),
    "bound.title": Words("رمز فقط برای همین", "A code for this only"),
    "bound.compare": Words(
        "اگر مبلغ یا پذیرنده با صفحهٔ پرداخت یکی نیست، رمز را وارد نکنید.",
        "If amount or merchant differ from the payment page, don’t enter the code.",
    ),
}
