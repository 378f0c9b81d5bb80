"""Redis only shortens waits and counts floods; without it everything goes on (D20)."""

import threading
import time

import pytest
import redis
from structlog.testing import capture_logs

from foundation.flood import FloodControl
from foundation.wake import TOKENS_MAX, Wake

NOBODY = "redis://127.0.0.1:1/0"


def test_a_bell_ends_the_wait_early(redis_url: str) -> None:
    """A waiting worker returns when somebody rings; one ring may be lost to a slow machine, all of them not."""
    woken = threading.Event()

    def ring() -> None:
        while not woken.wait(0.1):
            Wake(redis_url, "test").ring()

    ringing = threading.Thread(target=ring)
    ringing.start()
    started = time.monotonic()
    Wake(redis_url, "test").wait(20)
    woken.set()
    ringing.join(timeout=5)
    assert time.monotonic() - started < 10


def test_a_bell_that_nobody_hears_is_kept_short(redis_url: str) -> None:
    """However often it rings while no worker listens."""
    wake = Wake(redis_url, "unheard")
    for _ in range(3 * TOKENS_MAX):
        wake.ring()
    with redis.Redis.from_url(redis_url) as client:
        assert client.llen("wake:unheard") <= TOKENS_MAX + 1


def test_d20_without_redis_a_wait_is_a_plain_pause() -> None:
    """D20: with Redis gone ringing does nothing and waiting lasts its time, again and again."""
    wake = Wake(NOBODY, "test")
    wake.ring()
    wake.ring()
    started = time.monotonic()
    wake.wait(0.05)
    Wake(NOBODY, "test").wait(0.05)
    assert time.monotonic() - started >= 0.1


def test_floods_are_counted_across_processes(redis_url: str) -> None:
    """Two processes with one Redis share one limit per bucket."""
    one, two = FloodControl(redis_url, workers=2), FloodControl(redis_url, workers=2)
    allowed = [flood.allow("flood:shared", 4, per_seconds=60) for flood in (one, two) * 3]
    assert allowed == [True] * 4 + [False] * 2
    assert one.allow("flood:other", 4, per_seconds=60)


def test_lots_let_nobody_in_beyond_the_limit_and_spare_redis(redis_url: str) -> None:
    """Two processes that take lots allow together no more than the limit, hardly less, and ask Redis seldom."""
    one, two = FloodControl(redis_url, workers=2), FloodControl(redis_url, workers=2)
    with redis.Redis.from_url(redis_url) as client:
        before = client.info("commandstats")["cmdstat_evalsha"]["calls"]
        allowed = [flood.allow("lots", 200, per_seconds=60) for flood in (one, two) * 150]
        asked = client.info("commandstats")["cmdstat_evalsha"]["calls"] - before

    assert sum(allowed) == 200
    assert allowed[:150] == [True] * 150
    assert asked - allowed.count(False) < 50


def test_a_lot_ends_with_its_window(redis_url: str) -> None:
    """What was set aside in one window is worth nothing in the next, and a share tells what is left meanwhile."""
    flood = FloodControl(redis_url, workers=1)
    assert [flood.take("lot", 20, per_seconds=1).remaining for _ in range(3)] == [19, 18, 17]
    time.sleep(1.1)
    assert flood.take("lot", 20, per_seconds=1).remaining == 19


def test_d20_without_redis_each_process_takes_its_share() -> None:
    """D20: with Redis gone, or none configured, a process allows limit ÷ workers."""
    for url in (NOBODY, None):
        flood = FloodControl(url, workers=2)
        assert [flood.allow("bucket", 4, per_seconds=60) for _ in range(3)] == [True, True, False]


def test_f12_a_redis_that_hangs_costs_its_budget_once(redis_url: str) -> None:
    """F12: while Redis answers nobody, one count and one ring wait for it, the next ones for nothing."""
    flood, wake = FloodControl(redis_url, workers=2), Wake(redis_url, "test")
    wake.ring()
    with redis.Redis.from_url(redis_url) as client:
        client.execute_command("CLIENT", "PAUSE", 2_000, "ALL")
    with capture_logs() as said:
        counted = [flood.allow("flood:hanging", 20, per_seconds=60) for _ in range(12)]
        for _ in range(12):
            wake.ring()

    assert counted == [True] * 10 + [False] * 2
    assert [line["use"] for line in said] == ["flood", "wake"], "one count and one ring waited, nobody else"


def test_a_share_says_what_is_left_and_until_when(redis_url: str) -> None:
    """In Redis and in the process alike; beyond the limit nothing is left, and the window still ends."""
    for flood in (FloodControl(redis_url, workers=1), FloodControl(None, workers=1)):
        shares = [flood.take("share", 2, per_seconds=30) for _ in range(3)]

        assert [share.remaining for share in shares] == [1, 0, 0]
        assert [share.allowed for share in shares] == [True, True, False]
        assert all(1 <= share.ends_in_seconds <= 30 for share in shares)


def test_a_window_that_ended_begins_anew(redis_url: str) -> None:
    """A second later the share is whole again."""
    for flood in (FloodControl(redis_url, workers=1), FloodControl(None, workers=1)):
        assert [flood.allow("short", 1, per_seconds=1) for _ in range(2)] == [True, False]
        time.sleep(1.1)
        assert flood.allow("short", 1, per_seconds=1)


def test_a_process_counts_a_bounded_number_of_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ended windows go first; with none ended all go, so that a flood of addresses cannot fill the memory."""
    monkeypatch.setattr("foundation.flood.BUCKETS_MAX", 3)
    flood = FloodControl(None, workers=1)
    for number in range(7):
        assert flood.allow(f"address {number}", 1, per_seconds=60)
    assert not flood.allow("address 6", 1, per_seconds=60)
    assert flood.allow("address 0", 1, per_seconds=60)


def test_a_process_holds_a_bounded_number_of_lots(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond it all are given up: their calls stay counted, so a limit is reached early rather than late."""
    monkeypatch.setattr("foundation.flood.BUCKETS_MAX", 2)
    flood = FloodControl(redis_url, workers=1)
    shares = [flood.take(f"many {number}", 20, per_seconds=60) for number in (0, 1, 2, 0)]

    assert [share.remaining for share in shares] == [19, 19, 19, 9]
