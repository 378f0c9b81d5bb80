"""The merchant's side of webhooks: servers that are down, slow or elsewhere, and a developer who changes endpoints."""

from __future__ import annotations

import datetime as dt
import json
import random
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from foundation.database import guard_no_transaction
from gateway.domain.errors import GatewayError
from gateway.ports import Delivered, NotDelivered, Webhook
from gateway.services import endpoints
from gateway.services.endpoints import Choice, Redelivered, Wish, WithSecret
from gateway.services.gateway import Gateway
from gateway.services.idempotency import Asked, Idempotency
from gateway.store.directory import Caller
from sandbox.simulator import telling
from sandbox.simulator.check import require
from sandbox.simulator.faults import BEGIN
from sandbox.simulator.memory import Memory
from sandbox.simulator.network import Network

SITE = "http://localhost:8200"
SLOW_HOOK = (2, 20, 60)
HOOK_FATES = {"delivered": 70, "slow": 15, "error": 10, "too late": 3, "gone": 2}
PAID_FATES = {"delivered": 28, "slow": 60, "error": 7, "too late": 3, "gone": 2}
"""The merchant's server takes its time over news of money."""

ILLNESSES = {"down": 60, "redirects": 15, "breaks": 25}
FAILURES = {
    "down": NotDelivered("ConnectionRefusedError"),
    "redirects": NotDelivered("status 302", status=302),
    "breaks": NotDelivered("status 500", status=500),
    "error": NotDelivered("status 503", status=503),
    "gone": NotDelivered("status 410", status=410, gone=True),
    "stranger": NotDelivered("status 401", status=401),
    "too late": NotDelivered("timed out"),
}
STAYS_ILL = 0.4
ENDPOINTS_MOST = 4
NEWEST = 40
KEY_SECONDS = 20 * 3_600
"""An idempotency key is kept at least a day, by a clock that may be set."""

COIN = 0.5


@dataclass
class Server:
    """One address: the secrets its owner has ever been shown, and what is wrong with it."""

    secrets: set[str] = field(default_factory=set)
    ill: str = ""
    heard: int = 0


@dataclass
class Merchants:
    """Implements :class:`gateway.ports.Callbacks`: servers that are ill now and then, and remember what they heard.

    Args:
        first: addresses and secrets that merchant and biller were enrolled with.
    """

    network: Network
    memory: Memory
    first: tuple[tuple[str, str], ...]
    servers: dict[str, Server] = field(default_factory=dict)
    serving: list[str] = field(default_factory=list)
    _sending: list[tuple[str, str]] = field(default_factory=list)
    _bodies: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for url, secret in self.first:
            self.server(url).secrets.add(secret)

    def server(self, url: str) -> Server:
        """Return who answers at an address."""
        return self.servers.setdefault(url, Server())

    def send(self, webhook: Webhook) -> Delivered | NotDelivered:
        """Receive one event."""
        guard_no_transaction()
        body, key = json.loads(webhook.body), (webhook.event_id, self._endpoint_at(webhook.url))
        server, secrets = self.server(webhook.url), [secret.reveal() for secret in webhook.secrets]
        telling.check_sent(self.memory, key, secrets, self.network.clock.now("gateway"))
        fate = server.ill or self._fate(body["type"])
        if fate not in {"down", "redirects", "breaks"} and not server.secrets.intersection(secrets):
            fate = "stranger"
        if fate in {"redirects", "stranger", "too late"}:
            self.network.saw(f"webhook: {fate}")
        if fate == "gone":
            self.memory.gone.add(key)
        if fate in {"delivered", "slow", "too late"}:
            self._take(key, body, slow=fate != "delivered")
        self.network.point("worker.after_webhook_before_mark")
        if fate in FAILURES:
            return FAILURES[fate]
        server.heard += 1
        self.memory.heard.add(key)
        return Delivered(200)

    def _endpoint_at(self, url: str) -> str:
        living = [row for row in self.memory.endpoints.values() if row["url"] == url and not row["deleted_at"]]
        require(len(living) == 1, f"I11: a webhook came to {url}, where nobody asked for it")
        return str(living[0]["endpoint_id"])

    def _fate(self, kind: str) -> str:
        if not self.network.faulty:
            return "delivered"
        fates = PAID_FATES if kind == "payment.authorised" else HOOK_FATES
        return self.network.dice.choices(list(fates), list(fates.values()))[0]

    def _take(self, key: tuple[str, str], body: dict[str, Any], *, slow: bool) -> None:
        if key[0] in self._bodies:
            self.network.saw("webhook repeated")
        if key in self._sending:
            self.network.saw("webhook of two workers at once")
        telling.check_told_again({**body, "first": self._bodies.setdefault(key[0], body)})
        if slow:
            with self._serving(key, body["data"].get("id", "")):
                self.network.wait(SLOW_HOOK)

    @contextmanager
    def _serving(self, key: tuple[str, str], payment_id: str) -> Any:
        self.serving.append(payment_id)
        self._sending.append(key)
        try:
            yield
        finally:
            self.serving.remove(payment_id)
            self._sending.remove(key)

    def change_weather(self) -> str:
        """Let one server fall ill, or be well again."""
        url = self.network.dice.choice(sorted(self.servers))
        server = self.servers[url]
        was, server.ill = server.ill, ""
        if not was and self.network.dice.random() < COIN:
            server.ill = self.network.dice.choices(list(ILLNESSES), list(ILLNESSES.values()))[0]
        if was or server.ill:
            self.network.saw(f"endpoint {server.ill}" if server.ill else "endpoint back")
        return f"{url} {server.ill or 'is well'}"

    def end_weather(self) -> None:
        """Let the servers be well, except those that nobody repairs any more."""
        for url in sorted(self.servers):
            self.servers[url].ill = "down" if self.network.dice.random() < STAYS_ILL else ""


