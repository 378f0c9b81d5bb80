"""Processor time of processes and everything below them: steadier than the clock where others use the machine too."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

TICK_SECONDS = 1 / os.sysconf("SC_CLK_TCK")
FIRST, LAST = 11, 15
"""Of the fields behind the name in ``/proc/<pid>/stat``: its own time, user and system, and its dead children's."""


def spent(pids: Iterable[int]) -> float:
    """Return the seconds of processor time that these processes and all below them have used so far."""
    return sum(_ticks(each) for pid in pids for each in (pid, *below(pid))) * TICK_SECONDS


def below(pid: int) -> Iterator[int]:
    """Return the processes that this one started, and theirs."""
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, _read(task).split()):
            yield child
            yield from below(child)


def _ticks(pid: int) -> int:
    return sum(map(int, _read(Path(f"/proc/{pid}/stat")).rpartition(")")[2].split()[FIRST:LAST]))


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:
        return ""  # it has just ended; its time is its parent's now
