"""The files of the hosted pages: sent small, and kept by browsers for good, as their addresses carry a version."""

from __future__ import annotations

import gzip
import re
from functools import lru_cache

from flask import Blueprint, Response, request

from foundation.persian import Language
from gateway.web.rendering import file_version, gateway_of_app
from gateway.web.script_words import script_words, version_of

blueprint = Blueprint("files", __name__)

_FILES = frozenset({"static", "files.words"})
_FOR_GOOD = "public, max-age=31536000, immutable"
_NEVER_ASKED = ("Accept-Ranges", "Content-Disposition", "ETag", "Last-Modified")
"""What a browser would ask again with; of a file that it keeps for good it never asks again."""

_REMARKS = {
    "text/css": re.compile(rb"/\*.*?\*/\s*|(?<=[{};:,])\s+|\s+(?=[{}])", re.DOTALL),
    "text/javascript": re.compile(rb"^[ \t]+(//.*\n)?|^//.*\n| {2}//.*$", re.MULTILINE),
}
"""What a browser does not need of our own style and script: remarks (a script's stand two spaces behind the code), and
the space that only sets out what we read."""


@blueprint.get("/words/<any(fa, en):lang>.js")
def words(lang: Language) -> Response:
    """Tell the page's script what to say in one language; the same for everybody."""
    content = script_words(gateway_of_app(), lang)
    response = Response(content, mimetype="text/javascript", headers={"Cache-Control": "no-store"})
    response.set_etag(version_of(content))
    return response


@blueprint.after_app_request
def pack_files(response: Response) -> Response:
    """Pack style and script; pages are never compressed (BREACH, ADR 11)."""
    if request.endpoint not in _FILES or response.status_code != 200:  # noqa: PLR2004 - success
        return response
    response.headers["X-Content-Type-Options"] = "nosniff"
    if _is_for_good(response):
        response.headers["Cache-Control"] = _FOR_GOOD
        for name in _NEVER_ASKED:
            response.headers.pop(name, None)
    if response.mimetype in _REMARKS and request.accept_encodings["gzip"]:
        response.direct_passthrough = False
        response.set_data(_packed(response.mimetype, response.get_data()))
        response.headers["Content-Encoding"] = "gzip"
        response.vary.add("Accept-Encoding")
    return response


def _is_for_good(response: Response) -> bool:
    """Tell whether this address will always hold these bytes: it names their own digest.

    While two releases run side by side, either is asked for the other's files. The font never changes.
    """
    if response.mimetype == "font/woff2":
        return True
    name = (request.view_args or {}).get("filename")
    return request.args.get("v") == (file_version(name) if name else response.get_etag()[0])


@lru_cache(maxsize=16)
def _packed(mimetype: str, content: bytes) -> bytes:
    return gzip.compress(_REMARKS[mimetype].sub(b"", content), mtime=0)