@dataclass
class Developer:
    """Adds, changes and removes the merchant's endpoints, rotates their secrets, and asks to be told again."""

    dice: random.Random
    network: Network
    gateway: Gateway
    caller: Caller
    merchants: Merchants
    memory: Memory
    _asked: int = 0
    _unanswered: dict[str, Callable[[], object]] = field(default_factory=dict)
    _answered: dict[str, tuple[float, Callable[[], object]]] = field(default_factory=dict)
    _answers: dict[str, object] = field(default_factory=dict)

    def actions(self) -> dict[str, tuple[int, Callable[[], object]]]:
        """Return every action with its weight."""
        return {
            "developer adds an endpoint": (1, self.add),
            "developer removes an endpoint": (1, self.remove),
            "developer disables an endpoint": (1, lambda: self.switch(enabled=False)),
            "developer enables an endpoint": (2, lambda: self.switch(enabled=True)),
            "developer rotates a secret": (2, self.rotate),
            "developer wants an event again": (1, self.redeliver_event),
            "developer wants all events again": (1, self.redeliver_since),
            "developer asks again": (2, self.ask_again),
        }

    def living(self, *, enabled: bool | None = None) -> list[str]:
        """Return the ids of the merchant's endpoints that were not removed."""
        rows = [(name, row) for name, row in sorted(self.memory.endpoints.items()) if self._owns(row["merchant_id"])]
        return [name for name, row in rows if not row["deleted_at"] and enabled in {None, row["enabled"]}]

    def _owns(self, merchant_id: str) -> bool:
        return merchant_id == self.caller.merchant_id

    def add(self) -> str:
        """Add an endpoint that hears everything, or news of money alone."""
        if len(self.living()) >= ENDPOINTS_MOST:
            return "enough"
        url, types = f"{SITE}/{self._asked + 1}", self.dice.choice(((), ("payment.confirmed", "payment.reversed")))
        wish = Wish(event_types=types)

        def ask(asked: Asked) -> object:
            return endpoints.add_endpoint(self.gateway, self.caller.merchant_id, url, wish, asked=asked)

        return self._ask("add", ask)

    def remove(self) -> str:
        """Remove an endpoint; two stay."""
        living = self.living()
        if len(living) <= 2:  # noqa: PLR2004 - so that orders of two endpoints can differ
            return "none to spare"
        name = self.dice.choice(living)
        endpoints.remove_endpoint(self.gateway, self.caller.merchant_id, name)
        return name

    def switch(self, *, enabled: bool) -> str:
        """Enable or disable an endpoint."""
        fitting = self.living(enabled=not enabled)
        if not fitting:
            return "none"
        name = self.dice.choice(fitting)
        endpoints.change_endpoint(self.gateway, self.caller.merchant_id, name, Wish(enabled=enabled))
        return name

    def rotate(self) -> str:
        """Rotate a secret, now and then because it leaked."""
        name, overlap = self.dice.choice(self.living()), self.dice.choice((0, 60, 3_600))

        def ask(asked: Asked) -> object:
            merchant_id = self.caller.merchant_id
            return endpoints.rotate_secret(self.gateway, merchant_id, name, overlap_seconds=overlap, asked=asked)

        return self._ask("rotate", ask)

    def redeliver_event(self) -> str:
        """Ask for one event again, at one endpoint or at all."""
        own = [event_id for event_id, merchant_id in self.memory.event_owners.items() if self._owns(merchant_id)]
        if not own:
            return "none"
        event_id = self.dice.choice(own[-NEWEST:])
        only = self.dice.choice((None, *self.living()))

        def ask(asked: Asked) -> int:
            merchant_id = self.caller.merchant_id
            return endpoints.redeliver_event(self.gateway, merchant_id, event_id, endpoint_id=only, asked=asked)

        return self._ask("event again", ask)

    def redeliver_since(self) -> str:
        """Ask for everything of the last minutes again."""
        since = max(BEGIN, self.network.clock.now("gateway") - dt.timedelta(seconds=self.dice.choice((10, 60, 300))))
        name = self.dice.choice(self.living())

        def ask(asked: Asked) -> Redelivered:
            return endpoints.redeliver_since(self.gateway, self.caller.merchant_id, name, since, asked=asked)

        return self._ask("all again", ask)

    def ask_again(self) -> str:
        """Repeat a request that was not answered, or one that was: its first answer must come again (I10)."""
        if self._unanswered:
            key = self.dice.choice(list(self._unanswered))
            self._carry(key, self._unanswered[key])
            return key
        young = [key for key, (at, _) in self._answered.items() if self.network.clock.seconds - at < KEY_SECONDS]
        if not young:
            return "nothing to repeat"
        key = self.dice.choice(young[-5:])
        try:
            self._carry(key, self._answered[key][1])
        except GatewayError as error:
            require(False, f"I10: {key} was answered and is refused: {type(error).__name__}")  # noqa: FBT003 - it was
        return key

    def settle(self) -> None:
        """Ask again for everything that was not answered; at the end, when nothing is lost any more."""
        for key, ask in list(self._unanswered.items()):
            try:
                self._carry(key, ask)
            except GatewayError:
                continue

    def enable_all(self) -> None:
        """Enable every endpoint."""
        for name in self.living(enabled=False):
            endpoints.change_endpoint(self.gateway, self.caller.merchant_id, name, Wish(enabled=True))

    def look(self) -> None:
        """Read the feed: what it says is what was told (I11)."""
        found, _ = endpoints.list_events(self.gateway, self.caller.merchant_id, Choice(), most=NEWEST)
        for event in found:
            known = self.memory.event_types.get(event.event_id, event.type)
            require(known == event.type, f"I11: the feed has {event.event_id} as {event.type}")

    def _ask(self, what: str, ask: Callable[[Asked], object]) -> str:
        self._asked += 1
        key = f"{what} {self._asked}".replace(" ", "-")
        asked = Asked(self.caller, Idempotency(f"hook-{key}", key.encode().ljust(32)))
        self._unanswered[key] = lambda: ask(asked)
        self._carry(key, self._unanswered[key])
        return key

    def _carry(self, key: str, ask: Callable[[], object]) -> None:
        try:
            answer = ask()
            self.network.point("gateway.before_response")
        except GatewayError:
            self._unanswered.pop(key, None)
            raise
        require(self._answers.setdefault(key, answer) == answer, f"I10: {key} was answered otherwise")
        self._unanswered.pop(key, None)
        self._answered.setdefault(key, (self.network.clock.seconds, ask))
        if isinstance(answer, WithSecret):
            self.merchants.server(answer.endpoint.url).secrets.add(answer.secret)
