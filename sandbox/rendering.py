"""What the sandbox's own pages share: language, words, response headers, and files that browsers keep."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import cache, partial
from http import HTTPStatus
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, current_app, redirect, render_template, request, send_from_directory, url_for
from werkzeug.wrappers import Response as AnyResponse

from foundation.persian import Language, number
from sandbox.bank_front import SLOW_SECONDS
from sandbox.faults import FaultsFile
from sandbox.wording import say

GUIDE_VARIABLE = "SANDBOX_GUIDE_FILE"
LATE_SECONDS = 20.0
"""How late an SMS is that comes late."""

STATIC = Path(__file__).parent / "static"
GATEWAY_FONTS = Path(__file__).parent.parent / "gateway" / "static"
SHARED = ("vz.woff2", "vz.OFL.txt")
"""The gateway's font and its licence, which these pages show their words in."""

PLACES = (
    ("guide.show", "guide"),
    ("phone.phones", "phones"),
    ("machine.show", "machine"),
    ("till.show", "till"),
    ("control.show", "control"),
)
"""The pages that the head of each page leads to, as far as they are mounted: endpoint, and key of its name."""

YEAR_SECONDS = 31_536_000
FONT = "font/woff2"
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; font-src 'self'; img-src data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

blueprint = Blueprint("sandbox_files", __name__, url_prefix="/sandbox/static")


@dataclass(frozen=True, slots=True)
class Guide:
    """Where everything is and which cards there are, as ``sandbox up`` wrote it down for these pages."""

    shop: str
    gateway: str
    cards: list[dict[str, Any]]

    @classmethod
    def read(cls) -> Guide:
        """Read the file that the sandbox named to this process."""
        return cls(**json.loads(Path(os.environ[GUIDE_VARIABLE]).read_text()))


def guard(response: Response) -> Response:
    """Add the headers of every page: nothing is loaded from elsewhere, framed, or kept by a browser."""
    response.headers.update(HEADERS)
    response.headers.setdefault("Cache-Control", "no-store")
    return response


@blueprint.get("/<path:name>")
def file(name: str) -> Response:
    """Serve style, script and font; a browser keeps what never changes, or was asked for by this very version."""
    response = send_from_directory(GATEWAY_FONTS if name in SHARED else STATIC, name)
    if response.mimetype == FONT or request.args.get("v") == _version(name):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    return response


def language() -> Language:
    """Return the visitor's choice; Persian unless English was asked for in the address."""
    return "en" if request.args.get("lang") == "en" else "fa"


def faults_now() -> FaultsFile:
    """Return where it is written what is wrong at present."""
    found: FaultsFile = current_app.extensions["faults"]
    return found


def address(endpoint: str, **values: Any) -> str:
    """Return a page's address in the visitor's language."""
    return url_for(endpoint, **({"lang": "en"} | values if language() == "en" else values))


def redirected(endpoint: str, **values: Any) -> AnyResponse:
    """Send a visitor on to a page, in the same language."""
    return redirect(address(endpoint, **values), HTTPStatus.SEE_OTHER)


def page(template: str, **values: Any) -> str:
    """Render a page in the visitor's language, with a ribbon that says what is wrong at present."""
    chosen = language()
    guide = Guide.read()
    suffix = "?lang=en" if chosen == "en" else ""
    other: Language = "fa" if chosen == "en" else "en"
    return render_template(
        template,
        lang=chosen,
        other_lang=other,
        other_language_url=f"{request.path}?lang={other}",
        t=partial(_said, chosen),
        n=lambda value: number(value, chosen),
        address=address,
        static=lambda name: url_for("sandbox_files.file", name=name, v=_version(name)),
        places=[place for place in PLACES if place[0] in current_app.view_functions],
        shop_url=f"{guide.shop}/{suffix}",
        reference_url=f"{guide.gateway}/api/v1/docs?lang={chosen}",
        wrong_now=[described(name, value, chosen) for name, value in faults_now().read().active.items()],
        described=lambda name, value: described(name, value, chosen),
        **values,
    )


def described(name: str, value: str | int, chosen: Language) -> str:
    """Return one fault in words: what of the world is how."""
    return f"{say(name, chosen)}: {choice(name, value, chosen)}"


def choice(name: str, value: str | int, chosen: Language) -> str:
    """Return one value of a fault in words."""
    if isinstance(value, int):
        key = f"{name}.{'ahead' if value > 0 else 'behind'}"
        return say(key, chosen, seconds=number(abs(value), chosen))
    seconds = {"bank": SLOW_SECONDS, "sms": LATE_SECONDS}[name]
    return say(f"{name}.{value}", chosen, seconds=number(int(seconds), chosen))


def _said(chosen: Language, key: str, **values: object) -> str:
    return say(key, chosen, **values)


@cache
def _version(name: str) -> str:
    content = ((GATEWAY_FONTS if name in SHARED else STATIC) / name).read_bytes()
    return hashlib.sha256(content).hexdigest()[:8]
