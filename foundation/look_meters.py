"""What the monitor found last, as numbers on the page of metrics."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge

from foundation.checks import Rules
from foundation.monitor import LastLook


class LookMeters:
    """The gauges of one organisation's monitor; every worker that looks or reads what was found sets them."""

    def __init__(self, registry: CollectorRegistry, prefix: str, rules: Rules) -> None:
        def gauge(name: str, means: str, label: str = "") -> Gauge:
            labels = (label,) if label else ()
            return Gauge(f"{prefix}_{name}", means, labels, registry=registry, multiprocess_mode="mostrecent")

        self._ended = gauge("monitor_ended_timestamp_seconds", "when the monitor last came to its end")
        self._violations = gauge("violations", "things that break an invariant, by check", "check")
        self._not_asked = gauge("check_not_asked", "1 for a check whose question failed", "check")
        self._unexplained = gauge("unexplained_rial", "money that broken invariants are about, in rials")
        self._measures = {
            measure.name: (gauge(measure.name, measure.means, measure.label), measure.label)
            for measure in rules.measures
        }

    def show(self, look: LastLook) -> None:
        """Set every gauge."""
        self._ended.set(look.at)
        self._unexplained.set(look.report.unexplained_rial)
        for verdict in look.report.verdicts:
            self._violations.labels(verdict.name).set(verdict.number)
            self._not_asked.labels(verdict.name).set(verdict.failed is not None)
        for name, values in look.report.measures.items():
            if name not in self._measures:  # kept by a newer version of us, during a rolling restart
                continue
            gauge, label = self._measures[name]
            for value_label, value in values.items():
                (gauge.labels(value_label) if label else gauge).set(value)
