"""What befalls the world as a whole: clocks, issuers that hang, endpoints that are down, a Redis that is away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sandbox.simulator.hooks import Merchants
from sandbox.simulator.network import WEATHERS, Network
from sandbox.simulator.nights import Nights
from sandbox.simulator.outside import Bell
from sandbox.simulator.stage import BANKS, ISSUERS

JUMPS_SECONDS = {30: 25, 70: 25, 130: 20, 400: 10, 1_000: 15, 4_000: 4, 90_000: 1}
"""How far time may go at once, and how often: past a resend wait, a code's life, a page, a window, a day."""

SKEW_SECONDS = 120
ILL = 0.3


@dataclass
class Weather:
    """Changes one thing about the world at a time."""

    network: Network
    merchants: Merchants
    bell: Bell
    nights: Nights

    def actions(self) -> dict[str, tuple[int, Callable[[], str]]]:
        """Return every change with its weight."""
        return {
            "time passes": (9, self.time_passes),
            "a day ends": (16, self.nights.end_day),
            "clerks": (25, self.nights.work),
            "clocks": (20, self.clocks),
            "issuer": (25, self.issuer),
            "endpoint": (15, self.merchants.change_weather),
            "redis": (5, self.redis),
        }

    def time_passes(self) -> str:
        """Let time go on at once, as it does while nobody acts."""
        seconds = self.network.dice.choices(list(JUMPS_SECONDS), list(JUMPS_SECONDS.values()))[0]
        self.network.clock.seconds += seconds
        return f"{seconds} s later"

    def clocks(self) -> str:
        """Set one organisation's clock, forward or back."""
        organisation = self.network.dice.choice(("gateway", *BANKS))
        skews = self.network.clock.skews
        before, after = skews.get(organisation, 0.0), self.network.dice.uniform(-SKEW_SECONDS, SKEW_SECONDS)
        skews[organisation] = after
        self.network.saw("clock went on" if after > before else "clock went back")
        if any(skews.get("gateway", 0.0) != skews.get(bank, 0.0) for bank in BANKS):
            self.network.saw("clocks differ")
        return f"{organisation} is {after:.3f} s off"

    def issuer(self) -> str:
        """Let an issuer hang, flap or be away, or be well again."""
        issuer_id, _ = self.network.dice.choice(ISSUERS)
        ill = issuer_id not in self.network.weather and self.network.dice.random() < ILL
        self.network.weather.pop(issuer_id, None)
        if ill:
            self.network.weather[issuer_id] = self.network.dice.choice(WEATHERS)
        return f"{issuer_id} {self.network.weather.get(issuer_id, 'is well')}"

    def redis(self) -> str:
        """Take Redis away with all that is in it, or bring it back empty."""
        self.bell.away, self.bell.rung = not self.bell.away, False
        return "away" if self.bell.away else "back"

    def clear(self) -> None:
        """Stop all faults; only a merchant's server may stay down for good."""
        self.network.faulty = False
        self.network.calls.over = True
        self.network.weather.clear()
        self.merchants.end_weather()
        self.bell.away = False
