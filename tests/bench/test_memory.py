"""What the benchmark of memory reads of a process, and whose it is."""

from __future__ import annotations

import subprocess
import sys

import pytest

from bench.memory import FLOOR_OF, OURS, Memory, in_rollup, lines, of_workers

ROLLUP = """\
55de51065000-7ffcc3899000 ---p 00000000 00:00 0                          [rollup]
Rss:              130000 kB
Pss:               90000 kB
Pss_Dirty:         80000 kB
Shared_Clean:      20000 kB
Private_Clean:      1000 kB
Private_Dirty:     78000 kB
Private_Hugetlb:       0 kB
Swap:                  0 kB
"""
HOLDS = "held = b'x' * int({bytes})\nprint(flush=True)\ninput()"
PARENT = "import subprocess, sys\nsubprocess.run([sys.executable, '-S', '-c', {child!r}])"


def test_what_a_process_holds_alone_is_told_from_its_share() -> None:
    """USS is what is private, PSS what the kernel says, both in millions of bytes."""
    assert in_rollup(ROLLUP) == Memory(uss=pytest.approx(80.896), pss=pytest.approx(92.16))


def test_the_workers_of_a_server_are_measured_and_not_the_server() -> None:
    """A process below another one is its worker; a process alone is measured itself, as it grows."""
    found = []
    child = HOLDS.format(bytes="40e6")
    for code in (HOLDS.format(bytes="0"), child, PARENT.format(child=child)):
        with subprocess.Popen(  # noqa: S603 - our own words
            [sys.executable, "-S", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout
            process.stdout.readline()
            found.append(of_workers(process.pid))
            process.communicate("\n")

    ((empty,), (alone,), (below,)) = found
    assert alone.uss - empty.uss == pytest.approx(40, abs=3)
    assert below.uss == pytest.approx(alone.uss, abs=3)
    assert below.pss >= below.uss


def test_each_kind_is_shown_idle_and_after_load_and_beside_the_floors() -> None:
    """The mean of a kind's workers, look by look, and times the floor's at the last look."""
    seen = {kind: [[Memory(60.0, 70.0), Memory(80.0, 90.0)], [Memory(90.0, 100.0)] * 2] for kind in OURS}
    seen |= {floor: [[Memory(20.0, 25.0)], [Memory(30.0, 40.0)]] for floor in set(FLOOR_OF.values())}

    rows = {line[:16].strip(): line[16:].split() for line in lines(seen)}
    assert rows["gateway"] == ["2", "70.0", "90.0", "80.0", "100.0", "3.0", "2.5"]
    assert rows["floor's gateway"] == ["1", "20.0", "30.0", "25.0", "40.0"]
    assert rows.keys() >= OURS.keys()
