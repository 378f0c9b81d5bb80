"""Wake-ups over Redis: they only shorten a wait; with Redis gone the worker polls (D20)."""

from __future__ import annotations

import time

import redis
import structlog

log = structlog.get_logger()

TOKENS_MAX = 64
TIMEOUT_SECONDS = 0.1
QUIET_AFTER_FAILURE_SECONDS = 5.0


class Wake:
    """A bell between the process that queued work and the worker that does it."""

    def __init__(self, redis_url: str, channel: str) -> None:
        self._key = f"wake:{channel}"
        self._redis = _client(redis_url, TIMEOUT_SECONDS)
        self._waiting = _client(redis_url, TIMEOUT_SECONDS * 10)
        self._quiet_until = 0.0

    def ring(self) -> None:
        """Wake the worker; never raises and never waits long."""
        if time.monotonic() < self._quiet_until:
            return
        try:
            if self._redis.lpush(self._key, 1) > TOKENS_MAX:  # nobody listens
                self._redis.ltrim(self._key, 0, TOKENS_MAX)
        except redis.RedisError:
            self._failed()

    def wait(self, seconds: float) -> None:
        """Return when the bell rings, or after ``seconds``."""
        if time.monotonic() < self._quiet_until:
            time.sleep(seconds)
            return
        try:
            self._waiting.blpop([self._key], timeout=seconds)
        except redis.RedisError:
            self._failed()
            time.sleep(seconds)

    def ping(self) -> bool:
        """Tell whether Redis answers now; never raises and never waits long."""
        try:
            return bool(self._redis.ping())
        except redis.RedisError:
            return False

    def _failed(self) -> None:
        self._quiet_until = time.monotonic() + QUIET_AFTER_FAILURE_SECONDS
        log.warning("redis_unavailable", use="wake")


def _client(redis_url: str, seconds: float) -> redis.Redis:
    return redis.Redis.from_url(redis_url, socket_timeout=seconds, socket_connect_timeout=TIMEOUT_SECONDS)
