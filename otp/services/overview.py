"""How the bank fares now: its parts, its last look at itself, what waits, how codes reach phones."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from foundation.monitor import LastLook, last_look
from otp.services.bank import Bank
from otp.services.readiness import readiness, redis_answers
from otp.store import console
from otp.store.console import Delivery, Work


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that the first page shows.

    Args:
        parts: as ``/readyz`` tells them; Redis is among them where one is used, and decides nothing (D20).
        look: what the monitor found last; ``None`` before its first look.
    """

    parts: Mapping[str, bool]
    look: LastLook | None
    work: Work
    deliveries: list[Delivery]

    @property
    def looked_at(self) -> dt.datetime | None:
        """Return when the monitor looked last."""
        return None if self.look is None else dt.datetime.fromtimestamp(self.look.at, dt.UTC)


def overview(bank: Bank) -> Overview:
    """Look at everything once."""
    parts, redis = readiness(bank), redis_answers(bank)
    look = last_look(bank.database)
    with bank.database.begin() as connection:
        work, deliveries = console.work(connection), console.deliveries(connection)
    return Overview(parts if redis is None else {**parts, "redis": redis}, look, work, deliveries)
