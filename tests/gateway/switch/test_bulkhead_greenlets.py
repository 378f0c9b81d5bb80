"""The gates under gunicorn's gevent workers: patched locks hold the same places, one probe, and never stop the loop."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROGRAM = """
from gevent import monkey; monkey.patch_all()
import gevent, gevent.event
from foundation.logs import configure_logging
from gateway.bulkhead import Gate, Gates, NotAdmitted
from gateway.domain.breaker import REST_SECONDS, SILENCES_MAX, Heard

configure_logging("test")
ROOM, GREENLETS = 16, 400
leave, inside, most, turned_away, ticks = gevent.event.Event(), 0, 0, [], 0

def visitor(gate, heard, holds=None):
    global inside, most
    try:
        with gate.admitted() as visit:
            inside += 1
            most = max(most, inside)
            try:
                (holds or leave).wait()
                visit.heard = heard
            finally:
                inside -= 1
    except NotAdmitted as error:
        turned_away.append(error.why)

def beat():
    global ticks
    while not leave.is_set():
        gevent.sleep(0.001)
        ticks += 1

gates = Gates("test", room=ROOM)
heart = gevent.spawn(beat)
visitors = [gevent.spawn(lambda: visitor(gates.of("two"), Heard.ANSWER)) for _ in range(GREENLETS)]
gevent.sleep(0.05)
reading = gates.reading("two")
print("full:", reading.taken, most, turned_away.count("full"), ticks > 0)
other = gevent.spawn(lambda: visitor(gates.of("three"), Heard.ANSWER))
gevent.sleep(0)
print("another issuer:", gates.reading("three").taken)
gevent.killall(visitors[: ROOM // 2])
print("after killing half:", gates.reading("two").taken)
leave.set()
gevent.joinall([*visitors, other, heart])
print("empty:", gates.reading("two").taken, inside)

now = [0.0]
gate, turned_away[:] = Gate("test", room=GREENLETS, now=lambda: now[0]), []
silent = gevent.event.Event()
waiting = [gevent.spawn(visitor, gate, Heard.SILENCE, silent) for _ in range(SILENCES_MAX)]
gevent.sleep(0)
silent.set()
gevent.joinall(waiting)
now[0] = REST_SECONDS
probes = gevent.event.Event()
asking = [gevent.spawn(visitor, gate, Heard.ANSWER, probes) for _ in range(GREENLETS)]
gevent.sleep(0.05)
print("probes:", gate.reading().taken, turned_away.count("open"))
probes.set()
gevent.joinall(asking)
print("after the probe:", gate.reading().breaker.state, gate.reading().taken)

now[0], silent = 0.0, gevent.event.Event()
silent.set()
for _ in range(SILENCES_MAX):
    visitor(gate, Heard.SILENCE, silent)
now[0] = REST_SECONDS
killed = gevent.spawn(visitor, gate, Heard.ANSWER, gevent.event.Event())
gevent.sleep(0)
killed.kill()
print("a killed probe:", gate.reading().breaker.state, gate.reading().taken)
"""
SAID = """full: 16 16 384 True
another issuer: 1
after killing half: 8
empty: 0 0
probes: 1 399
after the probe: closed 0
a killed probe: open 0
"""


def test_f18_gates_hold_their_places_among_greenlets() -> None:
    """Four hundred at once: sixteen inside, the rest turned away at once; killed ones give their places back."""
    ended = subprocess.run(  # noqa: S603 - this file's own program
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert (ended.stdout, ended.returncode) == (SAID, 0), ended.stderr
