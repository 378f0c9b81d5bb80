"""Puts the places of :mod:`sandbox.crashes` around what the organisations' composition roots put together (D10).

The organisations hold no hook. ``python -m sandbox.crash_points ORGANISATION COMMAND`` is ``python -m ORGANISATION
COMMAND`` with the places in it.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection

import gateway.wiring
import otp.host.server
import otp.wiring
from foundation.database import Database
from gateway.callbacks.sender import WebhookSender
from gateway.domain.issuers import Issuer
from gateway.domain.outcome import AuthorisationAnswer, InquiryAnswer, ReversalAnswer
from gateway.harim.client import HarimClient
from gateway.ports import (
    AuthorisationRequest,
    CreditRequest,
    Delivered,
    InquiryRequest,
    NotDelivered,
    PinAnswer,
    PinRequest,
    RefundRequest,
    ReversalRequest,
    Webhook,
)
from gateway.switch.client import SwitchClient
from otp.host.peers import Peer
from otp.host.respond import Reply, Responder
from sandbox.crashes import passing


class FragileSwitch(SwitchClient):
    """The switch with places before and after each call."""

    def authorise(self, issuer: Issuer, request: AuthorisationRequest) -> AuthorisationAnswer:
        """Ask for the money."""
        passing("gateway.before_issuer_call")
        answer = super().authorise(issuer, request)
        passing("gateway.after_issuer_call")
        return answer

    def inquire(self, issuer: Issuer, request: InquiryRequest) -> InquiryAnswer:
        """Ask what became of it."""
        answer = super().inquire(issuer, request)
        passing("worker.after_inquiry_before_record")
        return answer

    def reverse(self, issuer: Issuer, request: ReversalRequest) -> ReversalAnswer:
        """Ask for it back."""
        passing("worker.before_reversal")
        answer = super().reverse(issuer, request)
        passing("worker.after_reversal_before_record")
        return answer

    def credit(self, issuer: Issuer, request: CreditRequest) -> AuthorisationAnswer:
        """Give a transfer's money to its destination."""
        passing("worker.before_credit")
        answer = super().credit(issuer, request)
        passing("worker.after_credit_before_record")
        return answer

    def refund(self, issuer: Issuer, request: RefundRequest) -> AuthorisationAnswer:
        """Give money back to the card that paid."""
        answer = super().refund(issuer, request)
        passing("worker.after_refund_before_record")
        return answer


class FragileHarim(HarimClient):
    """The Harim client with a place after each request."""

    def request_pin(self, issuer: Issuer, request: PinRequest) -> PinAnswer:
        """Ask for a code."""
        answer = super().request_pin(issuer, request)
        passing("gateway.after_pin_request")
        return answer


class FragileSender(WebhookSender):
    """The sender of webhooks with a place after each."""

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Send once."""
        answer = super().send(webhook)
        passing("worker.after_webhook_before_mark")
        return answer


class FragileDatabase(Database):
    """The host's database with a place before each commit of a decision."""

    @contextmanager
    def begin(self) -> Iterator[Connection]:
        """Open a transaction."""
        with super().begin() as connection:
            yield connection
            passing("bank.before_commit")


class FragileResponder(Responder):
    """The host's desk with a place before each answer to a purchase."""

    def respond(self, frame: bytes, link_peer: Peer | None, *, certified: frozenset[str] | None = None) -> Reply:
        """Answer one frame."""
        reply = super().respond(frame, link_peer, certified=certified)
        if frame.startswith(b"1200"):
            passing("bank.after_debit_before_answer")
        return reply


class FragilePages:
    """Wraps the gateway's application with a place before the answer to every button of a payment page."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer as the gateway does, if the process lives."""
        answer = self._application(environ, start_response)
        if environ["REQUEST_METHOD"] == "POST" and environ["PATH_INFO"].startswith("/pay/"):
            passing("gateway.before_response")
        return answer


REPLACED: dict[tuple[str, ...], tuple[tuple[object, str, type], ...]] = {
    ("gateway",): (
        (gateway.wiring, "SwitchClient", FragileSwitch),
        (gateway.wiring, "HarimClient", FragileHarim),
        (gateway.wiring, "WebhookSender", FragileSender),
    ),
    ("otp", "host"): (
        (otp.wiring, "Database", FragileDatabase),
        (otp.host.server, "Responder", FragileResponder),
    ),
}
"""What a composition root puts together instead, by organisation and command."""


def install(*words: str) -> None:
    """Put the places into the composition root of the process that ``words`` name."""
    for module, name, fragile in REPLACED.get(words, REPLACED.get(words[:1], ())):
        if not issubclass(fragile, getattr(module, name)):
            raise TypeError(f"{name} is not what {fragile.__name__} wraps")
        setattr(module, name, fragile)


def main(words: list[str]) -> int:
    """Run an organisation's own command with the places in it."""
    install(*words)
    command = importlib.import_module(f"{words[0]}.__main__")
    code: int = command.main(words[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
