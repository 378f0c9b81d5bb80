"""``python -m otp migrate | check | worker | host | monitor | psp | verify-pin | audit | clearing | keys | …``."""

from __future__ import annotations

import argparse
import base64
import sys
from collections.abc import Callable
from pathlib import Path

from foundation.certificates import CertificateRefused
from foundation.keys import KeyFileRefused, UnknownKey
from foundation.logs import configure_logging
from foundation.monitor import print_report
from foundation.settings import InvalidSettings
from otp import audit_commands, clearing_commands, config, key_commands, operator_commands, worker
from otp.domain import purposes
from otp.domain.errors import DuplicatePsp, InvalidPsp, UnknownPsp
from otp.domain.psp import Psp
from otp.host.server import serve
from otp.migrations import migrate
from otp.services import register_psp
from otp.services.audit_trail import By
from otp.services.bank import Bank
from otp.services.watch import look_at_everything
from otp.wiring import build, build_host, link_keys

Arguments = argparse.Namespace
FINGERPRINT_SHOWN = 16
"""Hex digits of a certificate's SHA-256: enough to compare two."""


def main(arguments: list[str]) -> int:
    """Run one command; say in a sentence what is wrong and end with 2 when the settings are."""
    parser = argparse.ArgumentParser(prog="python -m otp", description="The bank's commands.")
    commands = parser.add_subparsers(dest="command", required=True)
    verbs = {name: commands.add_parser(name) for name in sorted(COMMANDS)}
    verbs["monitor"].add_argument("--json", action="store_true", help="for programs")
    verbs["verify-pin"].description = "Open VerifyDynamicPin to a PSP, or close it."
    verbs["verify-pin"].add_argument("psp_id")
    verbs["verify-pin"].add_argument("state", choices=("on", "off"))
    _psp_arguments(verbs["psp"])
    audit_commands.add_to(verbs["audit"])
    clearing_commands.add_to(verbs["clearing"])
    key_commands.add_to(verbs["keys"])
    operator_commands.add_to(verbs["operator"])
    for changing in ("psp", "verify-pin"):
        verbs[changing].add_argument("--operator", help="who does it, for the audit trail; usually this account")
        verbs[changing].add_argument("--why", default="", help="the reason, for the audit trail")
    chosen = parser.parse_args(arguments)
    try:
        return COMMANDS[chosen.command](config.load(), chosen)
    except (InvalidSettings, KeyFileRefused, UnknownKey) as error:
        print(error, file=sys.stderr)
        return 2


def _psp_arguments(psp: argparse.ArgumentParser) -> None:
    psp.description = "Register PSPs, and change how they are known and what is open to them."
    verbs = psp.add_subparsers(dest="verb", required=True)
    add = verbs.add_parser("add", help="register a PSP")
    for name in ("psp-id", "name", "acquirer-id"):
        add.add_argument(f"--{name}", required=True)
    add.add_argument("--disclosure", choices=("proven", "open"), default="proven")
    add.add_argument("--webotp-host", help="of its payment page; then the SMS ends with @host #code")
    pinning = verbs.add_parser("pin", help="know a PSP by other keys or certificates; what is not given stays")
    for verb in (add, pinning):
        verb.add_argument("--key", action="append", metavar="ID=BASE64", help="Ed25519 public key; twice for two")
        verb.add_argument("--certificates", metavar="FILE", help="PEM of one or two, by which its SOAP is known")
    unbound = verbs.add_parser("unbound", help="allow codes of the weak dialects up to a ceiling; 0 refuses them")
    out = verbs.add_parser("shut-out", help="answer a PSP no more, whatever it is known by")
    back = verbs.add_parser("let-in", help="answer a PSP again that was shut out")
    for verb in (pinning, unbound, out, back):
        verb.add_argument("psp_id")
    unbound.add_argument("rial", type=int)
    verbs.add_parser("list", help="say which PSPs there are, how they are known and what is open to them")


def _migrate(settings: config.Settings, _: Arguments) -> int:
    if settings.owner_database_url is None:
        raise InvalidSettings("set OTP_OWNER_DATABASE_URL: migrations run as the owner role")
    url = settings.owner_database_url.get_secret_value()
    migrate(url, application_role=settings.application_role, reader_role=settings.reader_role)
    return 0


def _host(settings: config.Settings, _: Arguments) -> int:
    configure_logging("otp-host", settings.log_level)
    settings.require_master()
    serve(build_host(settings))
    return 0


def _worker(settings: config.Settings, _: Arguments) -> int:
    configure_logging("otp-worker", settings.log_level)
    bank = build(settings, process="otp-worker")
    settings.require_reader()
    settings.require_audit_heads()
    settings.require_master()
    worker.run(bank)
    return 0


