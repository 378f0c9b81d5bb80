"""One call of a provider; that the same code arrives twice after a repeat harms nobody."""

from __future__ import annotations

from foundation.conversation import Heard, Line, Lines
from otp.sms.panel import Request

PROVIDERS = 16
CONNECTIONS_PER_PROVIDER = 16


class Sender:
    """Carries requests to providers."""

    def __init__(self) -> None:
        self._lines = Lines(partners=PROVIDERS, each=CONNECTIONS_PER_PROVIDER)

    def exchange(self, request: Request, seconds: float) -> Heard:
        """Send one request within ``seconds`` and return the answer.

        Raises:
            foundation.conversation.NoAnswer: silent, unreachable or too large.
        """

        def once(line: Line) -> Heard:
            headers = {name: value.reveal() for name, value in request.headers.items()}
            return line.send(request.method, request.address.reveal(), headers, request.body.reveal() or None)

        return self._lines.converse(seconds, once)
