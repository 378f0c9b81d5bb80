"""What the doors of the weak dialects share: they name no request, count nothing, and bind less (D6, D14).

Their messages are signed as those of Harim v1 are, so a PSP is known by nothing weaker (D21, D41), and what a signature
makes one of a kind stands for the request id: the same signed message again has the first answer and no effect. Whether
a PSP may ask in a dialect at all, and up to which amount, is its row's ``unbound_max_rial``.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass

from pydantic import ValidationError

from foundation.pan import InvalidPan, Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.answers import Code
from otp.domain.binding import SHAPES, Binding, TransactionType, check_binding
from otp.domain.errors import InvalidBinding
from otp.domain.psp import Psp
from otp.harim_api.operations import REQUEST_DYNAMIC_PIN, guarded, refusal
from otp.services.bank import Bank
from otp.services.issue_code import CodeRequest, Told, issue_code


@dataclass(frozen=True, slots=True)
class Wish:
    """A request as its dialect says it, free of its wire.

    Args:
        dialect: a key of :data:`otp.domain.binding.SHAPES`.
        type: ``None`` for a type that this bank has no word for.
        total: principal and fee; these dialects know no fee.
        cvv2: with ``expiry`` it proves the card; one without the other proves nothing (D19).
    """

    dialect: str
    type: TransactionType | None
    total: int
    pan: str
    cvv2: Sensitive[str] | None = None
    expiry: Sensitive[str] | None = None
    merchant_id: str = ""
    terminal_id: str = ""
    payee_name: str = ""


def grant(bank: Bank, psp: Psp, wish: Callable[[], Wish], *, once: bytes, body: bytes) -> Told:
    """Answer a known PSP by the codes of Harim v1; the dialect says them in its own words.

    Args:
        bank: this one.
        psp: whose signature was verified.
        wish: reads the message; it may raise pydantic's ``ValidationError`` or ``InvalidBinding``.
        once: what the signature makes one of a kind.
        body: the message itself; another one under the same ``once`` is refused (D21).
    """

    def work() -> Told:
        try:
            wished = wish()
            if wished.type is None:
                return refusal(Code.UNSUPPORTED_OPERATION, None)
            request = _request(bank, psp, wished, wished.type, once=once, body=body)
        except (ValidationError, InvalidPan):
            return refusal(Code.MALFORMED, None)
        except InvalidBinding as error:
            return refusal(Code.INCOMPLETE_BINDING, None, field=error.field)
        return issue_code(bank, psp, request)

    return guarded(bank, psp, REQUEST_DYNAMIC_PIN, work)


def _request(bank: Bank, psp: Psp, wish: Wish, kind: TransactionType, *, once: bytes, body: bytes) -> CodeRequest:
    shape = SHAPES[wish.dialect]
    named = Binding(
        type=kind,
        amount=Rial(wish.total),
        fee=Rial(0),
        acquirer_id=psp.acquirer_id,
        merchant_id=wish.merchant_id,
        terminal_id=wish.terminal_id,
        payee_name=wish.payee_name,
        payee_key="",
        transaction_ref="",
        bound=shape,
    )
    check_binding(named)
    return CodeRequest(
        request_id=str(uuid.UUID(bytes=bank.body_mark(wish.dialect.encode() + b"\x00" + once)[:16], version=4)),
        sequence=None,
        body_hash=bank.body_mark(body),
        binding=named.narrowed(shape),
        pan=Pan.parse(wish.pan),
        cvv2=wish.cvv2,
        expiry=wish.expiry,
    )
