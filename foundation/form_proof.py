"""A form's proof that it was shown by the page that it comes back to, so that no other site can send it (D40)."""

from __future__ import annotations

import hmac
from typing import Any

from wtforms import ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm


class FormProof(CSRF):
    """Binds a form to its page; the form's ``csrf_context`` is the proof that the page's hidden field must hold."""

    def setup_form(self, form: BaseForm) -> list[tuple[str, Any]]:
        """Take the proof of the page that this form belongs to."""
        self._proof = str(form.meta.csrf_context)
        return list(super().setup_form(form))

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002 - WTForms' signature
        """Return the value of the hidden field."""
        return self._proof

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' signature
        """Refuse a form that was shown elsewhere, or to somebody else.

        Raises:
            ValidationError: with the wording key ``form.stale``.
        """
        if not hmac.compare_digest(str(field.data or "").encode(), self._proof.encode()):
            raise ValidationError("form.stale")
