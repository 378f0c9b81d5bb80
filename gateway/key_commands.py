"""``python -m gateway key new | rotate | revoke | list``: merchants' secret keys."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from gateway.services import keys
from gateway.services.gateway import Gateway
from gateway.services.keys import KeyRow

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]
DAY_HOURS = 24


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway key``; ``with_gateway`` opens the gateway for each."""
    new = commands.add_parser("new", help="make a secret key; it is shown once")
    new.add_argument("--terminal-id", required=True)
    new.add_argument("--name", default="", help="what you call it")
    new.add_argument("--scope", action="append", default=[], dest="scopes", help="repeat for several; none means all")
    new.set_defaults(run=with_gateway(_new))
    rotate = commands.add_parser("rotate", help="make a key's successor; both work for a while")
    rotate.add_argument("key_id")
    rotate.add_argument("--overlap-hours", type=int, default=DAY_HOURS, help="how long the old key still works")
    rotate.set_defaults(run=with_gateway(_rotate))
    for add in (new, rotate):
        add.add_argument("--expires-days", type=int, help="its life; without, until it is revoked")
    revoke = commands.add_parser("revoke", help="end a key now")
    revoke.add_argument("key_id")
    revoke.set_defaults(run=with_gateway(_revoke))
    for parser in (new, rotate, revoke):
        parser.add_argument("--by", help="who decides; without it the user of this machine")
    listing = commands.add_parser("list", help="every key of a terminal, without the keys")
    listing.add_argument("--terminal-id", required=True)
    listing.set_defaults(run=with_gateway(_list))


def _new(gateway: Gateway, chosen: Arguments) -> None:
    secret = keys.new_key(
        gateway,
        chosen.terminal_id,
        name=chosen.name,
        scopes=chosen.scopes,
        expires_days=chosen.expires_days,
        by=chosen.by,
    )
    print(secret)


def _rotate(gateway: Gateway, chosen: Arguments) -> None:
    hours, days = chosen.overlap_hours, chosen.expires_days
    secret, ends = keys.rotate_key(gateway, chosen.key_id, overlap_hours=hours, expires_days=days, by=chosen.by)
    print(secret)
    print(f"{chosen.key_id} ends at {ends:%Y-%m-%d %H:%M} UTC", file=sys.stderr)


def _revoke(gateway: Gateway, chosen: Arguments) -> None:
    keys.revoke_key(gateway, chosen.key_id, by=chosen.by)
    print(f"{chosen.key_id} is revoked")


def _list(gateway: Gateway, chosen: Arguments) -> None:
    for row in keys.list_keys(gateway, chosen.terminal_id):
        print(_line(row))


def _line(row: KeyRow) -> str:
    ends = f"ends {row.expires_at:%Y-%m-%d %H:%M}" if row.expires_at else "no end"
    used = f"last used {row.last_used_on}" if row.last_used_on else "never used"
    stands = "usable" if row.usable else "revoked" if row.revoked_at else "expired"
    return " · ".join((row.key_id, row.name or "-", row.mode, stands, ends, used, " ".join(row.scopes)))
