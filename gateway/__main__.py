"""``python -m gateway migrate | worker | check | merchant add | key new | issuer add | webhook …``."""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from foundation.logs import configure_logging
from foundation.settings import InvalidSettings
from gateway import config, webhook_commands, worker
from gateway.config import Settings
from gateway.domain.errors import GatewayError
from gateway.domain.issuers import Issuer
from gateway.migrations import migrate
from gateway.services import enrol
from gateway.services.enrol import NewMerchant
from gateway.services.gateway import Gateway
from gateway.wiring import build

Arguments = argparse.Namespace


def main(arguments: list[str] | None = None) -> int:
    """Run one command; say a sentence and return 1 when it is refused."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = config.load()
        configure_logging("gateway", settings.log_level)
        run: Callable[[Settings, Arguments], None] = chosen.run
        run(settings, chosen)
    except (GatewayError, InvalidSettings, ValueError, LookupError, OSError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description="Pooya payment gateway")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("migrate", help="bring the database to the newest version").set_defaults(run=_migrate)
    commands.add_parser("worker", help="send webhooks, find out, give back").set_defaults(run=_worker)
    commands.add_parser("check", help="say whether settings, database and issuers are in order").set_defaults(
        run=_check
    )
    merchants = commands.add_parser("merchant", help="merchants").add_subparsers(required=True)
    add = merchants.add_parser("add", help="add or correct a merchant and its terminal")
    for name in ("merchant-id", "terminal-id", "name-fa", "name-en", "payee-name", "site"):
        add.add_argument(f"--{name}", required=True)
    for name in ("acquirer-id", "webhook-url", "webhook-secret"):
        add.add_argument(f"--{name}")
    add.set_defaults(run=_add_merchant)
    keys = commands.add_parser("key", help="secret keys").add_subparsers(required=True)
    new = keys.add_parser("new", help="make a secret key; it is shown once")
    new.add_argument("--terminal-id", required=True)
    new.set_defaults(run=_new_key)
    issuers = commands.add_parser("issuer", help="issuers").add_subparsers(required=True)
    _issuer_arguments(issuers.add_parser("add", help="add or correct an issuer and its BINs"))
    webhooks = commands.add_parser("webhook", help="webhook endpoints and events").add_subparsers(required=True)
    webhook_commands.add_to(webhooks, _with_gateway)
    return parser


def _issuer_arguments(add: argparse.ArgumentParser) -> None:
    texts = ("issuer-id", "name-fa", "name-en", "harim-dialect", "harim-url", "harim-key-id", "switch-host")
    for name in texts:
        add.add_argument(f"--{name}", required=True)
    add.add_argument("--harim-public-key", required=True, help="base64 of 32 bytes")
    add.add_argument("--switch-port", type=int, required=True)
    for name, seconds in (("code-life-seconds", 120), ("resend-wait-seconds", 60)):
        add.add_argument(f"--{name}", type=int, default=seconds)
    for name in ("harim-timeout-ms", "switch-timeout-ms"):
        add.add_argument(f"--{name}", type=int, default=10_000)
    add.add_argument("--keeps-tombstones", action="store_true")
    add.add_argument("--bin", action="append", required=True, dest="bins")
    add.set_defaults(run=_add_issuer)


def _migrate(settings: Settings, _: Arguments) -> None:
    if settings.owner_database_url is None:
        raise InvalidSettings("set GATEWAY_OWNER_DATABASE_URL; migrations run as the owner")
    migrate(
        settings.owner_database_url.get_secret_value(),
        application_role=settings.application_role,
        reader_role=settings.reader_role,
    )


def _worker(settings: Settings, _: Arguments) -> None:
    with _opened(settings) as gateway:
        enrol.check_rows(gateway)
        worker.run(gateway)


def _check(settings: Settings, _: Arguments) -> None:
    for name, value in settings.model_dump(mode="json").items():
        print(f"{name} = {value}")
    with _opened(settings) as gateway:
        if not gateway.database.ping():
            raise LookupError("the database does not answer at GATEWAY_DATABASE_URL")
        enrol.check_rows(gateway)
        for issuer in gateway.directory.issuers().values():
            print(_health(gateway, issuer))


def _health(gateway: Gateway, issuer: Issuer) -> str:
    harim = "answers" if gateway.harim.ping(issuer) else "does not answer"
    switch = "answers" if gateway.switch.echo(issuer) else "does not answer"
    return f"issuer {issuer.issuer_id}: Harim {harim}, switch {switch}"


def _add_merchant(settings: Settings, chosen: Arguments) -> None:
    names = NewMerchant.__dataclass_fields__
    with _opened(settings) as gateway:
        enrol.add_merchant(gateway, NewMerchant(**{name: getattr(chosen, name) for name in names}))
    print(f"merchant {chosen.merchant_id} with terminal {chosen.terminal_id}")


def _new_key(settings: Settings, chosen: Arguments) -> None:
    with _opened(settings) as gateway:
        print(enrol.new_key(gateway, chosen.terminal_id))


def _add_issuer(settings: Settings, chosen: Arguments) -> None:
    values = {name: getattr(chosen, name) for name in Issuer.__dataclass_fields__ if name != "active"}
    values["harim_public_key"] = base64.b64decode(chosen.harim_public_key, validate=True)
    with _opened(settings) as gateway:
        enrol.add_issuer(gateway, Issuer(**values), tuple(chosen.bins))
    print(f"issuer {chosen.issuer_id} with {', '.join(chosen.bins)}")


def _with_gateway(command: Callable[[Gateway, Arguments], None]) -> Callable[[Settings, Arguments], None]:
    def run(settings: Settings, chosen: Arguments) -> None:
        with _opened(settings) as gateway:
            command(gateway, chosen)

    return run


@contextmanager
def _opened(settings: Settings) -> Iterator[Gateway]:
    gateway = build(settings)
    try:
        yield gateway
    finally:
        gateway.database.close()


if __name__ == "__main__":
    sys.exit(main())
