"""All chance of a run comes from its seed: the scheduler's dice, and what the organisations draw for ids and codes."""

from __future__ import annotations

import random
import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager


def dice(seed: int, what: str) -> random.Random:
    """Return a generator of its own for each use, so that one use does not disturb another."""
    return random.Random(f"{what} {seed}")  # noqa: S311 - a schedule that can be repeated, not a secret


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Let ``secrets`` and ``uuid.uuid4`` draw from the seed inside this block: ids, codes and nonces repeat too."""
    source = dice(seed, "ids")
    names = {"_sysrand": (secrets, source), "uuid4": (uuid, lambda: uuid.UUID(bytes=source.randbytes(16), version=4))}
    before = {name: getattr(module, name) for name, (module, _) in names.items()}
    for name, (module, value) in names.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, (module, _) in names.items():
            setattr(module, name, before[name])
