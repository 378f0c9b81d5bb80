"""Deliveries and cancellations by signed HTTP, as contracts/topup/v1 has them (D21, D41)."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Annotated, Literal, TypeVar

import structlog
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from foundation.conversation import Line, Lines, NoAnswer
from foundation.signatures import RequestToSign, SignatureRefused, Signer, Verifier
from gateway.bulkhead import Gates, NotAdmitted
from gateway.domain.outcome import (
    NO_PLACE,
    Approved,
    AuthorisationAnswer,
    Declined,
    NotReversed,
    ReversalAnswer,
    ReversalUnknown,
    Reversed,
    Unknown,
)
from gateway.ports import TopUpRequest

log = structlog.get_logger()

PATH = "/top-ups/v1/"
PROVIDER = "top-up"
"""What the one partner is called among gates and numbers."""
AT_ONCE = 4
"""Questions at once in one process, as many as one issuer may be asked in recovery (F18)."""
CONCLUSIVE = 200
_JSON = "application/json"

T = TypeVar("T")


class _Answer(BaseModel):
    """What of an answer is read."""

    model_config = ConfigDict(extra="ignore", strict=True)

    reference: str
    state: Literal["delivered", "refused", "cancelled", "pending"]
    operator_reference: Annotated[str | None, Field(pattern="^[!-~]{1,64}$")] = None
    reason: Annotated[str, Field(pattern="^[a-z_]{1,32}$")] = "refused"


class TopUpClient:
    """Implements :class:`gateway.ports.TopUps`.

    Args:
        signer: signs our messages, as it does those of Harim.
        url: of the provider, without a slash at the end.
        keys: its public keys by id; only what one of them signed is an answer.
        seconds: for one question, everything included.
    """

    def __init__(self, signer: Signer, url: str, keys: Mapping[str, bytes], *, seconds: float) -> None:
        self._signer = signer
        self._url = url
        self._verifier = Verifier(keys)
        self._seconds = seconds
        self._lines = Lines(partners=1, each=AT_ONCE)
        self._gates = Gates(PROVIDER, room=AT_ONCE, breaks=False)

    def deliver(self, request: TopUpRequest) -> AuthorisationAnswer:
        """Ask for a delivery; whatever is no explicit word about it is unknown and asked again (D7)."""
        wanted = {
            "operator": str(request.operator),
            "mobile": request.mobile.reveal(),
            "amount": request.amount.amount,
        }
        try:
            answer = self._asked("PUT", request, json.dumps(wanted).encode())
        except (NoAnswer, NotAdmitted) as error:
            return Unknown(_why(error))
        answers: dict[str, AuthorisationAnswer] = {
            "delivered": Approved(answer.operator_reference),
            "refused": Declined(answer.reason),
            "cancelled": Declined("cancelled"),
        }
        return answers.get(answer.state, Unknown(answer.state))

    def cancel(self, request: TopUpRequest) -> ReversalAnswer:
        """Ask that it be never delivered; what was refused or never came is as good as cancelled."""
        try:
            answer = self._asked("DELETE", request, b"")
        except (NoAnswer, NotAdmitted) as error:
            return ReversalUnknown(_why(error))
        answers: dict[str, ReversalAnswer] = {
            "delivered": NotReversed(),
            "refused": Reversed(),
            "cancelled": Reversed(),
        }
        return answers.get(answer.state, ReversalUnknown(answer.state))

    def _asked(self, method: str, request: TopUpRequest, body: bytes) -> _Answer:
        """Ask; raises NoAnswer where nobody, or nothing to be believed, answers, and NotAdmitted without a place."""
        with self._gates.of(PROVIDER).admitted():
            return self._lines.converse(self._seconds, self._once(method, request, body))

    def _once(self, method: str, request: TopUpRequest, body: bytes) -> Callable[[Line], _Answer]:
        def once(line: Line) -> _Answer:
            signed = RequestToSign(method, self._url + PATH + request.reference, {"Content-Type": _JSON})
            self._signer.sign_request(signed, body)
            heard = line.send(method, signed.url, signed.headers, body)
            try:
                self._verifier.verify_answer(signed, status=heard.status, headers=heard.headers, body=heard.body)
                answer = _Answer.model_validate_json(heard.body)
            except SignatureRefused:
                raise NoAnswer("incoherent: signature") from None
            except ValidationError:
                raise NoAnswer("incoherent: body") from None
            if answer.reference != request.reference or (heard.status == CONCLUSIVE) == (answer.state == "pending"):
                raise NoAnswer("incoherent: another answer")
            return answer

        return once


class NoTopUps:
    """Implements :class:`gateway.ports.TopUps` where no provider is connected: nothing is opened, nothing asked."""

    def deliver(self, request: TopUpRequest) -> AuthorisationAnswer:
        """Say that nobody answers."""
        return Unknown(f"nobody delivers {request.reference}")

    def cancel(self, request: TopUpRequest) -> ReversalAnswer:
        """Say that nobody answers."""
        return ReversalUnknown(f"nobody delivers {request.reference}")


def _why(error: NoAnswer | NotAdmitted) -> str:
    why = NO_PLACE if isinstance(error, NotAdmitted) else str(error)
    log.warning("top_up_unanswered", why=why)
    return why
