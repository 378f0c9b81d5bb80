"""The gateway's numbers in its own words. Labels are issuers and words of ours: never a card, a payment, an address."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

from foundation.look_meters import LookMeters
from foundation.metrics import SECONDS, Metrics
from gateway.domain.breaker import BreakerState
from gateway.store.checks import RULES

BREAKER_NUMBERS = {BreakerState.CLOSED: 0, BreakerState.HALF_OPEN: 1, BreakerState.OPEN: 2}


class Meters:
    """What the gateway counts and measures."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        registry = self.metrics.registry
        self.purchases = Counter(
            "gateway_purchases",
            "authorisations asked for, by issuer and what the first answer was",
            ("issuer", "outcome"),
            registry=registry,
        )
        self.recoveries = Counter(
            "gateway_recoveries",
            "inquiries, reversals and refunds sent, by issuer and answer",
            ("issuer", "message", "answer"),
            registry=registry,
        )
        self.top_ups = Counter(
            "gateway_top_ups",
            "deliveries and cancellations of top-ups asked for, by answer",
            ("message", "answer"),
            registry=registry,
        )
        self.pin_requests = Counter(
            "gateway_pin_requests",
            "dynamic PINs asked for, by issuer and answer",
            ("issuer", "answer"),
            registry=registry,
        )
        self.deliveries = Counter(
            "gateway_delivery_checks",
            "news of an SMS asked for, by issuer and what it told",
            ("issuer", "answer"),
            registry=registry,
        )
        self.webhooks = Counter(
            "gateway_webhooks", "webhooks tried, by what came of it", ("outcome",), registry=registry
        )
        self.switch_seconds = Histogram(
            "gateway_switch_seconds",
            "how long a question to an issuer's host took",
            ("issuer", "message"),
            buckets=SECONDS,
            registry=registry,
        )
        self.harim_seconds = Histogram(
            "gateway_harim_seconds",
            "how long an issuer took over a PIN request",
            ("issuer",),
            buckets=SECONDS,
            registry=registry,
        )
        self.in_flight = Gauge(
            "gateway_calls_in_flight",
            "questions to an issuer now without an answer",
            ("wire", "issuer"),
            registry=registry,
            multiprocess_mode="livesum",
        )
        self.breakers = Gauge(
            "gateway_breaker_state",
            "0 closed, 1 half open, 2 open: the worst that any process saw at its last question",
            ("wire", "issuer"),
            registry=registry,
            multiprocess_mode="livemax",
        )
        self.look = LookMeters(registry, "gateway", RULES)
