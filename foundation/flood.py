"""Flood control per address: the one limit that may live in Redis, because it guards machines, not money (D20)."""

from __future__ import annotations

import redis
import structlog
from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import FixedWindowRateLimiter

log = structlog.get_logger()

REDIS_BUDGET_SECONDS = 0.1


class FloodControl:
    """Counts calls per bucket in Redis; when Redis fails, in this process at limit ÷ workers.

    Args:
        redis_url: ``redis://…`` or ``unix://…``; ``None`` counts in the process only.
        workers: how many processes share the traffic.
    """

    def __init__(self, redis_url: str | None, *, workers: int) -> None:
        self._workers = max(1, workers)
        self._local = FixedWindowRateLimiter(MemoryStorage())
        self._shared: FixedWindowRateLimiter | None = None
        if redis_url is not None:
            client = redis.Redis.from_url(
                redis_url, socket_timeout=REDIS_BUDGET_SECONDS, socket_connect_timeout=REDIS_BUDGET_SECONDS
            )
            pool = client.connection_pool
            self._shared = FixedWindowRateLimiter(RedisStorage("redis://", connection_pool=pool))

    def allow(self, bucket: str, limit: int, *, per_seconds: int) -> bool:
        """Count one call and tell whether it is within ``limit`` calls per ``per_seconds``."""
        if self._shared is not None:
            try:
                return self._shared.hit(RateLimitItemPerSecond(limit, per_seconds), bucket)
            except redis.RedisError:
                log.warning("redis_unavailable", use="flood")
        own_share = max(1, limit // self._workers)
        return self._local.hit(RateLimitItemPerSecond(own_share, per_seconds), bucket)
