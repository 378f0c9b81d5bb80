"""From a request for a code until the SMS provider has accepted its message: signed call, commit, bell, worker, panel.

The bank is real, its worker is real, and its provider is a panel on the loopback that says yes at once, so that what is
timed is the bank's own part of every holder's waiting.
"""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count, cycle
from pathlib import Path
from statistics import median
from urllib.parse import parse_qs

from bench.pace import at_pace
from bench.pin_wires import REST, TERMINALS, pin_request
from bench.steps import MILLISECONDS, p50_p99
from foundation.keys import Keyring
from foundation.rial import Rial
from foundation.signatures import Signer
from foundation.xml_signatures import EnvelopeSigner
from gateway.harim.client import HarimClient
from gateway.ports import PinSent
from sandbox.banks import BANK_TWO
from sandbox.cards import crowd
from sandbox.keys import GATEWAY_SIGNING_KEY_ID
from sandbox.phone_store import Text
from sandbox.places import CannotRun
from sandbox.running import InVain, RunningWorld, wait_for
from sandbox.seed import GATEWAY_SOAP_KEY_ID, cvv2_of_card, issuer_of
from sandbox.world import TERMINAL_ID

EACH_ROUND = 200
PER_SECOND = 10.0
"""A pace that two cores serve with room to spare: what is looked for is the way, not the queue."""

WARM_UP = 20
CROWD = 1_000
FIRST_AMOUNT = 100_000
"""Each request has an amount of its own, by which its message is recognised."""

WAIT_SECONDS = 20.0
"""A message that the panel has not seen by then is none of a bank that works."""


@dataclass
class Panel:
    """A provider that accepts at once, and when it did, by the amount that a message says."""

    accepted: dict[int, float] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def answer(self) -> bytes:
        """Answer one call as Kavenegar does."""
        return json.dumps({"return": {"status": 200}, "entries": [{"messageid": next(self._numbers)}]}).encode()

    def note(self, form: dict[str, list[str]], at: float) -> None:
        """Note when a code's message was accepted; what else it says is forgotten."""
        said = Text(0, "", form.get("message", [""])[0], "").amount
        if said:
            self.accepted[int("".join(letter for letter in said if letter.isdecimal()))] = at


_panels: dict[Path, Panel] = {}
"""The panel of each sandbox, by its directory."""


@contextmanager
def panel(world: RunningWorld) -> Iterator[None]:
    """Let the banks of a sandbox that is yet to start send by a panel that says yes at once."""
    _panels[world.state] = told = Panel()
    with running(told) as port:
        file = world.state / "panel.json"
        file.parent.mkdir(parents=True, exist_ok=True)
        row = {"name": "panel", "kind": "kavenegar", "credentials": {"key": "loopback"}, "line": "30003303",
               "address": f"http://127.0.0.1:{port}"}  # fmt: skip
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            json.dump([row], out)
        wishes = json.loads(world.environment["POOYA_SETTINGS"]) | {"OTP_SMS_FILE": str(file)}
        world.environment["POOYA_SETTINGS"] = json.dumps(wishes)
        yield
    del _panels[world.state]


@contextmanager
def running(told: Panel) -> Iterator[int]:
    """Run a panel; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            said = told.answer()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(said)))
            self.end_headers()
            self.wfile.write(said)
            told.note(form, time.monotonic())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_port
        finally:
            server.shutdown()


class UntilAccepted:
    """Asks bank two for codes at a steady pace, as the gateway does."""

    def __init__(self, world: RunningWorld) -> None:
        keys = Keyring.from_file(world.world.key_file("gateway"))
        signer = Signer(GATEWAY_SIGNING_KEY_ID, keys.material(GATEWAY_SIGNING_KEY_ID).reveal())
        self._client = HarimClient(signer, EnvelopeSigner(keys.material(GATEWAY_SOAP_KEY_ID).reveal()))
        self._issuer = issuer_of(world.world, BANK_TWO)
        if self._issuer.harim_dialect != REST:
            raise CannotRun("bank two no longer speaks REST")
        cards = [(card.pan, cvv2_of_card(world.world, card), card.expiry) for card in crowd(CROWD)]
        self._cards = cycle(cards)
        self._terminals = cycle(str(int(TERMINAL_ID) + number) for number in range(TERMINALS))
        self._amounts = count(FIRST_AMOUNT)
        self._taking = threading.Lock()
        self._panel = _panels[world.state]
        self.took: list[list[float]] = []
        self.late: list[float] = []

    def measure(self, rounds: int, each: int = EACH_ROUND) -> None:
        """Ask so often in each round, and wait until every message was accepted."""
        self._round(WARM_UP, 0)
        self.took, self.late = [], []
        for seed in range(1, rounds + 1):
            self._round(each, seed)

    def _round(self, each: int, seed: int) -> None:
        asked: dict[int, float] = {}
        accepted = self._panel.accepted
        self.late.append(at_pace(each, PER_SECOND, seed, lambda: self._ask(asked)))
        try:
            wait_for(lambda: asked.keys() <= accepted.keys(), "messages", WAIT_SECONDS)
        except InVain:
            raise CannotRun(f"{len(asked.keys() - accepted.keys())} messages never arrived") from None
        self.took.append([accepted[amount] - began for amount, began in asked.items()])

    def _ask(self, asked: dict[int, float]) -> None:
        with self._taking:
            amount, terminal_id, card = next(self._amounts), next(self._terminals), next(self._cards)
        request = pin_request(*card, terminal_id=terminal_id, amount=Rial(amount))
        began = time.monotonic()
        answer = self._client.request_pin(self._issuer, request)
        if not isinstance(answer, PinSent):
            raise CannotRun(f"no code: {answer}")
        asked[amount] = began


def lines(run: UntilAccepted) -> Iterator[str]:
    """Say what was measured: p50 and p99 of every round, and those of the middle one."""
    figures = [p50_p99(took) for took in run.took]
    for number, ((half, most), late) in enumerate(zip(figures, run.late, strict=True), start=1):
        yield (
            f"round {number}: half within {half * MILLISECONDS:.0f} ms, 99 of 100 within {most * MILLISECONDS:.0f} ms "
            f"({len(run.took[number - 1])} codes; the latest began {late * MILLISECONDS:.0f} ms late)"
        )
    half, most = (median(column) * MILLISECONDS for column in zip(*figures, strict=True))
    yield f"from a request to accepted by the provider: p50 {half:.0f} ms, p99 {most:.0f} ms"
