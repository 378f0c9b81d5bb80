"""The page's forms: each carries a proof that it was shown to this log-in, so no other site can send it."""

from __future__ import annotations

import hmac
from typing import Any

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField, ValidationError
from wtforms.csrf.core import CSRF, CSRFTokenField
from wtforms.form import BaseForm

from foundation.digits import only_digits
from foundation.keys import Keyring
from foundation.pan import LENGTH, InvalidPan, Pan
from otp.domain import purposes
from otp.domain.operators import PASSWORD_MOST

_FORM = b"console-form\x00"
_CARD_ID_DIGITS_MOST = 15


class TokenCsrf(CSRF):
    """Binds a form to the visitor's cookie; the form's ``csrf_context`` is (keyring, token of the cookie)."""

    def setup_form(self, form: BaseForm) -> list[tuple[str, Any]]:
        """Take the token that this form belongs to."""
        context: Any = form.meta.csrf_context
        self._proof = proof_of(*context)
        return list(super().setup_form(form))

    def generate_csrf_token(self, csrf_token_field: CSRFTokenField) -> str:  # noqa: ARG002 - WTForms' signature
        """Return the value of the hidden field."""
        return self._proof

    def validate_csrf_token(self, form: BaseForm, field: CSRFTokenField) -> None:  # noqa: ARG002 - WTForms' signature
        """Refuse a form that was shown to somebody else.

        Raises:
            ValidationError: with the wording key ``outcome.stale``.
        """
        if not hmac.compare_digest(str(field.data or "").encode(), self._proof.encode()):
            raise ValidationError("outcome.stale")


def proof_of(keyring: Keyring, token: str) -> str:
    """Return the proof of one visitor's forms."""
    return keyring.mac(purposes.CONSOLE, _FORM + token.encode()).hex()


class BareForm(FlaskForm):  # type: ignore[misc] # flask_wtf ships no types
    """A button."""


class LogInForm(BareForm):
    """Name and password; the password is never shown again."""

    name = StringField(filters=[lambda text: (text or "").strip().lower()])
    password = PasswordField(filters=[lambda text: (text or "")[: PASSWORD_MOST + 1]])


class CardForm(BareForm):
    """Which card is wanted; what was typed is never shown again."""

    card = StringField()

    def wanted(self) -> Pan | int | None:
        """Return a card number, a number at the bank, or ``None`` for anything else."""
        digits = only_digits(self.card.data or "")
        if len(digits) == LENGTH:
            try:
                return Pan.parse(digits)
            except InvalidPan:
                return None
        return int(digits) if 0 < len(digits) <= _CARD_ID_DIGITS_MOST else None


class ReasonForm(BareForm):
    """Why a card shall be unlocked."""

    reason = StringField()
