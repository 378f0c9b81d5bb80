"""``python -m gateway migrate | worker | monitor | check | merchant … | key … | issuer … | …``: operators."""

from __future__ import annotations

import argparse
import base64
import getpass
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foundation.logs import configure_logging
from foundation.monitor import print_report
from foundation.settings import InvalidSettings
from gateway import (
    audit_commands,
    config,
    key_commands,
    ledger_commands,
    owed_commands,
    reconcile_commands,
    refund_commands,
    settlement_commands,
    stuck_commands,
    webhook_commands,
    worker,
)
from gateway.config import Settings
from gateway.domain.errors import GatewayError
from gateway.domain.issuers import RECOVERY_BURST, RECOVERY_PER_SECOND, Issuer, Pause
from gateway.migrations import migrate
from gateway.services import enrol, pause_issuer
from gateway.services.change_keys import change_keys
from gateway.services.enrol import NewMerchant
from gateway.services.gateway import Gateway
from gateway.services.hear_unmatched import unmatched_report
from gateway.services.watch import look_at_everything
from gateway.store.unmatched import UnmatchedReport
from gateway.wiring import build, key_exchange

Arguments = argparse.Namespace


def main(arguments: list[str] | None = None) -> int:
    """Run one command; say a sentence and return 1 when it is refused."""
    chosen = _parser().parse_args(arguments)
    try:
        settings = config.load()
        configure_logging("gateway", settings.log_level)
        run: Callable[[Settings, Arguments], int | None] = chosen.run
        return run(settings, chosen) or 0
    except (GatewayError, InvalidSettings, ValueError, LookupError, OSError) as error:
        print(f"gateway: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m gateway", description="Pooya payment gateway")
    commands = parser.add_subparsers(required=True)
    commands.add_parser("migrate", help="bring the database to the newest version").set_defaults(run=_migrate)
    commands.add_parser("worker", help="send webhooks, find out, give back").set_defaults(run=_worker)
    monitor = commands.add_parser("monitor", help="ask every invariant about everything; 1 unless all hold")
    monitor.add_argument("--json", action="store_true", help="for programs")
    monitor.set_defaults(run=_monitor)
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
    issuers = commands.add_parser("issuer", help="issuers").add_subparsers(required=True)
    _issuer_arguments(issuers.add_parser("add", help="add or correct an issuer and its BINs"))
    change = issuers.add_parser("change-keys", help="agree on new PIN and MAC keys with an issuer's host")
    change.add_argument("--issuer-id", required=True)
    change.add_argument("--by", help="who decides; without it the user of this machine")
    change.set_defaults(run=_change_keys)
    _pause_arguments(issuers)
    for name, means, add_to in (
        ("biller", "who sends bills", owed_commands.add_billers_to),
        ("operator", "whose numbers are topped up", owed_commands.add_operators_to),
        ("key", "secret keys", key_commands.add_to),
        ("webhook", "webhook endpoints and events", webhook_commands.add_to),
        ("refund", "refunds that need a second person", refund_commands.add_to),
        ("reconcile", "our books beside the banks' files", reconcile_commands.add_to),
        ("ledger", "the chain over all postings", ledger_commands.add_to),
        ("audit", "the trail of who asked, approved and refused", audit_commands.add_to),
        ("settlement", "pay merchants out", settlement_commands.add_to),
        ("stuck", "money past its promised time", stuck_commands.add_to),
    ):
        add_to(commands.add_parser(name, help=means).add_subparsers(required=True), _with_gateway)
    return parser


def _issuer_arguments(add: argparse.ArgumentParser) -> None:
    texts = ("issuer-id", "name-fa", "name-en", "harim-dialect", "harim-url", "switch-host")
    for name in texts:
        add.add_argument(f"--{name}", required=True)
    add.add_argument("--harim-key-id", default="", help="with the next, where the dialect signs by a bare key")
    add.add_argument("--harim-public-key", default="", help="base64 of 32 bytes")
    add.add_argument("--harim-certificates", default="", help="PEM file of one or two, where it signs by certificate")
    add.add_argument("--switch-port", type=int, required=True)
    for name, seconds in (("code-life-seconds", 120), ("resend-wait-seconds", 60)):
        add.add_argument(f"--{name}", type=int, default=seconds)
    for name in ("harim-timeout-ms", "switch-timeout-ms"):
        add.add_argument(f"--{name}", type=int, default=10_000)
    for name, count in (("recovery-per-second", RECOVERY_PER_SECOND), ("recovery-burst", RECOVERY_BURST)):
        add.add_argument(f"--{name}", type=int, default=count)
    add.add_argument("--switch-of", help="the issuer whose ISO 8583 link and keys this one shares")
    add.add_argument("--keeps-tombstones", action="store_true")
    add.add_argument("--bin", action="append", required=True, dest="bins")
    add.add_argument("--by", help="who decides; without it the user of this machine")
    add.set_defaults(run=_add_issuer)


def _pause_arguments(issuers: Any) -> None:
    stop = issuers.add_parser("pause", help="take no new PIN request or purchase of an issuer's cards")
    stop.add_argument("--reason", default="not said", help="why; one line")
    stop.set_defaults(run=_pause_issuer)
    go_on = issuers.add_parser("resume", help="take new business of an issuer again")
    go_on.set_defaults(run=_resume_issuer)
    for parser in (stop, go_on):
        parser.add_argument("issuer", help="its id or one of its BINs")
        parser.add_argument("--by", help="who decides; without it the user of this machine")
    issuers.add_parser("list", help="say which issuers there are and which are paused").set_defaults(run=_list_issuers)


