"""JSON of the Harim contract, read strictly: an unknown field, a wrong type or a wrong shape is malformed."""

from __future__ import annotations

import re
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, StringConstraints, model_validator

from otp.domain.binding import TOTAL_MAX, TransactionType

AmountRial = Annotated[int, Field(ge=0, le=TOTAL_MAX, strict=True)]
RequestId = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
Short = Annotated[str, StringConstraints(max_length=64)]


def shaped(pattern: str) -> AfterValidator:
    """Check a secret's shape without ever quoting it."""

    def check(secret: SecretStr) -> SecretStr:
        if re.fullmatch(pattern, secret.get_secret_value()) is None:
            raise ValueError("wrong shape")
        return secret

    return AfterValidator(check)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class Card(_Strict):
    """The card; CVV2 and expiry together prove it, and either both are there or neither (D19)."""

    pan: Annotated[SecretStr, shaped(r"[0-9]{16}")]
    cvv2: Annotated[SecretStr, shaped(r"[0-9]{3,4}")] | None = None
    expiry: Annotated[SecretStr, shaped(r"[0-9]{2}(0[1-9]|1[0-2])")] | None = None

    @model_validator(mode="after")
    def _both_or_neither(self) -> Card:
        if (self.cvv2 is None) != (self.expiry is None):
            raise ValueError("cvv2 and expiry come together")
        return self


class ProvenCard(Card):
    """The card with what proves it."""

    cvv2: Annotated[SecretStr, shaped(r"[0-9]{3,4}")]
    expiry: Annotated[SecretStr, shaped(r"[0-9]{2}(0[1-9]|1[0-2])")]


class DynamicPinRequest(_Strict):
    """RequestDynamicPin. The shapes of what a code is bound to are judged by the domain (D6, D25)."""

    request_id: RequestId
    sequence: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    transaction_ref: Short
    type: TransactionType
    amount: AmountRial
    fee: AmountRial
    acquirer_id: Short
    merchant_id: Short
    terminal_id: Short
    payee_name: Short
    payee_key: Short
    card: Card


class VerifyRequest(DynamicPinRequest):
    """VerifyDynamicPin: the same transaction with a proven card, and the code to be checked (D13)."""

    card: ProvenCard
    pin: Annotated[SecretStr, shaped(r"[0-9]{5,12}")]


class DeliveryQuestion(_Strict):
    """GetDeliveryStatus."""

    correlation_id: RequestId


def known_request_id(document: object) -> str | None:
    """Return the request id of a message that is otherwise malformed, so that its answer can be matched."""
    value = document.get("request_id") if isinstance(document, dict) else None
    try:
        return str(UUID(value)) if isinstance(value, str) else None
    except ValueError:
        return None
