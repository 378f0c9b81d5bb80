"""QR codes as drawings: inside a page, or as a file of their own; without script and style either way."""

from __future__ import annotations

import io

import segno
from markupsafe import Markup

MASK = 3
"""One of the eight patterns of ISO/IEC 18004: readers take any, and judging all costs more than the whole page."""
QUIET_ZONE = 4
"""Empty modules around the code, as ISO/IEC 18004 asks for."""


def qr_picture(text: str) -> Markup:
    """Return ``text`` as an SVG element, dark on nothing, hidden from screen readers: its neighbour says what it is."""
    drawing = segno.make_qr(text, error="m", mask=MASK).svg_inline(
        border=QUIET_ZONE, omitsize=True, svgclass=None, lineclass=None
    )
    return Markup(drawing.replace("<svg", '<svg aria-hidden="true"', 1))  # noqa: S704 - the library's drawing, not text


def qr_file(text: str) -> bytes:
    """Return ``text`` as an SVG file, dark on white, so that it can be read in the dark theme too."""
    drawn = io.BytesIO()
    code = segno.make_qr(text, error="m", mask=MASK)
    code.save(
        drawn, kind="svg", border=QUIET_ZONE, light="#fff", omitsize=True, xmldecl=False, svgclass=None, lineclass=None
    )
    return drawn.getvalue()
