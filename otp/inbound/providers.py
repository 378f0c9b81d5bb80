"""Who may push messages: a secret in the path, an allow-list of networks, and what a provider calls the fields (D26).

The file of ``OTP_INBOUND_FILE`` is JSON, readable by its owner only::

    {"kavenegar": {"secret": "<32 characters or more>", "networks": ["192.0.2.0/24"], "fields": {"text": "message"}}}
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path

from foundation.networks import Networks, within
from foundation.sensitive import Sensitive
from foundation.settings import InvalidSettings

SECRET_LEAST = 32

FIELDS: Mapping[str, Mapping[str, str]] = {
    "kavenegar": {"sender": "from", "to": "to", "text": "message", "message_id": "messageid"},
    "melipayamak": {"sender": "from", "to": "to", "text": "body", "message_id": "id"},
}
"""What providers call the fields where it is known or theirs to be set; a row of the file may say otherwise."""
USUAL_FIELDS = {"sender": "from", "to": "to", "text": "text", "message_id": "message_id"}


@dataclass(frozen=True, slots=True)
class InboundProvider:
    """One provider that pushes messages.

    Args:
        networks: from where; empty lets everybody in who knows the secret.
        fields: what it calls sender, short number, text and its own name for a message.
    """

    name: str
    secret: Sensitive[str]
    networks: Networks
    fields: Mapping[str, str]

    def admits(self, secret: str, address: str | None) -> bool:
        """Tell in constant time whether somebody shows the secret, and comes from where the provider is."""
        known = hmac.compare_digest(self.secret.reveal().encode(), secret.encode())
        return known and (not self.networks or within(address, self.networks))


def read_providers(path: Path) -> Mapping[str, InboundProvider]:
    """Read the file of providers.

    Raises:
        InvalidSettings: when it is missing, readable by others, or a row of it is wrong.
    """
    if not path.is_file() or path.stat().st_mode & 0o077:
        raise InvalidSettings(f"OTP_INBOUND_FILE: {path} must be a file that its owner alone can read")
    try:
        rows = json.loads(path.read_text())
        return {name: _provider(name, row) for name, row in rows.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InvalidSettings(f"OTP_INBOUND_FILE: {path} is no table of providers with secrets and networks") from None


def _provider(name: str, row: Mapping[str, object]) -> InboundProvider:
    secret, networks, fields = str(row["secret"]), row.get("networks", []), row.get("fields", {})
    if len(secret) < SECRET_LEAST or not isinstance(networks, list) or not isinstance(fields, dict):
        raise ValueError(name)
    return InboundProvider(
        name,
        Sensitive(secret),
        tuple(ip_network(text) for text in networks),
        {**USUAL_FIELDS, **FIELDS.get(name, {}), **{str(key): str(value) for key, value in fields.items()}},
    )
