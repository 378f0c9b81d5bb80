"""What has no answer in the promised time is listed for operators, as the read-only role."""

from __future__ import annotations

from foundation.settings import InvalidSettings
from gateway.services.gateway import Gateway
from gateway.store.stuck import Stuck as Stuck
from gateway.store.stuck import stuck

LISTED_MOST = 500


def list_stuck(gateway: Gateway) -> list[Stuck]:
    """Return money past its promised time, oldest first, at most five hundred.

    Raises:
        InvalidSettings: when there is no read-only role to ask as.
    """
    if gateway.reader is None:
        raise InvalidSettings("set GATEWAY_READER_DATABASE_URL: what is stuck is listed as the read-only role")
    with gateway.reader.single() as connection:
        return stuck(connection, most=LISTED_MOST)
