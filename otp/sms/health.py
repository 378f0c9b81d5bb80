"""How much one provider is trusted now, by this process: a weight that falls and drifts back, and a breaker.

A provider that is shut out is asked last, never not at all: a breaker prefers, it forbids nothing.
"""

from __future__ import annotations

import threading

FAULT_SHARE = 0.25
"""Of its usual weight, which a fault takes away."""
RECEIPT_SHARE = 0.02
"""What one receipt, come or missing, says beside all before it: some fifty count."""
WEIGHT_LEAST = 0.01
DRIFT_SECONDS = 300.0
"""From nothing back to the usual weight."""
FAULTS_IN_A_ROW = 3
SHUT_SECONDS = 30.0
TROUBLE_SECONDS = 300.0
"""After trouble of the account: somebody has to pay or to change a credential first."""


class Health:
    """One provider's; every method takes the present moment in seconds that only grow.

    Args:
        usual: the weight it has while all is well.
    """

    def __init__(self, usual: float) -> None:
        self._usual = usual
        self._weight = usual
        self._since = 0.0
        self._faults = 0
        self._shut_until: float | None = None
        self._missing = 0.0
        self._missing_since = 0.0
        self._lock = threading.Lock()

    def weight(self, now: float) -> float:
        """Return the weight, drifted back towards the usual one, less the share of receipts that do not come."""
        with self._lock:
            return max(self._usual * WEIGHT_LEAST, self._drifted(now) * (1 - self._missing_at(now)))

    def admits(self, now: float) -> bool:
        """Tell whether it stands in its turn; after a pause one message tries it out, and the next after another."""
        with self._lock:
            if self._shut_until is None:
                return True
            if now < self._shut_until:
                return False
            self._shut_until = now + SHUT_SECONDS
            return True

    def worked(self) -> None:
        """It gave a clear answer."""
        with self._lock:
            self._faults = 0
            self._shut_until = None

    def failed(self, now: float) -> None:
        """It was silent, busy or broken; after a few in a row it is shut out for a while."""
        with self._lock:
            self._fall(now, FAULT_SHARE)
            self._faults += 1
            if self._faults >= FAULTS_IN_A_ROW:
                self._shut_until = now + SHUT_SECONDS

    def in_trouble(self, now: float) -> None:
        """The account does not work; it is shut out at once, and longer."""
        with self._lock:
            self._fall(now, FAULT_SHARE)
            self._shut_until = now + TROUBLE_SECONDS

    def receipt(self, now: float, *, came: bool) -> None:
        """A message it had accepted was reported, or its life ended without a word."""
        with self._lock:
            missing = self._missing_at(now)
            self._missing = missing + ((0.0 if came else 1.0) - missing) * RECEIPT_SHARE
            self._missing_since = now

    def _drifted(self, now: float) -> float:
        return min(self._usual, self._weight + self._usual * (now - self._since) / DRIFT_SECONDS)

    def _missing_at(self, now: float) -> float:
        return self._missing * max(0.0, 1 - (now - self._missing_since) / DRIFT_SECONDS)

    def _fall(self, now: float, share: float) -> None:
        self._weight = max(self._usual * WEIGHT_LEAST, self._drifted(now) - self._usual * share)
        self._since = now
