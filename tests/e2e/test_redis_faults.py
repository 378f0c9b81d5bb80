"""F12, I17 with real processes: whatever becomes of Redis, a purchase ends as it always does."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import redis

from sandbox.redis import RedisServer
from sandbox.shopper import Shopper
from tests.world import RunningWorld

PAUSE_MS = 3_000


@contextmanager
def flushed(server: RedisServer) -> Iterator[None]:
    """Forget everything, before and after."""
    with redis.Redis.from_url(server.url) as client:
        client.flushall()
        yield
        client.flushall()


@contextmanager
def paused(server: RedisServer) -> Iterator[None]:
    """Answer nobody for a while."""
    with redis.Redis.from_url(server.url) as client:
        client.execute_command("CLIENT", "PAUSE", PAUSE_MS, "ALL")
        yield


@contextmanager
def frozen(server: RedisServer) -> Iterator[None]:
    """Accept connections and answer nobody."""
    pid = running(server)
    os.kill(pid, signal.SIGSTOP)
    yield
    os.kill(pid, signal.SIGCONT)


@contextmanager
def killed(server: RedisServer) -> Iterator[None]:
    """Die without having saved anything, and start again empty in the middle of it all."""
    os.kill(running(server), signal.SIGKILL)
    server.start()
    yield


@contextmanager
def stopped(server: RedisServer) -> Iterator[None]:
    """Be away."""
    server.stop()
    yield
    server.start()


def running(server: RedisServer) -> int:
    """Return the server's process id."""
    pid = server.pid
    assert pid is not None
    return pid


@pytest.mark.parametrize("fault", [flushed, paused, frozen, killed, stopped])
def test_f12_a_purchase_ends_the_same(world: RunningWorld, fault: Callable[[RedisServer], Iterator[None]]) -> None:
    """F12, D20: the code arrives, a wrong one is refused, the right one pays, the order is paid; Redis only hurries."""
    shopper = Shopper(world, world.fresh_card())
    with fault(world.world.redis):  # type: ignore[attr-defined]  # each is a context manager
        shopper.check_out("soap")
        code = shopper.request_pin()
        wrong = f"{(int(code) + 1) % 10 ** len(code):0{len(code)}}"
        assert "رمز" in shopper.pay(wrong).text
        assert "پرداخت انجام شد" in shopper.pay(code).text
        assert "پرداخت" in shopper.return_to_shop().text
