"""`python -m sandbox up`: the whole world on one machine, from nothing to ready, until somebody stops it."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import gateway.migrations
import merchant_demo.migrations
import otp.migrations
from foundation.digits import to_persian_digits
from sandbox.banks import BANKS, BY_ORGANISATION
from sandbox.cards import APPROVE, CARDS
from sandbox.crashes import ARM_VARIABLE, CrashFile
from sandbox.info import guide_of
from sandbox.keys import make_keys
from sandbox.places import CannotRun, bury_the_dead, socket_directory
from sandbox.postgres import Roles
from sandbox.processes import Processes, check_ports
from sandbox.seed import cvv2_of_card, seed_bank, seed_gateway
from sandbox.world import METERED, ORGANISATIONS, World

WATCH_SECONDS = 0.5
MIGRATIONS: dict[str, Callable[..., None]] = {
    "gateway": gateway.migrations.migrate,
    **dict.fromkeys(BY_ORGANISATION, otp.migrations.migrate),
    "shop": merchant_demo.migrations.migrate,
}


def up(world: World) -> None:
    """Start everything, say where it is, and keep it running until Ctrl-C or SIGTERM.

    Raises:
        CannotRun: with a sentence for the person who started it; everything started so far has been stopped again.
    """
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with _alone(world):
        processes = Processes(world)
        try:
            _arm(world)
            _start(world, processes)
            world.ready_file.touch()
            print(greeting(world), flush=True)
            while not stop.wait(WATCH_SECONDS):
                bury_the_dead()
                for sentence in processes.restart_the_dead():
                    print(sentence, flush=True)
        finally:
            print("\nstopping …", flush=True)
            world.ready_file.unlink(missing_ok=True)
            processes.stop()
            _stop_servers(world)


def reset(world: World) -> None:
    """Forget everything: data, keys, messages, logs.

    Raises:
        CannotRun: while the sandbox is running.
    """
    with _alone(world):
        Processes(world).stop_left_over()
        _stop_servers(world)
        for part in ("postgres", "redis", "keys", "log", "metrics", "run"):
            shutil.rmtree(world.state / part, ignore_errors=True)
        for file in (*world.state.glob("phone.sqlite*"), *world.state.glob("sales.sqlite*")):
            file.unlink()


def greeting(world: World) -> str:
    """Return what a person reads when everything runs: addresses, a test card, what to do, in both languages."""
    card = next(card for card in CARDS if card.behaviour == APPROVE)
    pan = card.pan.reveal()
    grouped = " ".join(pan[at : at + 4] for at in range(0, len(pan), 4))
    cvv2, month, year = cvv2_of_card(world, card), card.expiry[2:], card.expiry[:2]
    shop, phone = world.address("shop"), f"{world.address('bank')}/sandbox/phone/{card.mobile}/"
    return f"""
  Pooya is running · محیط آزمایشی – هیچ پولی جابه‌جا نمی‌شود

  shop      {shop}
  gateway   {world.address("gateway")}
  banks     {world.address("bank")} (REST), {world.address("bank_one")} (SOAP)
  phone     {phone}
  sandbox   {world.address("bank")}/sandbox/   every card, every phone, what goes wrong
  metrics   {"   ".join(f"{world.address(name)}/metrics" for name in METERED)}

  test card {grouped}   CVV2 {cvv2}   expires {month}/{year}

  1. Open the shop, put something into the basket and check out.      {shop}
  2. On the payment page type the test card and press «درخواست رمز پویا».
  3. Read the code on the phone page, type it, and pay.               {phone}

  {to_persian_digits("1")}. فروشگاه را باز کنید، کالایی بردارید و به پرداخت بروید.
  {to_persian_digits("2")}. در صفحهٔ پرداخت، کارت بالا را وارد کنید و «درخواست رمز پویا» را بزنید.
  {to_persian_digits("3")}. رمز را در صفحهٔ گوشی بخوانید، وارد کنید و پرداخت کنید.

  Ctrl-C stops everything; the data stay for the next start. Every card: python -m sandbox info --json
"""


def _start(world: World, processes: Processes) -> None:
    processes.stop_left_over()
    check_ports(world)
    make_keys(world)
    _name_the_phone(world)
    print("starting PostgreSQL and Redis …", flush=True)
    cluster = world.cluster
    cluster.start()
    world.redis.start()
    for organisation in ORGANISATIONS:
        roles = cluster.create_roles(organisation)
        cluster.create_database(organisation, roles)
        _migrate(world, roles)
    for bank in BANKS:
        seed_bank(world, bank)
    seed_gateway(world)
    world.guide_file.parent.mkdir(parents=True, exist_ok=True)
    world.guide_file.write_text(json.dumps(guide_of(world)))
    print("starting bank, gateway and shop …", flush=True)
    processes.start()


def _name_the_phone(world: World) -> None:
    world.sms_file.parent.mkdir(parents=True, exist_ok=True)
    world.sms_file.touch(mode=0o600)
    world.sms_file.write_text(json.dumps([{"name": "phone", "kind": "factory", "factory": "sandbox.phone:provider"}]))


def _arm(world: World) -> None:
    crash, wish = CrashFile(world.crash_file), os.environ.get(ARM_VARIABLE)
    if wish:
        crash.arm(wish)
    else:
        crash.disarm()


def _stop_servers(world: World) -> None:
    world.redis.stop()
    world.cluster.stop()
    for part in ("postgres", "redis"):
        shutil.rmtree(socket_directory(world.state / part), ignore_errors=True)


def _migrate(world: World, roles: Roles) -> None:
    migrate: Any = MIGRATIONS[roles.organisation]
    url = world.database_url(roles.organisation, "owner")
    migrate(url, application_role=roles.application, reader_role=roles.reader)


@contextmanager
def _alone(world: World) -> Iterator[None]:
    world.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (world.state / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CannotRun(f"a sandbox is already running in {world.state}; stop it first (Ctrl-C there)") from None
        yield
