"""The bank's numbers in its own words. Labels are PSPs and words of ours: never a card, a phone or a code."""

from __future__ import annotations

from prometheus_client import Counter, Histogram

from foundation.look_meters import LookMeters
from foundation.metrics import SECONDS, Metrics
from otp.store.checks import RULES


class Meters:
    """What the bank counts and measures."""

    def __init__(self, metrics: Metrics | None = None) -> None:
        self.metrics = metrics or Metrics()
        registry = self.metrics.registry
        self.pin_requests = Counter(
            "bank_pin_requests",
            "dynamic PINs that PSPs asked for, by PSP and answer",
            ("psp", "answer"),
            registry=registry,
        )
        self.code_checks = Counter(
            "bank_code_checks",
            "codes that PSPs had checked without a purchase, by PSP and answer",
            ("psp", "answer"),
            registry=registry,
        )
        self.pin_seconds = Histogram(
            "bank_pin_request_seconds",
            "how long the bank took over a PSP's question",
            ("psp",),
            buckets=SECONDS,
            registry=registry,
        )
        self.sms = Counter(
            "bank_sms",
            "messages by kind (code, last_try, activation, mobile_code, notice) and outcome: accepted by the provider, "
            "refused, unanswered, dropped",
            ("kind", "outcome"),
            registry=registry,
        )
        self.sms_calls = Counter(
            "bank_sms_calls",
            "calls of SMS providers, by provider and outcome: accepted, refused, unanswered, unsuited, trouble",
            ("provider", "outcome"),
            registry=registry,
        )
        self.sms_accepted_seconds = Histogram(
            "bank_sms_accepted_seconds",
            "how long a provider took to accept a message",
            ("provider",),
            buckets=SECONDS,
            registry=registry,
        )
        self.sms_receipts = Counter(
            "bank_sms_receipts",
            "codes by provider and what it says became of them: delivered, undelivered; missing where it said nothing",
            ("provider", "receipt"),
            registry=registry,
        )
        self.inbound_sms = Counter(
            "bank_inbound_sms", "messages of holders, by what became of them", ("outcome",), registry=registry
        )
        self.host_answers = Counter(
            "bank_host_answers",
            "financial messages answered, by type and action code",
            ("message", "action_code"),
            registry=registry,
        )
        self.host_seconds = Histogram(
            "bank_host_seconds",
            "how long the host took over a message",
            ("message",),
            buckets=SECONDS,
            registry=registry,
        )
        self.look = LookMeters(registry, "bank", RULES)

    def sms_provider_answered(self, provider: str, outcome: str, seconds: float) -> None:
        """Count one call of an SMS provider; told by :mod:`otp.sms.failover`, which is below the meters."""
        self.sms_calls.labels(provider, outcome).inc()
        if outcome == "accepted":
            self.sms_accepted_seconds.labels(provider).observe(seconds)
