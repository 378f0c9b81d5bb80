"""JSON of the app's calls, read strictly: an unknown field, a wrong type or a wrong shape is malformed."""

from __future__ import annotations

import base64
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, StringConstraints

from foundation.digits import to_ascii_digits
from otp.domain.activation import KEY_BYTES
from otp.domain.binding import TOTAL_MAX
from otp.domain.pairing import IV_BYTES, PUBLIC_KEY_BYTES, WrappedRoot

WRAPPED_ROOT_BYTES = 48
"""A code root of 32 bytes and the tag of AES-GCM."""
NAME_TYPED_MAX = 200

_BASE64URL = re.compile(r"[A-Za-z0-9_-]+")
_CODE = re.compile(r"[0-9]{7}")


def from_base64url(text: object) -> bytes:
    """Read base64url without padding.

    Raises:
        ValueError: when it is none; the message does not quote it.
    """
    if not isinstance(text, str) or _BASE64URL.fullmatch(text) is None:
        raise ValueError("not base64url")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def to_base64url(raw: bytes) -> str:
    """Write base64url without padding."""
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _sized(size: int) -> object:
    def check(raw: bytes) -> bytes:
        if len(raw) != size:
            raise ValueError("wrong size")
        return raw

    return AfterValidator(check)


def _second_pin(secret: SecretStr) -> SecretStr:
    digits = to_ascii_digits(secret.get_secret_value())
    if _CODE.fullmatch(digits) is None:
        raise ValueError("wrong shape")
    return SecretStr(digits)


ActivationId = Annotated[str, StringConstraints(pattern=r"^[0-9]{8}$")]
CardRef = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
SecondPin = Annotated[SecretStr, AfterValidator(_second_pin)]
Mac = Annotated[bytes, BeforeValidator(from_base64url), _sized(KEY_BYTES)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Root(_Strict):
    """A code root under the wrap key."""

    iv: Annotated[bytes, BeforeValidator(from_base64url), _sized(IV_BYTES)]
    text: Annotated[bytes, BeforeValidator(from_base64url), _sized(WRAPPED_ROOT_BYTES)]

    @property
    def wrapped(self) -> WrappedRoot:
        """Give it in the domain's words."""
        return WrappedRoot(self.iv, self.text)


class ActivationIn(_Strict):
    """POST /activations."""

    activation_id: ActivationId
    public_key: Annotated[bytes, BeforeValidator(from_base64url), _sized(PUBLIC_KEY_BYTES)]
    proof: Mac


class ConfirmIn(_Strict):
    """POST /confirm."""

    name: Annotated[str, StringConstraints(max_length=NAME_TYPED_MAX)]
    code_root: Root
    code: SecondPin


class CardRequestIn(_Strict):
    """POST /cards/requests."""

    card_no: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


class ProofIn(_Strict):
    """POST /cards and POST /cards/…/ceiling/confirm."""

    activation_id: ActivationId
    proof: Mac


class CeilingIn(_Strict):
    """PUT /cards/…/ceiling."""

    ceiling_rial: Annotated[int, Field(ge=0, le=TOTAL_MAX, strict=True)]


class PinIn(_Strict):
    """PUT /pin."""

    card_ref: CardRef
    code: SecondPin
    code_root: Root
