"""Everything a use case may need, in one frozen value that :mod:`gateway.wiring` builds."""

from __future__ import annotations

from dataclasses import dataclass, field

from foundation.database import Database
from foundation.flood import FloodControl
from foundation.keys import Keyring
from foundation.wake import Wake
from gateway.bulkhead import Gates
from gateway.config import Settings
from gateway.meters import Meters
from gateway.ports import Callbacks, Harim, Switch, TopUps
from gateway.store.directory import Directory


@dataclass(frozen=True, slots=True)
class Gateway:
    """The gateway as its doors and its worker see it.

    Args:
        directory: merchants, keys and issuers, remembered for seconds.
        gates: the ways to the issuers for new business, to read their health from.
        wake: shortens the worker's latency; ``None`` without Redis.
        reader: the database as the role that only reads, for the monitor.
    """

    settings: Settings
    database: Database
    keyring: Keyring
    directory: Directory
    harim: Harim
    switch: Switch
    callbacks: Callbacks
    top_ups: TopUps
    flood: FloodControl
    gates: tuple[Gates, ...] = ()
    wake: Wake | None = None
    reader: Database | None = None
    meters: Meters = field(default_factory=Meters)

    def ring(self) -> None:
        """Tell the worker that there is something to do."""
        if self.wake is not None:
            self.wake.ring()
