"""Response headers of the hosted pages: a browser may load, send and frame nothing that is not ours."""

from __future__ import annotations

from flask import Response

from gateway.web.rendering import gateway_of_app

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "media-src 'self'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'; "
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


def guard(response: Response) -> Response:
    """Add the pages' headers; TLS-only where browsers come over TLS, wherever it ends."""
    response.headers.update(PAGE_HEADERS)
    if gateway_of_app().settings.public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={_YEAR_SECONDS}; includeSubDomains"
    return response
