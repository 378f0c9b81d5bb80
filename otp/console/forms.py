"""The page's forms: each carries a proof that it was shown to this log-in, so no other site can send it."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import PasswordField, StringField

from foundation.digits import only_digits
from foundation.keys import Keyring
from foundation.pan import LENGTH, InvalidPan, Pan
from otp.domain import purposes
from otp.domain.operators import PASSWORD_MOST

_FORM = b"console-form\x00"
_CARD_ID_DIGITS_MOST = 15


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