def _verify_pin(bank: Bank, chosen: Arguments) -> int:
    psp_id, enabled = chosen.psp_id, chosen.state == "on"
    try:
        register_psp.open_verify(bank, psp_id, enabled=enabled, by=_by(chosen))
    except UnknownPsp:
        print(f"there is no PSP {psp_id}", file=sys.stderr)
        return 1
    print(f"VerifyDynamicPin is {'open' if enabled else 'closed'} to {psp_id}")
    return 0


def _psp(bank: Bank, chosen: Arguments) -> int:
    try:
        PSP_VERBS[chosen.verb](bank, chosen)
    except UnknownPsp:
        print(f"there is no PSP {chosen.psp_id}", file=sys.stderr)
        return 1
    except DuplicatePsp:
        print(f"PSP {chosen.psp_id} or acquirer {chosen.acquirer_id} is registered already", file=sys.stderr)
        return 1
    except (InvalidPsp, CertificateRefused, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _add_psp(bank: Bank, chosen: Arguments) -> None:
    names = ("psp_id", "name", "acquirer_id", "disclosure", "webotp_host")
    psp = Psp(
        **{name: getattr(chosen, name) for name in names},
        public_keys=_keys_in(chosen) or {},
        certificates=_certificates_in(chosen) or "",
    )
    register_psp.register_psp(bank, psp, by=_by(chosen))
    print(f"PSP {psp.psp_id} for acquirer {psp.acquirer_id}")


def _pin_psp(bank: Bank, chosen: Arguments) -> None:
    keys, certificates = _keys_in(chosen), _certificates_in(chosen)
    register_psp.pin(bank, chosen.psp_id, public_keys=keys, certificates=certificates, by=_by(chosen))
    print(f"{chosen.psp_id} is known by what was given from now on")


def _allow_unbound(bank: Bank, chosen: Arguments) -> None:
    register_psp.allow_unbound(bank, chosen.psp_id, chosen.rial, by=_by(chosen))
    print(f"{chosen.psp_id}: codes of the weak dialects up to {chosen.rial:,} rials each")


def _shut_out(bank: Bank, chosen: Arguments) -> None:
    register_psp.shut_out(bank, chosen.psp_id, by=_by(chosen))
    print(f"{chosen.psp_id} is shut out")


def _let_in(bank: Bank, chosen: Arguments) -> None:
    register_psp.let_in(bank, chosen.psp_id, by=_by(chosen))
    print(f"{chosen.psp_id} is let in again")


def _list_psps(bank: Bank, _: Arguments) -> None:
    for psp, fingerprints in register_psp.registered(bank):
        known = ", ".join((*psp.public_keys, *(text[:FINGERPRINT_SHOWN] for text in fingerprints)))
        verify = "on" if psp.verify_enabled else "off"
        print(
            f"{psp.psp_id} ({psp.name}; {psp.acquirer_id}): known by {known}; disclosure {psp.disclosure}, "
            f"verify {verify}, unbound up to {psp.unbound_max_rial:,} rials"
        )
    for psp in register_psp.outsiders(bank):
        print(f"{psp.psp_id} ({psp.name}; {psp.acquirer_id}): shut out")


def _by(chosen: Arguments) -> By:
    return By.operator(chosen.operator, chosen.why)


def _keys_in(chosen: Arguments) -> dict[str, bytes] | None:
    if chosen.key is None:
        return None
    pairs = [text.partition("=") for text in chosen.key]
    return {key_id: base64.b64decode(raw, validate=True) for key_id, _, raw in pairs}


def _certificates_in(chosen: Arguments) -> str | None:
    return None if chosen.certificates is None else Path(chosen.certificates).read_text()


PSP_VERBS = {
    "add": _add_psp,
    "let-in": _let_in,
    "list": _list_psps,
    "pin": _pin_psp,
    "shut-out": _shut_out,
    "unbound": _allow_unbound,
}


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


def _monitor(bank: Bank, chosen: Arguments) -> int:
    return print_report(look_at_everything(bank), as_json=chosen.json, write=print)


def _with_bank(run: Callable[[Bank, Arguments], int]) -> Callable[[config.Settings, Arguments], int]:
    return lambda settings, chosen: _run_and_close(build(settings), chosen, run)


def _run_and_close(bank: Bank, chosen: Arguments, run: Callable[[Bank, Arguments], int]) -> int:
    try:
        return run(bank, chosen)
    finally:
        bank.database.close()
        if bank.reader is not None:
            bank.reader.close()


COMMANDS = {
    "audit": _with_bank(audit_commands.run),
    "check": _check,
    "clearing": _with_bank(clearing_commands.run),
    "host": _host,
    "keys": _with_bank(key_commands.run),
    "migrate": _migrate,
    "monitor": _with_bank(_monitor),
    "operator": _with_bank(operator_commands.run),
    "psp": _with_bank(_psp),
    "verify-pin": _with_bank(_verify_pin),
    "worker": _worker,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
