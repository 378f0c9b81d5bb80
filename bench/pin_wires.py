"""PIN requests per second over REST and over SOAP, at the same bank application, in turns (D21, D41).

One client of the gateway, several at once, real HTTP over the loopback; each request is for a payment and a card of its
own, so that neither limits nor resends stand in the way.
"""

from __future__ import annotations

import secrets
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

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
from sandbox.cards import crowd as crowd_of
from sandbox.places import CannotRun
from sandbox.running import RunningWorld
from sandbox.seed import GATEWAY_SIGNING_KEY_ID, GATEWAY_SOAP_KEY_ID, cvv2_of_card, issuer_of
from sandbox.world import ACQUIRER_ID, MERCHANT_ID, TERMINAL_ID

AT_ONCE = 4
PER_CARD = 3
"""Codes that one card may have at once (D17); so many requests are made for each card."""

EACH_ROUND = 150
"""Requests over each wire in a round."""

REFERENCE_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"


class PinWires:
    """Asks bank two for PINs over either wire; its application serves both."""

    def __init__(self, world: RunningWorld, crowd: int) -> None:
        keys = Keyring.from_file(world.world.key_file("gateway"))
        signer = Signer(GATEWAY_SIGNING_KEY_ID, keys.material(GATEWAY_SIGNING_KEY_ID).reveal())
        self._client = HarimClient(signer, EnvelopeSigner(keys.material(GATEWAY_SOAP_KEY_ID).reveal()))
        self._issuer = issuer_of(world.world, BANK_TWO)
        cards = [(card.pan, cvv2_of_card(world.world, card), card.expiry) for card in crowd_of(crowd)]
        self._cards = iter(cards * PER_CARD)

    def compare(self, rounds: int) -> Comparison:
        """Measure both wires in turns, in requests per second."""
        return in_turns(rounds, lambda: self._rate("harim-v1-rest"), lambda: self._rate("harim-v1-soap"))

    def _rate(self, dialect: str) -> float:
        issuer = replace(self._issuer, harim_dialect=dialect)
        cards = list(islice(self._cards, EACH_ROUND))
        if len(cards) < EACH_ROUND:
            raise CannotRun("the cards are used up; measure fewer rounds")
        started = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as several:
            list(several.map(lambda card: self._ask(issuer, card), cards))
        return EACH_ROUND / (time.monotonic() - started)

    def _ask(self, issuer: Issuer, card: tuple[Pan, str, str]) -> None:
        pan, cvv2, expiry = card
        answer = self._client.request_pin(issuer, _request(pan, cvv2, expiry))
        if not isinstance(answer, PinSent):
            raise CannotRun(f"no PIN over {issuer.harim_dialect}: {answer}")


def lines(comparison: Comparison) -> Iterator[str]:
    """Say what was measured."""
    for number, (rest, soap) in enumerate(zip(comparison.usual, comparison.changed, strict=True), start=1):
        yield f"round {number}: {rest:.0f} PIN requests/s over REST, {soap:.0f} over SOAP"
    yield f"ratio: {comparison.ratio:.2f}"


def _request(pan: Pan, cvv2: str, expiry: str) -> PinRequest:
    reference = "".join(secrets.choice(REFERENCE_ALPHABET) for _ in range(16))
    order = Order(
        Kind.PURCHASE, Rial(250_000), Rial(0), ACQUIRER_ID, MERCHANT_ID, TERMINAL_ID, "بازارچه نمونه", "", reference
    )
    return PinRequest(str(uuid.uuid4()), 1, order, pan, Sensitive(cvv2), Sensitive(expiry))
