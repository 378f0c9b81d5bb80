"""The character NUL, which no text of PostgreSQL can hold: refused at the door, where it is nobody's word or number."""

from __future__ import annotations

from http import HTTPStatus

from flask import abort, request

NUL = "\0"
FORMS = frozenset({"application/x-www-form-urlencoded", "multipart/form-data"})


def refuse_nul_in_path() -> None:
    """End this request with 404 where its path has a NUL."""
    if NUL in request.path:
        abort(HTTPStatus.NOT_FOUND)


def refuse_nul_in_fields() -> None:
    """End this request with 400 where its query or the form that it carries has a NUL; other bodies stay unread."""
    fields = [*request.args.items(multi=True)]
    if request.mimetype in FORMS:
        fields += request.form.items(multi=True)
    if any(NUL in name or NUL in text for name, text in fields):
        abort(HTTPStatus.BAD_REQUEST)
