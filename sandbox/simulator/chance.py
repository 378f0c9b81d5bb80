"""All chance of a run comes from its seed: the scheduler's dice, and what the organisations draw for ids and codes."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from foundation.rial import Rial
from gateway.services import open_payment


def dice(seed: int, what: str) -> random.Random:
    """Return a generator of its own for each use, so that one use does not disturb another."""
    return random.Random(f"{what} {seed}")  # noqa: S311 - a schedule that can be repeated, not a secret


FEES = (0, 0, 5_000, 12_000, 0, 12_000, 1, 5_000, 0, 12_000, 12_001)
"""What a cardholder pays on top, in rials: nothing, something, the most that the bank allows, and one rial more."""


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let ``secrets`` and ``uuid.uuid4`` draw from the seed inside this block: ids, codes and nonces repeat too.

    Purchases have cardholder's fees here, although today's table of the gateway has none.
    """
    source, fees = dice(seed, "ids"), dice(seed, "fees")
    names = {
        "_sysrand": (secrets, source),
        "uuid4": (uuid, lambda: uuid.UUID(bytes=source.randbytes(16), version=4)),
        "purchase_fee": (open_payment, lambda _: Rial(fees.choice(FEES))),
    }
    before = {name: getattr(module, name) for name, (module, _) in names.items()}
    for name, (module, value) in names.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, (module, _) in names.items():
            setattr(module, name, before[name])
