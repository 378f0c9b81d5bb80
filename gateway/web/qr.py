"""QR codes as pictures inside a page: no file, no script, no style of their own."""

from __future__ import annotations

import segno
from markupsafe import Markup

QUIET_ZONE = 4
"""Empty modules around the code, as ISO/IEC 18004 asks for."""


def qr_picture(text: str) -> Markup:
    """Return ``text`` as an SVG element, dark on nothing, hidden from screen readers: its neighbour says what it is."""
    drawing = segno.make_qr(text, error="m").svg_inline(border=QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None)
    return Markup(drawing.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704 - the library's drawing, not text
