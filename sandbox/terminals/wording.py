"""Every sentence of the cash machine and the till, by key, in Persian and English."""

from __future__ import annotations

from sandbox.words import Words

TERMINAL_WORDS: dict[str, Words] = {
    "machine": Words("خودپرداز", "Cash machine"),
    "till": Words("کارت‌خوان", "Till"),
    "atm.insert": Words("کارت خود را وارد کنید", "Insert your card"),
    "atm.insert.text": Words(
        "یکی از کارت‌های این بانک را انتخاب کنید یا شمارهٔ آن را بنویسید.",
        "Choose a card of this bank, or type its number.",
    ),
    "atm.card": Words("کارت", "Card"),
    "atm.card.none": Words("شماره را می‌نویسم", "I type the number"),
    "atm.typed": Words("یا شمارهٔ کارت", "Or a card number"),
    "atm.insert.key": Words("واردکردن کارت", "Insert the card"),
    "atm.wrong.card": Words("این شمارهٔ کارت درست نیست.", "That is not a valid card number."),
    "atm.wrong.amount": Words("مبلغ را به ریال بنویسید.", "Write an amount in rials."),
    "atm.wrong.real": Words(
        "این شماره از کارت‌های نمونه نیست و شاید از یک بانک واقعی باشد. فقط کارت‌های نمونه را وارد کنید. چیزی ارسال نشد.",
        "This card is not of this sandbox. Use only sample cards here. Nothing was sent.",
    ),
    "atm.wrong.foreign": Words(
        "این کارت از بانک دیگری است؛ خدمات آن در خودپرداز همان بانک است:",
        "This card is of another bank; its services are at that bank’s machine:",
    ),
    "atm.taken": Words("کارت خود را بردارید. سپاس.", "Please take your card. Thank you."),
    "atm.in": Words("کارت {masked}", "Card {masked}"),
    "atm.keys": Words("کلیدهای کنار صفحه", "Keys beside the screen"),
    "atm.pad": Words("صفحه‌کلید", "Keypad"),
    "atm.pad.clear": Words("پاک‌کردن", "Clear"),
    "atm.title.pin": Words("رمز اول را وارد کنید", "Enter your first PIN"),
    "atm.title.menu": Words("چه خدمتی می‌خواهید؟", "What would you like?"),
    "atm.title.services": Words("تغییر رمز و خدمات رمز پویا", "PINs and dynamic PIN services"),
    "atm.title.app": Words("فعال‌سازی رمزنگار", "Activate Ramznegar"),
    "atm.title.slip": Words("رسید فعال‌سازی", "Activation slip"),
    "atm.title.sms": Words("رمزنگار پیامکی", "Ramznegar by SMS"),
    "atm.title.end": Words("غیرفعال‌کردن", "Deactivate"),
    "atm.title.mobile": Words("تغییر شمارهٔ موبایل", "Change the mobile number"),
    "atm.title.mobile_code": Words("کدی را که پیامک شد وارد کنید", "Enter the code that was texted"),
    "atm.title.static": Words("رمز دوم ایستا برای خریدهای خرد", "A static second PIN for small purchases"),
    "atm.title.first": Words("تغییر رمز اول", "Change the first PIN"),
    "atm.title.done": Words("خدمات رمز پویا", "Dynamic PIN services"),
    "atm.text.pin": Words(
        "چهار رقم رمز کارت، یا شش رقم رمز اول پویا از رمزنگار.",
        "The card’s four digits, or six digits of a dynamic first PIN from Ramznegar.",
    ),
    "atm.text.app": Words(
        "رسیدی با شناسهٔ فعال‌سازی و بخش اول کد چاپ می‌شود و بخش دوم کد به {mobile} پیامک می‌شود. هر سه را در رمزنگار "
        "وارد کنید.",
        "A slip with the activation ID and the first part of the code is printed, and the second part is texted to "
        "{mobile}. Type all three into Ramznegar.",
    ),
    "atm.text.sms": Words(
        "هر بار که چهار رقم آخر کارت را به {number} پیامک کنید، رمز پویا به {mobile} پیامک می‌شود. این شمارهٔ موبایل "
        "درست است؟",
        "Whenever you text the card’s last four digits to {number}, a code is texted to {mobile}. Is this mobile "
        "number yours?",
    ),
    "atm.text.mobile": Words(
        "شمارهٔ ثبت‌شده: {mobile}. پس از تغییر، رمزنگار این کارت غیرفعال می‌شود، به هر دو شماره خبر می‌دهیم، و تا ۲۴ ساعت "
        "سقف رمزها پایین است.",
        "Registered: {mobile}. After a change the card’s Ramznegar ends, both numbers are told, and codes keep a low "
        "ceiling for 24 hours.",
    ),
    "atm.text.mobile_code": Words("کد به {typed} پیامک شد.", "The code was texted to {typed}."),
    "atm.text.static": Words(
        "با رمز دوم ایستا می‌توان روزی تا {amount} ریال بدون رمز پویا خرید کرد. هرکس آن را بداند می‌تواند با "
        "کارت شما خرید کند؛ مسئولیت آن با شماست.",
        "With a static second PIN you can spend up to {amount} Rial a day without a dynamic PIN. Whoever knows it can "
        "buy with your card; that is at your own risk.",
    ),
    "atm.text.first": Words("رمز تازه چهار رقم است.", "The new PIN has four digits."),
    "atm.none": Words("شماره‌ای ثبت نشده", "none"),
    "atm.agree": Words("می‌پذیرم", "I accept"),
    "atm.field.pin": Words("رمز", "PIN"),
    "atm.field.again": Words("همان رمز، دوباره", "The same PIN again"),
    "atm.field.mobile": Words("شمارهٔ تازه", "New number"),
    "atm.field.code": Words("کد شش‌رقمی", "Code of six digits"),
    "atm.key.enter": Words("تأیید", "Enter"),
    "atm.key.yes": Words("بله، انجام شود", "Yes, go on"),
    "atm.key.back": Words("بازگشت", "Back"),
    "atm.key.take": Words("دریافت کارت", "Take the card"),
    "atm.key.services": Words("تغییر رمز و خدمات رمز پویا", "PINs and dynamic PIN services"),
    "atm.key.app": Words("فعال‌سازی رمزنگار (برنامه)", "Activate Ramznegar (app)"),
    "atm.key.sms": Words("فعال‌سازی رمزنگار پیامکی", "Activate Ramznegar by SMS"),
    "atm.key.end": Words("غیرفعال‌کردن", "Deactivate"),
    "atm.key.mobile": Words("تغییر شمارهٔ موبایل", "Change the mobile number"),
    "atm.key.static": Words("رمز دوم ایستا", "Static second PIN"),
    "atm.key.first": Words("تغییر رمز اول", "Change the first PIN"),
    "atm.key.end_app": Words("رمزنگار (برنامه)", "Ramznegar (app)"),
    "atm.key.end_sms": Words("رمزنگار پیامکی", "Ramznegar by SMS"),
    "atm.key.end_static": Words("رمز دوم ایستا", "Static second PIN"),
    "atm.no_answer": Words(
        "بانک پاسخ نداد. کارت خود را بردارید و کمی بعد دوباره بیایید.",
        "The bank did not answer. Take your card and try again in a moment.",
    ),
    "atm.no_answer.117": Words("رمز درست نیست.", "That PIN is not right."),
    "atm.no_answer.126": Words("رمز خوانا نبود؛ دوباره وارد کنید.", "The PIN could not be read; enter it again."),
    "atm.no_answer.127": Words("رمز چهار رقم دارد، رمز پویا شش رقم.", "A PIN has four digits, a dynamic one six."),
    "atm.no_answer.181": Words(
        "این رمز پویا یک بار استفاده شده است؛ رمز دقیقهٔ بعد را وارد کنید.",
        "This dynamic PIN was used already; enter the one of the next minute.",
    ),
    "atm.no_answer.101": Words(
        "تاریخ این کارت گذشته است. کارت تازه را از بانک بگیرید.",
        "This card has expired. Ask your bank for a new one.",
    ),
    "atm.no_answer.104": Words(
        "بانک این کارت را مسدود کرده است؛ با بانک تماس بگیرید.", "Your bank has blocked this card; contact them."
    ),
    "atm.no_answer.106": Words(
        "رمز چند بار نادرست بود. برای حفاظت از شما، رمز اول این کارت از چند دقیقه تا یک روز بسته است؛ خرید اینترنتی "
        "باز است.",
        "The PIN was wrong several times. To protect you it is closed for some minutes up to a day; purchases on the "
        "net go on.",
    ),
    "atm.no_answer.115": Words("این خدمت در دسترس نیست.", "This service is not available."),
    "atm.not_agreed": Words("برای ادامه باید متن را بپذیرید.", "Accept the text to go on."),
    "atm.no.visit_over": Words("برای ادامه، رمز اول را دوباره وارد کنید.", "To go on, enter your first PIN again."),
    "atm.no.gift_card": Words(
        "کارت هدیه خدمات رمز پویا ندارد؛ رمز دوم آن همراه کارت است.",
        "A gift card has no dynamic PIN services; its second PIN came with it.",
    ),
    "atm.no.holder_unknown": Words(
        "بانک صاحب این کارت را نمی‌شناسد؛ به شعبه بروید.", "The bank does not know this card’s holder; visit a branch."
    ),
    "atm.no.no_mobile": Words(
        "برای این کارت شمارهٔ موبایلی ثبت نشده است. نخست «تغییر شمارهٔ موبایل» را انتخاب کنید.",
        "No mobile is registered for this card. Choose “Change the mobile number” first.",
    ),
    "atm.no.no_app": Words("رمزنگار برای این کارت فعال نیست.", "Ramznegar is not active for this card."),
    "atm.no.no_sms": Words("رمزنگار پیامکی این کارت فعال نیست.", "Ramznegar by SMS is not active for this card."),
    "atm.no.sms_already": Words("رمزنگار پیامکی فعال است.", "Ramznegar by SMS is active already."),
    "atm.no.no_static_pin": Words("این کارت رمز دوم ایستا ندارد.", "This card has no static second PIN."),
    "atm.no.pin_shape": Words(
        "تعداد رقم‌ها درست نیست: رمز اول چهار رقم است و رمز دوم پنج، شش یا نه تا دوازده رقم.",
        "Wrong number of digits: a first PIN has four, a second one five, six or nine to twelve.",
    ),
    "atm.no.pin_weak": Words(
        "این رمز را زود حدس می‌زنند؛ رمز دیگری برگزینید.", "That PIN is easily guessed; choose another."
    ),
    "atm.no.pins_differ": Words("دو رمز یکی نیستند.", "The two PINs differ."),
    "atm.no.mobile_shape": Words(
        "شمارهٔ موبایل یازده رقم است و با ۰۹ آغاز می‌شود.", "A mobile number has eleven digits and begins with 09."
    ),
    "atm.no.mobile_same": Words("همین شماره ثبت شده است.", "This number is the registered one."),
    "atm.no.code_wrong": Words("کد درست نیست.", "That code is not right."),
    "atm.no.code_over": Words(
        "این کد دیگر اعتبار ندارد؛ دوباره شماره را وارد کنید.", "This code is over; enter the number again."
    ),
    "atm.no.too_many": Words(
        "امروز بیش از اندازه درخواست شد؛ فردا دوباره بیایید.", "Too many requests today; come back tomorrow."
    ),
    "atm.done.sms": Words(
        "رمزنگار پیامکی فعال شد؛ راهنمای آن پیامک می‌شود.", "Ramznegar by SMS is active; how to use it is texted to you."
    ),
    "atm.done.end_app": Words("رمزنگار این کارت غیرفعال شد.", "Ramznegar has ended for this card."),
    "atm.done.end_sms": Words("رمزنگار پیامکی غیرفعال شد.", "Ramznegar by SMS has ended."),
    "atm.done.end_static": Words("رمز دوم ایستا غیرفعال شد.", "The static second PIN has ended."),
    "atm.done.mobile": Words("شمارهٔ تازه ثبت شد.", "The new number is registered."),
    "atm.done.static": Words("رمز دوم ایستا فعال شد.", "The static second PIN is active."),
    "atm.done.first": Words("رمز اول عوض شد.", "The first PIN was changed."),
    "atm.slip.id": Words("شناسهٔ فعال‌سازی", "Activation ID"),
    "atm.slip.part": Words("بخش اول کد", "First part of the code"),
    "atm.slip.text": Words(
        "بخش دوم کد به شماره‌ای که به {mobile} ختم می‌شود پیامک شد.",
        "The second part of the code was texted to the number that ends in {mobile}.",
    ),
    "atm.slip.until": Words("اعتبار تا", "Valid until"),
    "atm.slip.secret": Words("این رسید را به کسی ندهید.", "Give this slip to nobody."),
    "atm.slip.qr": Words("همین دو عدد، برای دوربین رمزنگار", "The same two numbers, for Ramznegar’s camera"),
    "atm.print": Words("چاپ رسید", "Print the slip"),
    "atm.more": Words("وقت بیشتری می‌خواهید؟", "Do you need more time?"),
    "atm.more.text": Words(
        "اگر پاسخ ندهید، کارت تا {seconds} ثانیهٔ دیگر بیرون می‌آید.",
        "Without an answer the card comes out in {seconds} seconds.",
    ),
    "atm.more.yes": Words("بله، وقت بیشتر", "Yes, more time"),
    "till.title": Words("خرید با کارت و رمز اول", "Pay with card and first PIN"),
    "till.amount": Words("مبلغ (ریال)", "Amount (Rial)"),
    "till.pin": Words("رمز اول", "First PIN"),
    "till.pay": Words("کشیدن کارت", "Pay"),
    "till.receipt": Words("رسید", "Receipt"),
    "till.sales": Words("خریدهای همین کارت‌خوان", "Sales of this till"),
    "till.none": Words("هنوز خریدی نبوده است.", "No sales yet."),
    "till.rial": Words("{amount} ریال", "{amount} Rial"),
    "till.rrn": Words("شمارهٔ مرجع", "Reference"),
    "till.state.sent": Words("در انتظار پاسخ بانک", "Waiting for the bank"),
    "till.state.approved": Words("انجام شد", "Approved"),
    "till.state.declined": Words("انجام نشد", "Declined"),
    "till.state.reversing": Words("بانک پاسخ روشنی نداد؛ در حال برگشت است", "No clear answer; being reversed"),
    "till.state.reversed": Words("برگشت داده شد", "Reversed"),
    "till.back": Words("برگشت پول", "Give the money back"),
    "till.no.101": Words("تاریخ کارت گذشته است.", "The card has expired."),
    "till.no.104": Words("کارت مسدود است.", "The card is blocked."),
    "till.no.106": Words("رمز چند بار نادرست بود؛ کارت صبر می‌کند.", "Too many wrong PINs; the card waits."),
    "till.no.110": Words("این مبلغ ممکن نیست.", "This amount is not possible."),
    "till.no.115": Words("این خدمت در دسترس نیست.", "This service is not available."),
    "till.no.116": Words("موجودی کافی نیست.", "Not enough balance."),
    "till.no.117": Words("کارت یا رمز درست نیست.", "Card or PIN is not right."),
    "till.no.121": Words("از سقف کارت بیشتر است.", "Above the card’s limit."),
    "till.no.124": Words("کارمزد پذیرفته نشد.", "The fee was not accepted."),
    "till.no.126": Words("رمز خوانا نبود.", "The PIN could not be read."),
    "till.no.127": Words("رمز چهار رقم دارد، رمز پویا شش رقم.", "A PIN has four digits, a dynamic one six."),
    "till.no.181": Words("این رمز پویا یک بار استفاده شده است.", "This dynamic PIN was used already."),
}
