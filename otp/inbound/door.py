"""``POST|GET /sms/inbound/{provider}/{secret}``: a provider hands a holder's message over (D26).

The answer says nothing but that the message was taken. Secret, numbers and text are in address and query, which nothing
here logs; whoever puts a server in front must not either (docs/operations.md).
"""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, Response, abort, current_app, request

from foundation.sensitive import Sensitive
from otp.inbound.providers import InboundProvider
from otp.services.bank import Bank
from otp.services.receive_sms import InboundSms, receive_sms

NAME_MAX = 100
TEXT_MAX = 2_000
PER_MINUTE = 600
"""Messages one address may push; more are refused, and a provider pushes again."""


def door(providers: Mapping[str, InboundProvider]) -> Blueprint:
    """Make the door for these providers."""
    blueprint = Blueprint("inbound_sms", __name__)

    @blueprint.route("/sms/inbound/<provider>/<secret>", methods=["GET", "POST"])
    def take(provider: str, secret: str) -> Response:
        """Take one message."""
        known = providers.get(provider)
        if known is None or not known.admits(secret, request.remote_addr):
            abort(404)
        bank: Bank = current_app.extensions["bank"]
        if not bank.flood.allow(f"inbound:{request.remote_addr}", PER_MINUTE, per_seconds=60):
            abort(429)
        receive_sms(bank, _message(known))
        return Response("", status=204)

    return blueprint


def _message(provider: InboundProvider) -> InboundSms:
    values = {name: request.values.get(field, "") for name, field in provider.fields.items()}
    if not values["sender"] or len(values["text"]) > TEXT_MAX or max(map(len, values.values())) > TEXT_MAX:
        abort(400)
    return InboundSms(
        provider=provider.name,
        message_id=values["message_id"][:NAME_MAX] or None,
        sender=Sensitive(values["sender"]),
        text=Sensitive(values["text"]),
    )
