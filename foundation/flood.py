"""Flood control: the one limit that may live in Redis, because it guards machines, not money (D20)."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass

import redis
import structlog

log = structlog.get_logger()

REDIS_BUDGET_SECONDS = 0.1
QUIET_AFTER_FAILURE_SECONDS = 5.0
"""A Redis that failed is left alone for so long: one call in five seconds waits for it, not every one (F12)."""
BUCKETS_MAX = 10_000
"""Buckets one process counts by itself; with more, windows that ended are dropped, then all."""

KEYS_BEGIN = "flood:"
"""What the buckets are called in Redis, before their own names."""
LOT_MAX = 16
_COUNT = """
local used = redis.call('INCR', KEYS[1])
if used == 1 then redis.call('EXPIRE', KEYS[1], ARGV[1]) end
local lot = math.min(tonumber(ARGV[3]), math.floor((tonumber(ARGV[2]) - used) / tonumber(ARGV[4])))
if lot > 0 then used = redis.call('INCRBY', KEYS[1], lot) else lot = 0 end
return {used, redis.call('TTL', KEYS[1]), lot}
"""
"""Counts a call and sets a lot of the next ones aside for this process, all the smaller the less is left."""


@dataclass(frozen=True, slots=True)
class Share:
    """What a caller has left of its window.

    Args:
        limit: calls per window.
        used: calls so far, the one just counted included.
        ends_in_seconds: whole seconds until the window is over, at least 1.
    """

    limit: int
    used: int
    ends_in_seconds: int

    @property
    def allowed(self) -> bool:
        """Tell whether the call just counted is within the limit."""
        return self.used <= self.limit

    @property
    def remaining(self) -> int:
        """Return how many more calls this window allows."""
        return max(0, self.limit - self.used)


@dataclass(slots=True)
class _Lot:
    """Calls that Redis has counted and this process may still let in until the window ends."""

    used: int
    left: int
    ends: float


class FloodControl:
    """Counts calls per bucket in Redis; when Redis fails, in this process at limit ÷ workers.

    Redis is not asked with every call: far from the limit a process takes a lot of calls at once. As a lot is counted
    when it is taken, no more get in than the limit says; near it, lots are of one call, and what other processes still
    hold is at most half of what was left.

    Args:
        redis_url: ``redis://…`` or ``unix://…``; ``None`` counts in the process only.
        workers: how many processes share the traffic.
    """

    def __init__(self, redis_url: str | None, *, workers: int) -> None:
        self._workers = max(1, workers)
        self._windows: dict[str, tuple[float, int]] = {}
        self._lots: dict[str, _Lot] = {}
        self._lock = threading.Lock()
        self._quiet_until = 0.0
        self._shared: redis.Redis | None = None
        if redis_url is not None:
            self._shared = redis.Redis.from_url(
                redis_url, socket_timeout=REDIS_BUDGET_SECONDS, socket_connect_timeout=REDIS_BUDGET_SECONDS
            )
            self._count = self._shared.register_script(_COUNT)

    def allow(self, bucket: str, limit: int, *, per_seconds: int) -> bool:
        """Count one call and tell whether it is within ``limit`` calls per ``per_seconds``."""
        return self.take(bucket, limit, per_seconds=per_seconds).allowed

    def take(self, bucket: str, limit: int, *, per_seconds: int) -> Share:
        """Count one call and return what is left; a window begins with the first call in it."""
        if (share := self._of_lot(bucket, limit)) is not None:
            return share
        if self._shared is not None and time.monotonic() >= self._quiet_until:
            try:
                return self._take_shared(bucket, limit, per_seconds)
            except redis.RedisError:
                self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
                log.warning("redis_unavailable", use="flood")
        return self._take_own(bucket, max(1, limit // self._workers), per_seconds)

    def _take_shared(self, bucket: str, limit: int, per_seconds: int) -> Share:
        lots = 2 * self._workers
        used, left, lot = map(int, self._count(keys=[KEYS_BEGIN + bucket], args=[per_seconds, limit, LOT_MAX, lots]))
        if lot:
            with self._lock:
                if len(self._lots) >= BUCKETS_MAX:
                    self._lots.clear()
                self._lots[bucket] = _Lot(used, lot, time.monotonic() + left)
        return Share(limit, used - lot, max(1, left))

    def _of_lot(self, bucket: str, limit: int) -> Share | None:
        now = time.monotonic()
        with self._lock:
            lot = self._lots.get(bucket)
            if lot is None:
                return None
            if not lot.left or lot.ends <= now:
                del self._lots[bucket]
                return None
            lot.left -= 1
            return Share(limit, lot.used - lot.left, max(1, round(lot.ends - now)))

    def _take_own(self, bucket: str, limit: int, per_seconds: int) -> Share:
        now = time.monotonic()
        with self._lock:
            if len(self._windows) >= BUCKETS_MAX:
                self._drop(now)
            ends, used = self._windows.get(bucket, (0.0, 0))
            if ends <= now:
                ends, used = now + per_seconds, 0
            self._windows[bucket] = (ends, used + 1)
        return Share(limit, used + 1, max(1, round(ends - now)))

    def _drop(self, now: float) -> None:
        self._windows = {bucket: window for bucket, window in self._windows.items() if window[0] > now}
        if len(self._windows) >= BUCKETS_MAX:
            self._windows.clear()
