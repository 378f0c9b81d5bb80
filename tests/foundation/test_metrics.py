"""One page for several processes: what the dead counted stays, what they held goes, and strangers see nothing."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest
from prometheus_client import Counter, values

from foundation.metrics import may_read, open_metrics

PROCESS = """
import sys
from pathlib import Path
from prometheus_client import Counter, Gauge, Histogram
from foundation.metrics import open_metrics
metrics = open_metrics(Path(sys.argv[1]))
registry = metrics.registry
done = Counter("done", "done", ("what",), registry=registry)
held = Gauge("held", "held", registry=registry, multiprocess_mode="livesum")
newest = Gauge("newest", "newest", registry=registry, multiprocess_mode="mostrecent")
took = Histogram("took", "took", buckets=(1.0, 2.0), registry=registry)
print("ready", flush=True)
for line in sys.stdin:
    word, number = line.split()
    {"done": done.labels("it").inc, "held": held.inc, "newest": newest.set, "took": took.observe}.get(
        word, lambda _: print(metrics.page().decode().replace(chr(10), "|"), flush=True))(float(number))
    if word != "page":
        print("ok", flush=True)
"""


class Process:
    """A process that counts what it is told to, and can be killed."""

    def __init__(self, directory: Path) -> None:
        command = [sys.executable, "-c", PROCESS, str(directory)]
        self._running = subprocess.Popen(  # noqa: S603 - our own interpreter
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        assert self._read() == "ready"

    def tell(self, word: str, number: float) -> str:
        """Let it count."""
        assert self._running.stdin
        self._running.stdin.write(f"{word} {number}\n")
        self._running.stdin.flush()
        return self._read()

    def page(self) -> dict[str, float]:
        """Return the page it writes: samples by name with labels."""
        lines = self.tell("page", 0).split("|")
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in lines if line and line[0] != "#"}

    @property
    def pid(self) -> int:
        """Its id."""
        return self._running.pid

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self._running.send_signal(number)

    def kill(self) -> None:
        """Kill it where it stands."""
        self._running.kill()
        self._running.communicate()

    def _read(self) -> str:
        assert self._running.stdout
        return self._running.stdout.readline().rstrip("\n")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[], Process]]:
    """Start processes that share one directory."""
    started: list[Process] = []

    def make() -> Process:
        started.append(Process(tmp_path))
        return started[-1]

    yield make
    for process in started:
        process.signal(signal.SIGCONT)
        process.kill()


def test_the_page_adds_up_all_processes(start: Callable[[], Process]) -> None:
    """Whoever is asked, counters, gauges and histograms are those of every living process."""
    one, other = start(), start()
    for process in (one, other):
        process.tell("done", 2)
        process.tell("held", 1)
        process.tell("took", 1.5)

    for process in (one, other):
        page = process.page()
        assert page['done_total{what="it"}'] == 4
        assert page["held"] == 2
        assert (page['took_bucket{le="1.0"}'], page['took_bucket{le="2.0"}'], page["took_sum"]) == (0, 2, 3)


def test_the_dead_have_counted_and_hold_nothing(start: Callable[[], Process], tmp_path: Path) -> None:
    """A process killed in the middle leaves its counts for ever, no gauge and no file, however often one looks."""
    for number in (1, 2, 3):
        dead = start()
        dead.tell("done", 1)
        dead.tell("held", 5)
        dead.tell("took", 0.5)
        dead.tell("newest", number)
        dead.kill()
    alive = start()
    alive.tell("done", 1)

    for _ in range(3):
        page = alive.page()
        assert page['done_total{what="it"}'] == 4
        assert page["held"] == 0
        assert page['took_bucket{le="1.0"}'] == 3
        assert page["newest"] == 3

    processes = {path.stem.rpartition("_")[2] for path in tmp_path.glob("*.db")}
    assert len(processes - {"archive"}) == 1


def test_a_file_of_an_earlier_process_with_this_id_is_a_dead_ones(start: Callable[[], Process], tmp_path: Path) -> None:
    """Ids are used again; the time a process began makes the difference."""
    dead = start()
    dead.tell("held", 7)
    dead.kill()
    alive = start()
    alive.tell("held", 1)
    (left,) = [path for path in tmp_path.glob("gauge_livesum_*.db") if f"_{alive.pid}-" not in path.name]
    left.rename(left.with_name(f"gauge_livesum_{alive.pid}-1.db"))

    assert alive.page()["held"] == 1


def test_a_process_that_is_stopped_holds_nobody_up(start: Callable[[], Process]) -> None:
    """SIGSTOP is no death: the page is written, with what the stopped one counted."""
    stopped, asked = start(), start()
    stopped.tell("done", 3)
    stopped.tell("held", 1)
    stopped.signal(signal.SIGSTOP)

    page = asked.page()

    assert (page['done_total{what="it"}'], page["held"]) == (3, 1)


def test_without_a_directory_a_process_shows_itself() -> None:
    """Nothing is written anywhere."""
    metrics = open_metrics(None)
    Counter("seen", "seen", registry=metrics.registry).inc(2)

    assert values.ValueClass is values.MutexValue
    assert re.search(rb"^seen_total 2\.0$", metrics.page(), re.MULTILINE)


INSIDE = (ip_network("127.0.0.0/8"), ip_network("10.9.0.0/16"), ip_network("::1/128"))


@pytest.mark.parametrize("peer", ["127.0.0.1", "10.9.255.1", "::1"])
def test_d29_operators_read(peer: str) -> None:
    """D29: the socket's peer is in one of the networks."""
    assert may_read(peer, [("Accept", "text/plain")], INSIDE)


@pytest.mark.parametrize(
    ("peer", "headers"),
    [
        ("203.0.113.9", []),
        ("10.10.0.1", []),
        (None, []),
        ("", []),
        ("unix", []),
        ("127.0.0.1", [("X-Forwarded-For", "203.0.113.9")]),
        ("127.0.0.1", [("x-real-ip", "127.0.0.1")]),
        ("127.0.0.1", [("Forwarded", "for=127.0.0.1")]),
        ("127.0.0.1", [("VIA", "1.1 proxy")]),
    ],
)
def test_d29_nobody_else_does(peer: str | None, headers: list[tuple[str, str]]) -> None:
    """A stranger, somebody without an address, and whatever a proxy passed on from wherever."""
    assert not may_read(peer, headers, INSIDE)
    assert not may_read("127.0.0.1", [], ())
