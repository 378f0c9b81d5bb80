"""What the settings say: cards, ceilings, devices, clock."""

from __future__ import annotations

from otp.ramznegar.words import Words

SETTINGS = {
    "settings": Words("تنظیمات", "Settings"),
    "cards": Words("کارت‌ها", "Cards"),
    "card.add": Words("افزودن کارت", "Add a card"),
    "card.add.one": Words("افزودن کارت •••• {tail}", "Add card •••• {tail}"),
    "card.added": Words("کارت افزوده شد.", "Card added."),
    "card.mine": Words("کارت‌های دیگر من در این بانک", "My other cards at this bank"),
    "card.mine.text": Words(
        "کد تأیید به شماره‌ای می‌رود که برای همان کارت ثبت است.", "A code goes to the mobile registered for that card."
    ),
    "card.by_atm": Words("با رسید خودپرداز", "With an ATM slip"),
    "card.remove": Words("حذف کارت", "Remove card"),
    "card.remove.of": Words("حذف کارت {tail}", "Remove card {tail}"),
    "card.remove.ask": Words(
        "کارت {tail} از رمزنگار حذف شود؟ رمزهای آن دیگر پذیرفته نمی‌شود.",
        "Remove card {tail} from Ramznegar? Its codes will no longer be accepted.",
    ),
    "ceiling": Words("سقف هر رمز", "Ceiling per code"),
    "ceiling.of_code": Words("سقف هر رمز: {amount}", "Ceiling per code: {amount}"),
    "ceiling.change": Words("تغییر سقف", "Change ceiling"),
    "ceiling.change.of": Words("تغییر سقف کارت {tail}", "Change ceiling of card {tail}"),
    "ceiling.text": Words(
        "سقف برای رمز دوم معمولی است. «رمز ویژهٔ این خرید» سقف ندارد، چون فقط برای همان خرید است.",
        "The ceiling is for ordinary second PINs. A “code for this purchase” has none: it serves only that one.",
    ),
    "ceiling.now": Words("سقف کنونی", "Ceiling now"),
    "ceiling.most": Words("بیشترین سقف بانک", "The bank’s maximum"),
    "ceiling.new": Words("سقف تازه به ریال", "New ceiling in Rial"),
    "ceiling.delay": Words(
        "کم کردن همین حالا اثر می‌کند؛ زیاد کردن پس از تأیید پیامکی و ۲۴ ساعت.",
        "Lowering counts at once; raising after an SMS confirmation and 24 hours.",
    ),
    "ceiling.lowered": Words("سقف تازه از همین حالا برقرار است.", "The new ceiling counts from now."),
    "ceiling.raised": Words("سقف تازه ۲۴ ساعت دیگر برقرار می‌شود.", "The new ceiling takes effect in 24 hours."),
    "ceiling.next": Words("از {time}: {amount}", "From {time}: {amount}"),
    "devices": Words("دستگاه‌ها", "Devices"),
    "device.this": Words("همین دستگاه", "This device"),
    "device.suspended": Words("بسته‌شده", "Suspended"),
    "device.seen": Words("آخرین تماس: {time}", "Last seen: {time}"),
    "device.remove": Words("حذف دستگاه", "Remove device"),
    "device.remove.of": Words("حذف دستگاه {name}", "Remove device {name}"),
    "device.remove.ask": Words(
        "دستگاه «{name}» حذف شود؟ رمزهای آن دیگر پذیرفته نمی‌شود.",
        "Remove “{name}”? Its codes will no longer be accepted.",
    ),
    "safety.pin": Words("رمز ورود", "App PIN"),
    "safety": Words("رمز ورود و اثر انگشت", "App PIN and fingerprint"),
    "pin.change": Words("تغییر رمز ورود", "Change app PIN"),
    "pin.change.text": Words(
        "بانک باید رمز کنونی را تأیید کند؛ اینترنت لازم است.",
        "The bank must confirm the present PIN; this needs the network.",
    ),
    "pin.new": Words("رمز ورود تازه", "New app PIN"),
    "pin.changed": Words("رمز ورود عوض شد", "App PIN changed"),
    "clock": Words("ساعت", "Clock"),
    "clock.right": Words("ساعت گوشی با بانک یکی است.", "The phone’s clock agrees with the bank’s."),
    "clock.ahead": Words(
        "ساعت گوشی {amount} جلو است؛ رمزها با ساعت بانک ساخته می‌شوند.",
        "The phone’s clock is {amount} ahead; codes follow the bank’s clock.",
    ),
    "clock.behind": Words(
        "ساعت گوشی {amount} عقب است؛ رمزها با ساعت بانک ساخته می‌شوند.",
        "The phone’s clock is {amount} behind; codes follow the bank’s clock.",
    ),
    "remove": Words("حذف این برنامه", "Remove this app"),
    "remove.ask": Words(
        "همهٔ کلیدها از این دستگاه پاک شود؟ برای استفادهٔ دوباره باید در خودپرداز فعال کنید.",
        "Erase all keys from this device? To use it again you need to activate at an ATM.",
    ),
    "remove.offline": Words(
        "به بانک خبر داده نشد. این دستگاه پاک شود؟ در فهرست بانک می‌ماند تا از دستگاه دیگر یا خودپرداز حذفش کنید.",
        "The bank wasn’t told. Erase this device anyway? It stays on the bank’s list until removed elsewhere.",
    ),
}
