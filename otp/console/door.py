"""How the page lets people in: a signed cookie, the log-in behind it, the language, the headers of every answer."""

from __future__ import annotations

import hashlib
import secrets
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, cast

from flask import Response, current_app, g, redirect, render_template, request, url_for
from itsdangerous import BadSignature, Signer
from werkzeug.wrappers import Response as BaseResponse

from foundation.form_proof import FormProof
from foundation.persian import Language, clock_time, grouped, jalali_moment, number
from foundation.sensitive import Sensitive
from otp.console.forms import BareForm, proof_of
from otp.console.wording import WORDS, say, who_did
from otp.domain import purposes
from otp.domain.operators import Operator
from otp.services.bank import Bank
from otp.services.operators import who_is

COOKIE = "console"
POLICY = (
    "default-src 'none'; style-src 'self'; font-src 'self'; img-src data:; form-action 'self'; frame-ancestors 'none'; "
    "base-uri 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
"""There is no script at all, and nothing is loaded from elsewhere."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "X-Robots-Tag": "noindex",
}
FILES = frozenset({"console.static", "console.font"})
OPEN = FILES | {"console.log_in", "console.try_log_in"}
"""What is shown to somebody who has not logged in."""
YEAR_SECONDS = 31_536_000
STYLE = Path(__file__).parent / "static" / "console.css"
_COOKIE = b"console-cookie\x00"

F = TypeVar("F", bound=BareForm)


def bank_here() -> Bank:
    """Return the bank of the application that serves this request."""
    return cast("Bank", current_app.extensions["bank"])


def operator_here() -> Operator:
    """Return who asks; nobody else came this far."""
    return cast("Operator", g.operator)


def let_in() -> BaseResponse | None:
    """Find out who asks; send somebody who has not logged in to do so."""
    if request.endpoint in FILES:
        return None
    shown = _shown_token()
    g.token, g.fresh = shown or secrets.token_urlsafe(32), shown is None
    g.operator = None if shown is None or request.endpoint in OPEN else who_is(bank_here(), Sensitive(shown))
    if g.operator is None and request.endpoint not in OPEN:
        return redirect(address("console.log_in"), 303)
    return None


def give_token(token: Sensitive[str] | None) -> None:
    """Let the browser have another token from now on: that of a log-in, or none of one."""
    g.token, g.fresh = secrets.token_urlsafe(32) if token is None else token.reveal(), True


def guard(response: Response) -> Response:
    """Add the headers, and the cookie where it is a new one; it ends with the browser."""
    response.headers.update(HEADERS)
    if request.endpoint == "console.font" or (
        request.endpoint == "console.static" and request.args.get("v") == style_version()
    ):
        response.headers["Cache-Control"] = f"public, max-age={YEAR_SECONDS}, immutable"
    if bank_here().settings.public_url.startswith("https://"):
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR_SECONDS}; includeSubDomains"
    if g.get("fresh"):
        signed = _signer().sign(g.token).decode()
        secure = bank_here().settings.mode != "sandbox"
        response.set_cookie(COOKIE, signed, httponly=True, secure=secure, samesite="Strict", path="/console")
    return response


def form_of(kind: type[F]) -> F:
    """Make a form of this visitor, filled with what was sent."""
    return kind(meta={"csrf_class": FormProof, "csrf_context": proof_of(bank_here().keys, g.token)})


def language() -> Language:
    """Return the visitor's choice; Persian unless English was asked for in the address."""
    return "en" if request.args.get("lang") == "en" else "fa"


def address(endpoint: str, **values: Any) -> str:
    """Return a page's address in the visitor's language."""
    return url_for(endpoint, **({"lang": "en"} | values if language() == "en" else values))


def page(template: str, **values: Any) -> str:
    """Render a page in the visitor's language."""
    chosen = language()
    settings = bank_here().settings

    def t(key: str, **named: object) -> str:
        return say(key, chosen, **named)

    def act(action: str) -> str:
        """Return what an act is called; one that only an earlier release knew keeps its own name."""
        return t(f"act.{action}") if f"act.{action}" in WORDS else action

    return render_template(
        f"console/{template}",
        t=t,
        act=act,
        who_did=lambda actor: who_did(actor, chosen),
        lang=chosen,
        address=address,
        style_version=style_version(),
        bank_name=settings.bank_name_en if chosen == "en" else settings.bank_name_fa,
        sandbox=settings.mode == "sandbox",
        who=g.get("operator"),
        button=form_of(BareForm),
        n=lambda value: number(value, chosen),
        decimal=lambda value: number(f"{value:.1f}", chosen).replace(".", "٫" if chosen == "fa" else "."),
        money=lambda value: grouped(value, chosen),
        moment=lambda value: jalali_moment(value, chosen),
        clock=lambda value: clock_time(value, chosen),
        other_language_url=_other_language(chosen),
        **values,
    )


@cache
def style_version() -> str:
    """Return the digest of the style: a browser keeps it for good under the address of its own version only."""
    return hashlib.sha256(STYLE.read_bytes()).hexdigest()[:8]


def _other_language(chosen: Language) -> str:
    """Return where this page stands in the other language; an answer to a form stands nowhere, the cards do."""
    if request.method == "GET" and request.endpoint is not None:
        endpoint, values = request.endpoint, request.view_args or {}
    else:
        endpoint, values = "console.cards" if g.get("operator") else "console.log_in", {}
    return url_for(endpoint, **values, lang="fa" if chosen == "en" else "en")


def _shown_token() -> str | None:
    """Return the token in the cookie when it is one of ours; a forged one costs the database nothing."""
    try:
        return _signer().unsign(request.cookies.get(COOKIE, "")).decode()
    except (BadSignature, UnicodeError):
        return None


def _signer() -> Signer:
    """Sign by the newest key, and know what older ones signed."""
    keys = bank_here().keys
    active = keys.active_id(purposes.CONSOLE)
    names = [*(name for name in keys.ids(purposes.CONSOLE) if name != active), active]
    return Signer([keys.mac_with(name, _COOKIE) for name in names], salt=_COOKIE)
