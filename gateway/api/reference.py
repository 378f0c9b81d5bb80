"""What everybody may read: the OpenAPI document, the catalogue of problems, and the reference as a page.

The pages are made on the server, in Persian and English, and load nothing from elsewhere. At the sandbox a small
script of ours sends requests with a key that the reader types; the key stays in that field and is kept nowhere.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from markupsafe import Markup
from pydantic import BaseModel

from gateway.api.asking import gateway_of_app
from gateway.api.catalogue import ROWS, Row
from gateway.api.field_wording import persian
from gateway.api.openapi import VERSION, document, example_of
from gateway.api.operations import PREFIX, Operation
from gateway.api.problems import speaks_persian, type_of
from gateway.api.schemas import ProblemRow, ProblemsOut
from gateway.api.wording import PAGE, STATES
from gateway.domain.scopes import MEANS

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; font-src 'self'; img-src data:; connect-src 'self'; "
    "form-action 'none'; frame-ancestors 'none'; base-uri 'none'; require-trusted-types-for 'script'; "
    "trusted-types 'none'"
)
SHORT_CODE_MAX = 20
"""Characters that the narrowest screen has room for on one line."""

_SHORT = Markup(' class="short"')


def serve(blueprint: Blueprint, operations: tuple[Operation, ...]) -> None:
    """Add the routes that need no key."""
    blueprint.add_url_rule("/openapi.json", "openapi", lambda: _openapi(operations))
    blueprint.add_url_rule("/problems", "problems", _problems)
    blueprint.add_url_rule("/docs", "docs", lambda: _docs(operations))


def catalogue(public_url: str) -> ProblemsOut:
    """Return the catalogue as it is served."""
    return ProblemsOut(items=[_problem(row, public_url) for row in ROWS])


def _openapi(operations: tuple[Operation, ...]) -> Response:
    return Response(json.dumps(document(operations, _public_url())), mimetype="application/json")


def _problems() -> Response:
    accepted = request.accept_mimetypes.best_match(("application/json", "text/html"), "application/json")
    if accepted == "text/html":
        response = _page("problems.html", rows=catalogue(_public_url()).items)
    else:
        response = Response(catalogue(_public_url()).model_dump_json(), mimetype="application/json")
    response.vary.add("Accept")
    return response


def _docs(operations: tuple[Operation, ...]) -> Response:
    described = document(operations, _public_url())
    return _page(
        "reference.html",
        operations=operations,
        described={operation.name: _described(described, operation) for operation in operations},
        schemas=described["components"]["schemas"],
        examples={operation.name: _written(operation.body) for operation in operations if operation.body},
        scopes=MEANS,
        states=STATES,
        version=VERSION,
    )


def _page(template: str, **values: object) -> Response:
    settings = gateway_of_app().settings
    lang = request.args.get("lang", "fa" if speaks_persian() else "en")
    lang = lang if lang in {"fa", "en"} else "en"
    response = make_response(
        render_template(
            template,
            lang=lang,
            other_lang="en" if lang == "fa" else "fa",
            t=lambda key: coded(getattr(PAGE[key], lang)),
            said=lambda both: getattr(both, lang),
            field=lambda name, schema, said: _field(name, said or said_of(schema), lang),
            coded=coded,
            sandbox=settings.mode == "sandbox",
            base=settings.public_url.rstrip("/") + PREFIX,
            prefix=PREFIX,
            **values,
        )
    )
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Content-Language"] = lang
    response.vary.add("Accept-Language")
    return _packed(response)


def _packed(response: Response) -> Response:
    """Compress a page for whoever reads gzip: it holds nothing secret and repeats nothing of its reader (BREACH)."""
    response.vary.add("Accept-Encoding")
    if request.accept_encodings["gzip"]:
        response.set_data(gzip.compress(response.get_data(), mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response


def coded(text: str) -> Markup:
    """Escape a sentence and set what stands between backticks as code; of short code, no line breaks at a hyphen."""
    parts = text.split("`")
    marked: Iterable[Markup] = (
        Markup('<code dir="ltr"{}>{}</code>').format(_SHORT if len(part) <= SHORT_CODE_MAX else "", part)
        if number % 2
        else Markup("{}").format(part)
        for number, part in enumerate(parts)
    )
    return Markup("").join(marked)


def said_of(schema: dict[str, Any]) -> str:
    """Return what the contract says of a property; of one that may be null it says so at its first choice."""
    choices = [schema, *schema.get("anyOf", ())]
    return next((choice["description"] for choice in choices if "description" in choice), "")


def _field(name: str, said: str, lang: str) -> Markup:
    return coded(persian(name, said) if lang == "fa" else said)


def _described(described: dict[str, Any], operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = described["paths"][PREFIX + operation.path][operation.method.lower()]
    return found


def _written(body: type[BaseModel]) -> str:
    return json.dumps(example_of(body), ensure_ascii=False, indent=2)


def _problem(row: Row, public_url: str) -> ProblemRow:
    return ProblemRow(
        code=row.code,
        type=type_of(row.code, public_url),
        status=row.status,
        title_fa=row.title.fa,
        title_en=row.title.en,
        do_fa=row.do.fa,
        do_en=row.do.en,
    )


def _public_url() -> str:
    return gateway_of_app().settings.public_url
