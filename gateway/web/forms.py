"""The card form: what a customer typed, in any digits, turned into the domain's values.

Messages are keys of :mod:`gateway.web.wording`. A CVV2 or PIN is never rendered back (D29): the fields have no value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from flask_wtf import FlaskForm
from wtforms import StringField, ValidationError

from foundation.digits import only_digits, to_ascii_digits
from foundation.form_proof import FormProof
from foundation.keys import Keyring
from foundation.pan import InvalidPan, Pan
from foundation.sensitive import Sensitive
from gateway.domain import purposes
from gateway.domain.card import CardEntry
from gateway.domain.transfer import Consent

ACTIONS = ("pay", "request_pin", "cancel", "extend")
FIELDS = ("pan", "cvv2", "exp_month", "exp_year", "pin")
_CVV2 = re.compile(r"[0-9]{3,4}")
_PIN = re.compile(r"[0-9]{4,12}")
_MONTH = re.compile(r"0?[1-9]|1[0-2]")
_YEAR = re.compile(r"(1[34])?[0-9]{2}")
_PAN_GROUP = 4


@dataclass(frozen=True, slots=True)
class Typed:
    """What of a submission may stand in the answer to it: never CVV2 or PIN (D29).

    ``checked`` is the naming of a transfer's payee whose name was ticked as the right one.
    """

    pan: str = ""
    exp_month: str = ""
    exp_year: str = ""
    checked: str = ""


NOTHING_TYPED = Typed()


def _typed(text: str | None) -> str:
    return to_ascii_digits(text or "").strip()


def _text(field: StringField) -> str:
    return field.data or ""


class CardForm(FlaskForm):  # type: ignore[misc] # flask_wtf ships no types
    """One submission of the card page."""

    pan = StringField(filters=[_typed])
    cvv2 = StringField(filters=[_typed])
    exp_month = StringField(filters=[_typed])
    exp_year = StringField(filters=[_typed])
    pin = StringField(filters=[_typed])
    challenge = StringField(filters=[_typed])
    work = StringField(filters=[_typed])
    picture_code = StringField(filters=[_typed])
    naming = StringField()
    checked = StringField()
    action = StringField(filters=[_typed], default="pay")

    @classmethod
    def of(cls, keyring: Keyring, page_token: str) -> CardForm:
        """Read this request's form, if it has one, as a form of the page with this token."""
        return cls(meta={"csrf": True, "csrf_class": FormProof, "csrf_context": proof_of(keyring, page_token)})

    @property
    def deed(self) -> str:
        """What the pressed button asks for; the form's first button, ``pay``, is the default (D40)."""
        pressed = _text(self.action)
        return pressed if pressed in ACTIONS else "pay"

    def genuine(self) -> bool:
        """Tell whether this form was shown by this payment's page (D40)."""
        return bool(self.csrf_token.validate(self))

    def _skips(self, typed: str) -> bool:
        """Tell whether an empty field is fine: a PIN can be requested with the card number alone (D19)."""
        return self.deed == "request_pin" and not typed

    def validate_pan(self, field: StringField) -> None:
        """Sixteen digits with a right check digit."""
        try:
            Pan.parse(_text(field))
        except InvalidPan as invalid:
            raise ValidationError(f"pan.{invalid.reason}") from None

    def validate_cvv2(self, field: StringField) -> None:
        """Three or four digits."""
        if not _CVV2.fullmatch(_text(field)) and not self._skips(_text(field)):
            raise ValidationError("cvv2.form")

    def validate_exp_month(self, field: StringField) -> None:
        """A month of the year."""
        if not _MONTH.fullmatch(_text(field)) and not self._skips(_text(field) + _text(self.exp_year)):
            raise ValidationError("month.form")

    def validate_exp_year(self, field: StringField) -> None:
        """A Jalali year, of two digits or four."""
        if not _YEAR.fullmatch(_text(field)) and not self._skips(_text(field) + _text(self.exp_month)):
            raise ValidationError("year.form")

    def validate_pin(self, field: StringField) -> None:
        """The dynamic PIN; of no interest while asking for one."""
        if self.deed == "pay" and not _PIN.fullmatch(_text(field)):
            raise ValidationError("pin.form")

    def mistakes(self) -> list[tuple[str, str]]:
        """Return (field, wording key) of each mistake, in the order of the page."""
        wrong: dict[str, Any] = self.errors
        return [(name, wrong[name][0]) for name in ("csrf_token", *FIELDS) if name in wrong]

    def card_entry(self) -> CardEntry:
        """Return the typed card as a domain value; only after a successful :meth:`validate`."""
        year, month, cvv2 = _text(self.exp_year), _text(self.exp_month), _text(self.cvv2)
        return CardEntry(
            pan=Pan.parse(_text(self.pan)),
            cvv2=Sensitive(cvv2) if cvv2 else None,
            expiry=Sensitive(f"{year[-2:]}{month.zfill(2)}") if year else None,
            pin=Sensitive(_text(self.pin)) if self.deed == "pay" else None,
        )

    def consent(self) -> Consent:
        """Return which naming of a transfer's payee this page showed, and whether that very one was ticked."""
        naming = _text(self.naming)
        return Consent(naming, checked=bool(naming) and _text(self.checked) == naming)

    def challenge_answer(self) -> dict[str, str]:
        """Return which challenge this submission answers, and how."""
        return {
            "challenge": _text(self.challenge),
            "work": _text(self.work),
            "digits": only_digits(_text(self.picture_code)),
        }

    def shown_again(self) -> Typed:
        """Return the card number by four and the expiry, for the answer to this very request."""
        digits = only_digits(_text(self.pan))[:16]
        grouped = " ".join(digits[start : start + _PAN_GROUP] for start in range(0, len(digits), _PAN_GROUP))
        return Typed(grouped, _text(self.exp_month), _text(self.exp_year), _text(self.checked))


def proof_of(keyring: Keyring, page_token: str) -> str:
    """Return the proof that the forms of a page with this token carry; no cookie is needed (D40)."""
    return keyring.mac(purposes.PAGE_FORM, page_token.encode()).hex()