def _migrate(settings: Settings, _: Arguments) -> None:
    if settings.owner_database_url is None:
        raise InvalidSettings("set GATEWAY_OWNER_DATABASE_URL; migrations run as the owner")
    migrate(
        settings.owner_database_url.get_secret_value(),
        application_role=settings.application_role,
        reader_role=settings.reader_role,
    )


def _worker(settings: Settings, _: Arguments) -> None:
    with _opened(settings, process="gateway-worker") as gateway:
        settings.require_reader()
        settings.require_master()
        enrol.check_rows_at_start(gateway)
        worker.run(gateway)


def _monitor(settings: Settings, chosen: Arguments) -> int:
    with _opened(settings) as gateway:
        return print_report(look_at_everything(gateway), as_json=chosen.json, write=print)


def _check(settings: Settings, _: Arguments) -> None:
    for name, value in settings.model_dump(mode="json").items():
        print(f"{name} = {value}")
    with _opened(settings) as gateway:
        if not gateway.database.ping():
            raise LookupError("the database does not answer at GATEWAY_DATABASE_URL")
        enrol.check_rows(gateway)
        for issuer in gateway.directory.issuers().values():
            print(_health(gateway, issuer))
        print(_unmatched(unmatched_report(gateway)))


def _health(gateway: Gateway, issuer: Issuer) -> str:
    harim = "answers" if gateway.harim.ping(issuer) else "does not answer"
    switch = "answers" if gateway.switch.echo(issuer) else "does not answer"
    return f"issuer {issuer.issuer_id}: Harim {harim}, switch {switch}"


def _unmatched(report: UnmatchedReport) -> str:
    kept = ", ".join(f"{count} {why}" for why, count in report.kept.items()) or "none"
    newest = "" if report.newest is None else f", newest at {report.newest.isoformat(timespec='seconds')}"
    return f"unmatched answers in a day: {kept}{newest}; counted and not kept: {report.not_kept}"


def _change_keys(settings: Settings, chosen: Arguments) -> None:
    with _opened(settings) as gateway:
        changed = change_keys(gateway, key_exchange(gateway), chosen.issuer_id, by=chosen.by)
        pin, ours, theirs = changed.check_values
        print(f"issuer {chosen.issuer_id}: {changed.name} is in use")
        print(f"check values: PIN key {pin}, MAC key of ours {ours}, of the host {theirs}")
        print(_health(gateway, gateway.directory.issuers()[chosen.issuer_id]))


def _add_merchant(settings: Settings, chosen: Arguments) -> None:
    names = NewMerchant.__dataclass_fields__
    with _opened(settings) as gateway:
        enrol.add_merchant(gateway, NewMerchant(**{name: getattr(chosen, name) for name in names}))
    print(f"merchant {chosen.merchant_id} with terminal {chosen.terminal_id}")


def _add_issuer(settings: Settings, chosen: Arguments) -> None:
    values = {name: getattr(chosen, name) for name in Issuer.__dataclass_fields__ if name != "active"}
    if chosen.harim_certificates:
        values["harim_certificates"] = Path(chosen.harim_certificates).read_text()
    values["harim_public_key"] = base64.b64decode(chosen.harim_public_key, validate=True)
    with _opened(settings) as gateway:
        enrol.add_issuer(gateway, Issuer(**values), tuple(chosen.bins), by=chosen.by)
    print(f"issuer {chosen.issuer_id} with {', '.join(chosen.bins)}")


def _pause_issuer(settings: Settings, chosen: Arguments) -> None:
    with _opened(settings) as gateway:
        by = chosen.by or getpass.getuser()
        issuer = pause_issuer.pause(gateway, chosen.issuer, by=by, reason=chosen.reason)
    print(f"issuer {issuer.issuer_id} is paused; inquiries and reversals go on")


def _resume_issuer(settings: Settings, chosen: Arguments) -> None:
    with _opened(settings) as gateway:
        issuer = pause_issuer.resume(gateway, chosen.issuer, by=chosen.by or getpass.getuser())
    print(f"issuer {issuer.issuer_id} takes payments again")


def _list_issuers(settings: Settings, _: Arguments) -> None:
    with _opened(settings) as gateway:
        bins, pauses = gateway.directory.issuer_bins(), gateway.directory.pauses()
        for issuer in gateway.directory.issuers().values():
            own = ", ".join(prefix for prefix, owner in bins if owner.issuer_id == issuer.issuer_id) or "no BIN"
            print(f"{issuer.issuer_id} ({issuer.name_en}; {own}): {_standing(issuer, pauses.get(issuer.issuer_id))}")


def _standing(issuer: Issuer, pause: Pause | None) -> str:
    if pause is not None:
        return f"paused since {pause.since:%Y-%m-%d %H:%M:%S %Z} by {pause.by}: {pause.reason}"
    return "takes payments" if issuer.active else "not active"


def _with_gateway(command: Callable[[Gateway, Arguments], None]) -> Callable[[Settings, Arguments], None]:
    def run(settings: Settings, chosen: Arguments) -> None:
        with _opened(settings) as gateway:
            command(gateway, chosen)

    return run


@contextmanager
def _opened(settings: Settings, *, process: str = "gateway") -> Iterator[Gateway]:
    gateway = build(settings, process=process)
    try:
        yield gateway
    finally:
        gateway.database.close()
        if gateway.reader is not None:
            gateway.reader.close()


if __name__ == "__main__":
    sys.exit(main())
