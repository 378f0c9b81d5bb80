"""Which keys an acquirer may use now: those of the key file, and the sets it has exchanged since.

Each live set is a :class:`Peer` of its own, so that a message is read, and its answer written, under one set.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from otp.domain.link_keys import KeySet
from otp.host import mac, pin_block
from otp.host.key_wrap import NotUnwrapped, opened
from otp.host.peers import Peer

log = structlog.get_logger(__name__)

SECONDS = 5.0
"""How long an acquirer's sets are remembered: after that, another process of this host may have kept a new one."""

FRUITLESS_SECONDS = 1.0
"""How long nobody looks again after a key id turned out to be nobody's; rubbish must not load the database."""


class KeySets:
    """The live sets of every acquirer.

    Args:
        peers: by acquirer, with the keys of the key file.
        read: an acquirer's exchanged sets, newest first; ``None`` when they cannot be read now.
    """

    def __init__(self, peers: Mapping[str, Peer], read: Callable[[str], Sequence[KeySet] | None]) -> None:
        self._peers = peers
        self._read = read
        self._reading = threading.Lock()
        self._known: dict[str, tuple[float, tuple[Peer, ...]]] = {}
        self._fruitless_at = float("-inf")

    def acquirer(self, acquirer_id: str) -> Peer | None:
        """Return an acquirer with the keys of the key file."""
        return self._peers.get(acquirer_id)

    def named(self, acquirer_id: str, key_ids: str) -> Peer | None:
        """Return the acquirer with the live set whose MAC key DE 53 names; an unknown name is looked up once."""
        found = _named(self.live(acquirer_id), key_ids)
        if found is None and time.monotonic() - self._fruitless_at >= FRUITLESS_SECONDS:
            with self._reading:
                found = _named(self._read_again(acquirer_id), key_ids)
            if found is None:
                self._fruitless_at = time.monotonic()
        return found

    def live(self, acquirer_id: str) -> tuple[Peer, ...]:
        """Return an acquirer's live sets, newest first; one thread reads them again, the others go on meanwhile."""
        known = self._known.get(acquirer_id)
        fresh = known is not None and time.monotonic() - known[0] < SECONDS
        if not fresh and self._reading.acquire(blocking=known is None):
            try:
                return self._read_again(acquirer_id)
            finally:
                self._reading.release()
        return self._known[acquirer_id][1]

    def newest(self, acquirer_id: str) -> Peer:
        """Return the set that an answer is written under which belongs to no set; the key file's, if none opens."""
        return next(iter(self.live(acquirer_id)), self._peers[acquirer_id])

    def _read_again(self, acquirer_id: str) -> tuple[Peer, ...]:
        rows = self._read(acquirer_id)
        of_file = self._peers[acquirer_id]
        if rows is not None:
            sets = [peer for row in rows if (peer := _opened(of_file, row)) is not None]
            file_is_live = not rows or rows[0].replaces is None
            peers = (*sets, of_file) if file_is_live else tuple(sets)
        else:
            peers = self._known.get(acquirer_id, (0.0, (of_file,)))[1]
        self._known[acquirer_id] = (time.monotonic(), peers)
        return peers


def described(peer: Peer) -> str:
    """Say which keys a live set has, by check values that two custodians compare.

    The key file may hold several keys for one use; of an exchanged set there is one each.
    """
    pins = ", ".join(f"{key_id} {pin_block.check_value(key)}" for key_id, key in peer.pin.items())
    requests = ", ".join(f"{key_id} {mac.check_value(key)}" for key_id, key in peer.mac_in.items())
    answers = f"{peer.mac_out_id} {mac.check_value(peer.mac_out)}"
    return f"acquirer {peer.acquirer_id}, {peer.set_name or 'key file'}: {pins}; {requests}; {answers}"


def _named(peers: Sequence[Peer], key_ids: str) -> Peer | None:
    return next((peer for peer in peers if peer.speaks_under(key_ids)), None)


def _opened(of_file: Peer, row: KeySet) -> Peer | None:
    try:
        kek = of_file.kek[row.kek_id]
        return replace(
            of_file,
            set_name=row.name,
            mac_in={f"{row.name}.req": opened(kek, row.request_mac, mac.KEY_BYTES)},
            mac_out_id=f"{row.name}.ans",
            mac_out=opened(kek, row.answer_mac, mac.KEY_BYTES),
            pin={f"{row.name}.pin": opened(kek, row.pin, pin_block.KEY_BYTES)},
        )
    except (KeyError, NotUnwrapped):
        log.error("link_keys_not_opened", acquirer_id=row.acquirer_id, name=row.name, kek_id=row.kek_id)  # noqa: TRY400 - the stack says nothing more
        return None
