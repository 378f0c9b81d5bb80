"""The numbers of an organisation's processes on one machine, as one page in Prometheus' text form.

Every process writes its own files in one directory (memory-mapped, a few microseconds a number); whoever is asked for
the page adds them up. What dead processes counted is folded into an archive, and what they alone held is removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest, values
from prometheus_client.mmap_dict import MmapedDict
from prometheus_client.multiprocess import MultiProcessCollector

from foundation.networks import Networks, within

CONTENT_TYPE = CONTENT_TYPE_LATEST

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histograms of calls, in seconds: from one own statement to the longest time-out."""

_ARCHIVE = "archive"
_READS_MAX = 3
_SIGNS_OF_A_PROXY = frozenset({"forwarded", "via", "x-forwarded-for", "x-real-ip"})


@dataclass(frozen=True, slots=True)
class Metrics:
    """Where a process registers its numbers, and the page of all of them."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    directory: Path | None = None

    def page(self) -> bytes:
        """Write the page: of all processes that share the directory, or of this one."""
        if self.directory is None:
            return generate_latest(self.registry)
        fold_the_dead(self.directory)
        for _ in range(_READS_MAX - 1):
            with contextlib.suppress(FileNotFoundError):  # another process folded a file while we read
                return _whole(self.directory)
        return _whole(self.directory)


def open_metrics(directory: Path | None) -> Metrics:
    """Begin the numbers of this process.

    Args:
        directory: of this organisation on this machine, shared by its processes; without one the page shows the
            process that answers, alone. One process serves one organisation, so this holds for the whole process.
    """
    if directory is None:
        values.ValueClass = values.MutexValue
    else:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)  # the library knows no other way to be told
        values.ValueClass = values.MultiProcessValue(_me)  # type: ignore[no-untyped-call]  # the library's own gap
    return Metrics(directory=directory)


def may_read(peer: str | None, headers: Iterable[tuple[str, str]], networks: Networks) -> bool:
    """Tell whether a request comes from an operator's network itself; what a proxy passed on never does (D29)."""
    return within(peer, networks) and not _SIGNS_OF_A_PROXY & {name.lower() for name, _ in headers}


def fold_the_dead(directory: Path) -> None:
    """Add what dead processes counted to the archive and remove their files; one process does it at a time."""
    with (directory / "fold.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return  # never waited for: a stopped process must not hold up another
        for file in sorted(directory.glob("*.db")):
            kind, _, process = file.stem.rpartition("_")
            if process != _ARCHIVE and not _lives(process):
                if not kind.startswith("gauge_live"):
                    _fold(file, directory / f"{kind}_{_ARCHIVE}.db", newest=kind.startswith("gauge"))
                file.unlink(missing_ok=True)


def _whole(directory: Path) -> bytes:
    everybody = CollectorRegistry()
    MultiProcessCollector(everybody, path=str(directory))  # type: ignore[no-untyped-call]  # the library's own gap
    return generate_latest(everybody)


def _fold(file: Path, archive: Path, *, newest: bool) -> None:
    kept = MmapedDict(str(archive))  # type: ignore[no-untyped-call]  # the library's own gap
    try:
        for key, value, timestamp, _ in MmapedDict.read_all_values_from_file(str(file)):  # type: ignore[no-untyped-call]  # the library's own gap
            before, when = kept.read_value(key)  # type: ignore[no-untyped-call]  # the library's own gap
            if not newest:
                kept.write_value(key, before + value, 0.0)  # type: ignore[no-untyped-call]  # the library's own gap
            elif timestamp > when:
                kept.write_value(key, value, timestamp)  # type: ignore[no-untyped-call]  # the library's own gap
    finally:
        kept.close()  # type: ignore[no-untyped-call]  # the library's own gap


def _me() -> str:
    return _named(os.getpid())


@functools.cache
def _named(pid: int) -> str:
    return f"{pid}-{_started(pid)}"


def _lives(process: str) -> bool:
    pid, _, started = process.partition("-")
    return pid.isdecimal() and _started(int(pid)) == started


def _started(pid: int) -> str | None:
    """Return when a process began, in ticks since the machine did; with its id that is unique (``proc(5)``)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except OSError:
        return None
