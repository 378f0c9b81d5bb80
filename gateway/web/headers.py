"""Response headers of the hosted pages: a browser may load, send and frame nothing that is not ours."""

from __future__ import annotations

import gzip
import re

from flask import Blueprint, Response, request

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""Content-Security-Policy. ``form-action 'self'`` also blocks a POST's redirect to a shop: there is none (D40)."""

PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "otp-credentials=(self), camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex",
}
_YEAR_SECONDS = 31_536_000
_REMARKS = {
    "text/css": re.compile(rb"/\*.*?\*/\s*|^[ \t]+", re.DOTALL | re.MULTILINE),
    "text/javascript": re.compile(rb"^[ \t]+(//.*\n)?|^//.*\n", re.MULTILINE),
}
"""What a browser does not need of our own style and script: remarks on lines of their own, and indentation."""


def guard_pages(blueprint: Blueprint) -> None:
    """Put the headers on every answer of this blueprint, and long-lived compressed ones on the static files."""
    blueprint.after_request(guard)
    blueprint.after_app_request(pack_static)


def guard(response: Response) -> Response:
    """Add the pages' headers; TLS-only once the page came over TLS."""
    response.headers.update(PAGE_HEADERS)
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}; includeSubDomains"
    return response


def pack_static(response: Response) -> Response:
    """Let browsers keep static files for good (their address carries a version) and send style and script small.

    Pages are not compressed: they hold a proof and, after a mistake, a card number (BREACH).
    """
    if request.endpoint != "static" or response.status_code != 200:  # noqa: PLR2004 - success
        return response
    response.headers["X-Content-Type-Options"] = "nosniff"
    if "v" in request.args or response.mimetype == "font/woff2":
        response.headers["Cache-Control"] = f"public, max-age={_YEAR_SECONDS}, immutable"
    if response.mimetype in _REMARKS and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(gzip.compress(_REMARKS[response.mimetype].sub(b"", response.get_data()), mtime=0))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response
