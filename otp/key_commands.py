"""``python -m otp keys list | rotate | reseal | customers | remove | wrap | new-master``: changed while serving."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from foundation.key_file import KeyFileRefused
from foundation.master_keys import MasterKeyRefused, new_master_file
from otp.domain import purposes
from otp.domain.errors import InvalidNationalCode, KeyNotRotated
from otp.services import rehash, rotate_keys
from otp.services.audit_trail import By
from otp.services.bank import Bank
from otp.services.customers import keep_national_codes


def add_to(keys: argparse.ArgumentParser) -> None:
    """Add the verbs to ``python -m otp keys``."""
    keys.description = "Change the bank's keys while everything runs."
    verbs: Any = keys.add_subparsers(dest="verb", required=True)
    verbs.add_parser("list", help="every key by purpose: id, state, check value")
    for name, about in (
        ("rotate", "give a purpose a new key"),
        ("reseal", "renew what is under an old key"),
    ):
        verbs.add_parser(name, help=about).add_argument("purpose", choices=purposes.ALL)
    codes = verbs.add_parser("customers", help="seal the national codes of customers from before they were kept")
    codes.add_argument("file", type=Path, help="a national code a line")
    verbs.add_parser("remove", help="take a retired key away that nothing needs").add_argument("key_id")
    wrap = verbs.add_parser("wrap", help="wrap the key file under a master key")
    wrap.add_argument("master_key", help="file:/path or pkcs11:/module.so?token=LABEL&object=LABEL")
    wrap.add_argument("--pin-file", type=Path)
    master = verbs.add_parser("new-master", help="draw a master key into a new file")
    master.add_argument("path", type=Path)
    for verb in ("rotate", "remove", "wrap"):
        verbs.choices[verb].add_argument("--operator", help="who does it, for the audit trail; usually this account")
        verbs.choices[verb].add_argument("--why", default="", help="the reason, for the audit trail")


def run(bank: Bank, chosen: argparse.Namespace) -> int:
    """Run one verb."""
    try:
        print(_VERBS[chosen.verb](bank, chosen))
    except (InvalidNationalCode, KeyNotRotated, KeyFileRefused, MasterKeyRefused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _list(bank: Bank, _: argparse.Namespace) -> str:
    keys = [key for purpose in purposes.ALL for key in bank.keys.of_purpose(purpose)]
    return "\n".join(f"{key.purpose}: {key.id} {key.state} {bank.keys.check_value(key.id)}" for key in keys)


def _rotate(bank: Bank, chosen: argparse.Namespace) -> str:
    done = rotate_keys.rotate(bank, chosen.purpose, by=_by(chosen))
    return f"{chosen.purpose} is written under {done.key_id} now; {_renewed(done.renewed, done.remaining)}"


def _reseal(bank: Bank, chosen: argparse.Namespace) -> str:
    return _renewed(rotate_keys.renew(bank, chosen.purpose), rehash.remaining(bank, chosen.purpose))


def _customers(bank: Bank, chosen: argparse.Namespace) -> str:
    number = keep_national_codes(bank, chosen.file.read_text().split())
    remaining = rehash.remaining(bank, purposes.CUSTOMER_TOKEN)
    return f"{number} national codes were sealed" + (
        f", {remaining} customers remain under an old key" if remaining else ""
    )


def _renewed(number: int, remaining: int) -> str:
    return f"{number} values were sealed or hashed anew" + (
        f", {remaining} remain under an old key" if remaining else ""
    )


def _remove(bank: Bank, chosen: argparse.Namespace) -> str:
    rotate_keys.remove(bank, chosen.key_id, by=_by(chosen))
    return f"{chosen.key_id} is gone"


def _wrap(bank: Bank, chosen: argparse.Namespace) -> str:
    number = rotate_keys.wrap(bank, chosen.master_key, chosen.pin_file, by=_by(chosen))
    return f"{number} keys are wrapped; set OTP_MASTER_KEY={chosen.master_key} before a process starts again"


def _new_master(_: Bank, chosen: argparse.Namespace) -> str:
    new_master_file(chosen.path)
    return f"{chosen.path} holds a new master key; keep a copy where this machine's disk is not"


def _by(chosen: argparse.Namespace) -> By:
    return By.operator(chosen.operator, chosen.why)


_VERBS = {
    "customers": _customers,
    "list": _list,
    "new-master": _new_master,
    "remove": _remove,
    "reseal": _reseal,
    "rotate": _rotate,
    "wrap": _wrap,
}
