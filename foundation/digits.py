"""Digits as people type them (Persian, Arabic-Indic, ASCII) and as machines want them.

>>> to_ascii_digits("۶۲۱۹-٨٦۱۰")
'6219-8610'
>>> to_persian_digits("12:05")
'۱۲:۰۵'
"""

PERSIAN = "۰۱۲۳۴۵۶۷۸۹"
ARABIC_INDIC = "٠١٢٣٤٥٦٧٨٩"
ASCII = "0123456789"

_TO_ASCII = str.maketrans(PERSIAN + ARABIC_INDIC, ASCII * 2)
_TO_PERSIAN = str.maketrans(ASCII, PERSIAN)


def to_ascii_digits(text: str) -> str:
    """Turn Persian and Arabic-Indic digits into ASCII ones and leave everything else as it is."""
    return text.translate(_TO_ASCII)


def to_persian_digits(text: str) -> str:
    """Turn ASCII digits into Persian ones and leave everything else as it is."""
    return text.translate(_TO_PERSIAN)


def only_digits(text: str) -> str:
    """Return the digits of ``text``, as ASCII, without separators of any kind."""
    return "".join(character for character in to_ascii_digits(text) if character in ASCII)
