"""``python -m merchant_demo migrate | reconcile | worker``: the shop's commands."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from contextlib import closing

import structlog
from sqlalchemy.exc import SQLAlchemyError

from foundation.logs import configure_logging
from foundation.settings import InvalidSettings
from merchant_demo import config
from merchant_demo.app import build
from merchant_demo.migrations import migrate
from merchant_demo.orders import reconcile_unfinished

log = structlog.get_logger()


def main(arguments: list[str]) -> int:
    """Run one command; say in a sentence what is wrong and end with 2 when the settings are."""
    parser = argparse.ArgumentParser(prog="python -m merchant_demo", description="The shop's commands.")
    parser.add_argument("command", choices=sorted(COMMANDS))
    chosen = parser.parse_args(arguments)
    try:
        return COMMANDS[chosen.command](config.load())
    except InvalidSettings as error:
        print(error, file=sys.stderr)
        return 2


def _migrate(settings: config.Settings) -> int:
    if settings.owner_database_url is None:
        raise InvalidSettings("set SHOP_OWNER_DATABASE_URL: migrations run as the owner role")
    url = settings.owner_database_url.get_secret_value()
    migrate(url, application_role=settings.application_role, reader_role=settings.reader_role)
    return 0


def _reconcile(settings: config.Settings) -> int:
    configure_logging("shop-worker", settings.log_level)
    with closing(build(settings)) as shop:
        print(f"asked about {reconcile_unfinished(shop)} orders")
    return 0


def _worker(settings: config.Settings) -> int:
    """Ask about unfinished orders again and again until told to stop."""
    configure_logging("shop-worker", settings.log_level)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with closing(build(settings)) as shop:
        while not stop.wait(settings.reconcile_seconds):
            try:
                reconcile_unfinished(shop)
            except SQLAlchemyError as error:
                log.warning("database_unavailable", error=type(error).__name__)
    return 0


COMMANDS = {"migrate": _migrate, "reconcile": _reconcile, "worker": _worker}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
