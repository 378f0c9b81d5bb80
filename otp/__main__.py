"""``python -m otp migrate | check | worker | host | monitor | verify-pin PSP on|off``: the bank's commands."""

from __future__ import annotations

import argparse
import sys

from foundation.keys import KeyFileRefused, UnknownKey
from foundation.logs import configure_logging
from foundation.monitor import print_report
from foundation.settings import InvalidSettings
from otp import config, worker
from otp.domain import purposes
from otp.domain.errors import UnknownPsp
from otp.host.server import serve
from otp.migrations import migrate
from otp.services.register_psp import open_verify
from otp.services.watch import look_at_everything
from otp.wiring import build, build_host, link_keys

Arguments = argparse.Namespace


def main(arguments: list[str]) -> int:
    """Run one command; say in a sentence what is wrong and end with 2 when the settings are."""
    parser = argparse.ArgumentParser(prog="python -m otp", description="The bank's commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    verbs = {name: commands.add_parser(name) for name in sorted(COMMANDS)}
    verbs["monitor"].add_argument("--json", action="store_true", help="for programs")
    verbs["verify-pin"].description = "Open VerifyDynamicPin to a PSP, or close it."
    verbs["verify-pin"].add_argument("psp_id")
    verbs["verify-pin"].add_argument("state", choices=("on", "off"))
    chosen = parser.parse_args(arguments)
    try:
        return COMMANDS[chosen.command](config.load(), chosen)
    except (InvalidSettings, KeyFileRefused, UnknownKey) as error:
        print(error, file=sys.stderr)
        return 2


def _migrate(settings: config.Settings, _: Arguments) -> int:
    if settings.owner_database_url is None:
        raise InvalidSettings("set OTP_OWNER_DATABASE_URL: migrations run as the owner role")
    url = settings.owner_database_url.get_secret_value()
    migrate(url, application_role=settings.application_role, reader_role=settings.reader_role)
    return 0


def _host(settings: config.Settings, _: Arguments) -> int:
    configure_logging("otp-host", settings.log_level)
    serve(build_host(settings))
    return 0


def _worker(settings: config.Settings, _: Arguments) -> int:
    configure_logging("otp-worker", settings.log_level)
    bank = build(settings, process="otp-worker")
    settings.require_reader()
    worker.run(bank)
    return 0


def _verify_pin(settings: config.Settings, chosen: Arguments) -> int:
    psp_id, enabled = chosen.psp_id, chosen.state == "on"
    bank = build(settings)
    try:
        open_verify(bank, psp_id, enabled=enabled)
    except UnknownPsp:
        print(f"there is no PSP {psp_id}", file=sys.stderr)
        return 1
    finally:
        bank.database.close()
    print(f"VerifyDynamicPin is {'open' if enabled else 'closed'} to {psp_id}")
    return 0


def _check(settings: config.Settings, _: Arguments) -> int:
    bank = build(settings)
    reachable = bank.database.ping()
    links = link_keys(settings, bank) if reachable else []
    bank.database.close()
    for name, value in sorted(settings.model_dump().items()):
        print(f"{name} = {value}")
    for purpose in purposes.ALL:
        shown = [f"{key_id} ({bank.keys.check_value(key_id)})" for key_id in bank.keys.ids(purpose)]
        print(f"key for {purpose}: {', '.join(shown) or 'none'}")
    for line in links:
        print(line)
    print(f"database: {'answers' if reachable else 'does not answer'}")
    return 0 if reachable else 1


def _monitor(settings: config.Settings, chosen: Arguments) -> int:
    bank = build(settings)
    try:
        return print_report(look_at_everything(bank), as_json=chosen.json, write=print)
    finally:
        bank.database.close()
        if bank.reader is not None:
            bank.reader.close()


COMMANDS = {
    "check": _check,
    "host": _host,
    "migrate": _migrate,
    "monitor": _monitor,
    "verify-pin": _verify_pin,
    "worker": _worker,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
