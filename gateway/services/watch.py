"""The monitor: every minute the invariants are asked about, and what was found is shown on the page of metrics."""

from __future__ import annotations

from foundation.checks import Inspector, Report
from foundation.monitor import look
from foundation.settings import InvalidSettings
from gateway.services.gateway import Gateway
from gateway.store.checks import RULES


def watch(gateway: Gateway) -> None:
    """Take this minute's look unless another worker has it, and show what was found last."""
    found = look(gateway.database, _inspector(gateway))
    if found is not None:
        gateway.meters.look.show(found)


def look_at_everything(gateway: Gateway) -> Report:
    """Ask every rule about everything there is; writes nothing.

    Raises:
        InvalidSettings: when there is no read-only role to ask as.
    """
    return _inspector(gateway).everything()


def _inspector(gateway: Gateway) -> Inspector:
    if gateway.reader is None:
        raise InvalidSettings("set GATEWAY_READER_DATABASE_URL: the monitor asks as the read-only role")
    return Inspector(gateway.reader, RULES)
