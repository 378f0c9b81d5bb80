"""The app at ``/ramznegar/``: one page, its files, a service worker and a manifest. Its data come from the API."""

from __future__ import annotations

from http import HTTPStatus
from typing import cast

from flask import Blueprint, Response, abort, current_app, render_template, request, url_for

from otp.ramznegar.shell import File, Shell
from otp.ramznegar.wording import say
from otp.services.bank import Bank

blueprint = Blueprint("ramznegar", __name__, url_prefix="/ramznegar", template_folder="templates")

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; form-action 'none'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types ramznegar"
)
"""Nothing is loaded from elsewhere; the one Trusted Types policy names the service worker and nothing else."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cross-Origin-Resource-Policy": "same-origin"}
PAGE_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(self), publickey-credentials-create=(self), publickey-credentials-get=(self), "
        "geolocation=(), microphone=(), payment=()"
    ),
}
_EXTENSION = "ramznegar-shell"
YEAR_SECONDS = 31_536_000
FOR_GOOD = f"public, max-age={YEAR_SECONDS}, immutable"
ASK_AGAIN = "no-cache"
"""The page, the worker and the manifest are asked for again each time: they name the version."""


@blueprint.get("/")
def show() -> Response:
    """Show the app; the language is the phone's own choice, so there is one page for all."""
    return _sent(_shell().page, ASK_AGAIN)


@blueprint.get("/sw.js")
def worker() -> Response:
    """Give the service worker of the present version."""
    return _sent(_shell().worker(url_for("ramznegar.show"), _address), ASK_AGAIN)


@blueprint.get("/manifest.webmanifest")
def manifest() -> Response:
    """Describe the app to a phone that installs it."""
    return Response(
        render_template("manifest.webmanifest", address=_address, t=_said, bank_name=_bank().settings.bank_name_fa),
        mimetype="application/manifest+json",
        headers={"Cache-Control": ASK_AGAIN},
    )


@blueprint.get("/files/<version>/<name>")
def file(version: str, name: str) -> Response:
    """Give a file of this version; those of another are not here, and no page runs with a mixture."""
    shell = _shell()
    if version != shell.version or name not in shell.files:
        abort(Response(status=HTTPStatus.NOT_FOUND, headers={"Cache-Control": "no-store"}))
    return _sent(shell.files[name], FOR_GOOD)


@blueprint.after_request
def guard(response: Response) -> Response:
    """Add the headers: those of a page where something can run or be framed; TLS only, where the bank's address is."""
    response.headers.update(HEADERS)
    if request.endpoint != "ramznegar.file":
        response.headers.update(PAGE_HEADERS)
    if _bank().settings.public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}; includeSubDomains"
    return response


def _sent(found: File, keeping: str) -> Response:
    packed = found.packed if request.accept_encodings["gzip"] else None
    response = Response(packed or found.content, content_type=found.kind, headers={"Cache-Control": keeping})
    if packed is not None:
        response.headers["Content-Encoding"] = "gzip"
    response.vary.add("Accept-Encoding")
    return response


def _shell() -> Shell:
    """Return the files of this process, read at the first request."""
    if _EXTENSION not in current_app.extensions:
        current_app.extensions[_EXTENSION] = Shell(_page)
    return cast("Shell", current_app.extensions[_EXTENSION])


def _page(version: str) -> str:
    settings = _bank().settings
    return render_template(
        "ramznegar.html",
        sandbox=settings.mode == "sandbox",
        bank_name=settings.bank_name_fa,
        bank_name_en=settings.bank_name_en,
        address=lambda name: url_for("ramznegar.file", version=version, name=name),
        t=_said,
    )


def _address(name: str) -> str:
    return url_for("ramznegar.file", version=_shell().version, name=name)


def _said(key: str) -> str:
    return say(key, "fa")


def _bank() -> Bank:
    return cast("Bank", current_app.extensions["bank"])
