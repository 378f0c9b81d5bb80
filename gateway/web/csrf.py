"""The form's proof of origin: an HMAC of the page token, so that no cookie is needed (D40)."""

from __future__ import annotations

import hmac
from typing import Any

from wtforms import ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm

from foundation.keys import Keyring
from gateway.domain import purposes


class PageTokenCsrf(CSRF):
    """Binds a form to the payment page it was shown on; the form's ``csrf_context`` is (keyring, page token)."""

    def setup_form(self, form: BaseForm) -> list[tuple[str, Any]]:
        """Take the page token that this form belongs to."""
        context: Any = form.meta.csrf_context
        self._proof = proof_of(*context)
        return list(super().setup_form(form))

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002 - WTForms' signature
        """Return the value of the hidden field."""
        return self._proof

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' signature
        """Refuse a form that was not shown by this page.

        Raises:
            ValidationError: with the wording key ``form.stale``.
        """
        if not hmac.compare_digest(str(field.data or "").encode(), self._proof.encode()):
            raise ValidationError("form.stale")


def proof_of(keyring: Keyring, page_token: str) -> str:
    """Return the proof of one page's forms."""
    return keyring.mac(purposes.PAGE_FORM, page_token.encode()).hex()
