"""Flood control per address: the one limit that may live in Redis, because it guards machines, not money (D20)."""

from __future__ import annotations

import time

import redis
import structlog
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

log = structlog.get_logger()

REDIS_BUDGET_SECONDS = 0.1
QUIET_AFTER_FAILURE_SECONDS = 5.0
"""A Redis that failed is left alone for so long: one call in five seconds waits for it, not every one (F12)."""


class FloodControl:
    """Counts calls per bucket in Redis; when Redis fails, in this process at limit ÷ workers.

    Args:
        redis_url: ``redis://…`` or ``unix://…``; ``None`` counts in the process only.
        workers: how many processes share the traffic.
    """

    def __init__(self, redis_url: str | None, *, workers: int) -> None:
        self._workers = max(1, workers)
        self._local = FixedWindowRateLimiter(MemoryStorage())
        self._quiet_until = 0.0
        self._shared: FixedWindowRateLimiter | None = None
        if redis_url is not None:
            client = redis.Redis.from_url(
                redis_url, socket_timeout=REDIS_BUDGET_SECONDS, socket_connect_timeout=REDIS_BUDGET_SECONDS
            )
            pool = client.connection_pool
            self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))

    def allow(self, bucket: str, limit: int, *, per_seconds: int) -> bool:
        """Count one call and tell whether it is within ``limit`` calls per ``per_seconds``."""
        if self._shared is not None and time.monotonic() >= self._quiet_until:
            try:
                return self._shared.hit(RateLimitItemPerSecond(limit, per_seconds), bucket)
            except redis.RedisError:
                self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
                log.warning("redis_unavailable", use="flood")
        own_share = max(1, limit // self._workers)
        return self._local.hit(RateLimitItemPerSecond(own_share, per_seconds), bucket)
