"""PIN requests per second over REST and over SOAP, at the same bank application, in turns (D21, D41).

One client of the gateway, several at once, real HTTP over the loopback; each request is for a payment of its own, and
cards and terminals take turns, so that neither limits, resends nor the row that counts one terminal stand in the way.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import cycle, islice
from statistics import median

from bench.cpu import spent
from bench.rounds import Comparison, in_turns
from foundation.keys import Keyring
from foundation.pan import Pan
from foundation.rial import Rial
from foundation.sensitive import Sensitive
from foundation.signatures import Signer
from foundation.xml_signatures import EnvelopeSigner
from gateway.domain.issuers import Issuer
from gateway.harim.client import HarimClient
from gateway.ports import Kind, Order, PinRequest, PinSent
from sandbox.banks import BANK_TWO
from sandbox.cards import crowd
from sandbox.keys import GATEWAY_SIGNING_KEY_ID
from sandbox.places import CannotRun
from sandbox.running import RunningWorld
from sandbox.seed import GATEWAY_SOAP_KEY_ID, cvv2_of_card, issuer_of
from sandbox.world import ACQUIRER_ID, MERCHANT_ID, TERMINAL_ID

AT_ONCE = 4
TERMINALS = 16
PER_CARD = 3
"""Codes that one card may have at once (D17); so many requests are made for each card."""

EACH_ROUND = 100
"""Requests over each wire in a round: rounds are short and many, so that each compares neighbouring seconds."""

CROWD = 1_000

REST, SOAP = "harim-v1-rest", "harim-v1-soap"
MILLISECONDS = 1_000
REFERENCE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class PinWires:
    """Asks bank two for PINs over either wire; its application serves both."""

    def __init__(self, world: RunningWorld) -> None:
        keys = Keyring.from_file(world.world.key_file("gateway"))
        signer = Signer(GATEWAY_SIGNING_KEY_ID, keys.material(GATEWAY_SIGNING_KEY_ID).reveal())
        self._client = HarimClient(signer, EnvelopeSigner(keys.material(GATEWAY_SOAP_KEY_ID).reveal()))
        self._issuer = issuer_of(world.world, BANK_TWO)
        cards = [(card.pan, cvv2_of_card(world.world, card), card.expiry) for card in crowd(CROWD)]
        self._cards = iter(cards * PER_CARD)
        self._terminals = cycle(str(int(TERMINAL_ID) + number) for number in range(TERMINALS))
        self._bank = world.pid_of(BANK_TWO.program)
        self.cost: dict[str, defaultdict[str, list[float]]] = {REST: defaultdict(list), SOAP: defaultdict(list)}

    def warm_up(self) -> None:
        """Let connections be opened, and contracts and keys be read, before anything is measured."""
        self.compare(1)
        for cost in self.cost.values():
            cost.clear()

    def compare(self, rounds: int) -> Comparison:
        """Measure both wires in turns, in requests per second."""
        return in_turns(rounds, lambda: self._rate(REST), lambda: self._rate(SOAP))

    def _rate(self, dialect: str) -> float:
        issuer = replace(self._issuer, harim_dialect=dialect)
        cards = list(islice(self._cards, EACH_ROUND))
        if len(cards) < EACH_ROUND:
            raise CannotRun("the cards are used up; measure fewer rounds")
        requests = [pin_request(*card, terminal_id=next(self._terminals)) for card in cards]
        before = self._spent()
        started = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as several:
            list(several.map(lambda request: self._ask(issuer, request), requests))
        took = time.monotonic() - started
        for name, seconds in self._spent().items():
            self.cost[dialect][name].append((seconds - before[name]) / EACH_ROUND * MILLISECONDS)
        return EACH_ROUND / took

    def _spent(self) -> dict[str, float]:
        return {"bank": spent([self._bank]), "gateway's client": time.process_time()}

    def _ask(self, issuer: Issuer, request: PinRequest) -> None:
        answer = self._client.request_pin(issuer, request)
        if not isinstance(answer, PinSent):
            raise CannotRun(f"no PIN over {issuer.harim_dialect}: {answer}")


def lines(run: PinWires, comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    for number, (rest, soap) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {rest:.0f} PIN requests/s over REST, {soap:.0f} over SOAP"
    for dialect, cost in run.cost.items():
        parts = ", ".join(f"{name} {median(values):.2f} ms" for name, values in cost.items())
        yield f"processor time of a request, {dialect}: {parts}"
    yield str(comparison)


def pin_request(
    pan: Pan,
    cvv2: str,
    expiry: str,
    *,
    terminal_id: str,
    amount: Rial = Rial(250_000),  # noqa: B008 - it never changes
) -> PinRequest:
    """Ask for the code of a payment that nobody else has."""
    reference = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(16))
    order = Order(Kind.PURCHASE, amount, Rial(0), ACQUIRER_ID, MERCHANT_ID, terminal_id, "بازارچه نمونه", "", reference)
    return PinRequest(str(uuid.uuid4()), 1, order, pan, Sensitive(cvv2), Sensitive(expiry))
