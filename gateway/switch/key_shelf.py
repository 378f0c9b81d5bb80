"""The link keys of every issuer as one process knows them: those of the key file, and those exchanged since.

Exchanged keys stand in the database, wrapped; every process reads them again after ``seconds``. Until then it goes on
with the keys it knows, which the host takes until the next exchange, and the host answers under the set it was asked
under: so no process needs to learn of a new set before another one uses it.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

import structlog

from foundation.key_file import KeyState
from foundation.keys import Key, Keyring, UnknownKey
from gateway.ports import ExchangedKeys
from gateway.switch.key_wrap import NotUnwrapped, opened
from gateway.switch.keys import LinkKeys

log = structlog.get_logger(__name__)

Reader = Callable[[str], Sequence[ExchangedKeys] | None]
"""Reads an issuer's exchanged sets, oldest first; ``None`` when they cannot be read now."""


def nothing_exchanged(_issuer_id: str) -> Sequence[ExchangedKeys]:
    """Be the reader of a gateway that knows only its key file."""
    return ()


class KeyShelf:
    """Remembers link keys by issuer."""

    def __init__(self, keyring: Keyring, read: Reader, *, seconds: float) -> None:
        self._keyring = keyring
        self._read = read
        self._seconds = seconds
        self._reading = threading.Lock()
        self._known: dict[str, tuple[float, LinkKeys]] = {}

    def known(self, issuer_id: str) -> LinkKeys:
        """Return the keys as last read, without reading: for the thread that hears the host."""
        known = self._known.get(issuer_id)
        return LinkKeys(self._keyring, issuer_id) if known is None else known[1]

    def now(self, issuer_id: str) -> LinkKeys:
        """Return the keys, read again when what is remembered is too old; one thread reads, the others go on.

        Raises:
            UnknownKey: when they were never read and cannot be.
        """
        if not self._fresh(issuer_id) and self._reading.acquire(blocking=issuer_id not in self._known):
            try:
                if not self._fresh(issuer_id):
                    self._read_again(issuer_id)
            finally:
                self._reading.release()
        return self._known[issuer_id][1]

    def _fresh(self, issuer_id: str) -> bool:
        known = self._known.get(issuer_id)
        return known is not None and time.monotonic() - known[0] < self._seconds

    def _read_again(self, issuer_id: str) -> None:
        exchanged = self._read(issuer_id)
        if exchanged is not None:
            keys = LinkKeys(_ring(self._keyring, issuer_id, exchanged), issuer_id)
        elif issuer_id in self._known:
            keys = self._known[issuer_id][1]
        else:
            raise UnknownKey(f"the keys exchanged with {issuer_id} cannot be read")
        self._known[issuer_id] = (time.monotonic(), keys)


def _ring(keyring: Keyring, issuer_id: str, exchanged: Sequence[ExchangedKeys]) -> Keyring:
    """Put the sets on a ring of their own; the key file's keys are the oldest set, and go with the second exchange."""
    newest = max((row.number for row in exchanged if row.active), default=0)
    keys = _of_file(keyring, issuer_id) if newest <= 1 else []
    for row in exchanged:
        try:
            pin, request, answer = opened(keyring, row.keys)
        except (NotUnwrapped, UnknownKey, ValueError):
            log.error("link_keys_not_opened", issuer_id=issuer_id, name=row.keys.name, kek_id=row.keys.kek_id)  # noqa: TRY400 - the stack says nothing more
            continue
        state = KeyState.ACTIVE if row.active else KeyState.COMING
        keys += [
            Key(f"{row.keys.name}.pin", f"iso-pin:{issuer_id}", pin, state),
            Key(f"{row.keys.name}.req", f"iso-mac-out:{issuer_id}", request, state),
            Key(f"{row.keys.name}.ans", f"iso-mac-in:{issuer_id}", answer, state),
        ]
    return Keyring(keys)


def _of_file(keyring: Keyring, issuer_id: str) -> list[Key]:
    return [
        key for kind in ("iso-pin", "iso-mac-out", "iso-mac-in") for key in keyring.of_purpose(f"{kind}:{issuer_id}")
    ]
