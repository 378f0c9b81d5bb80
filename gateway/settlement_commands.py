"""``python -m gateway settlement list | show | export | returned | ibans | iban-add | iban-again | iban-remove``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.domain.four_eyes import Asked
from gateway.services import approve, ibans, settle, statements
from gateway.services.gateway import Gateway
from gateway.services.ibans import Iban
from gateway.services.statements import Statement

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway settlement``; ``with_gateway`` opens the gateway for each."""

    def command(name: str, run: Command, about: str, *positional: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        for word in positional:
            parser.add_argument(word, type=str if word in {"merchant_id", "iban"} else int)
        parser.set_defaults(run=with_gateway(run))
        return parser

    command("list", _list, "every batch, newest first")
    command("show", _show, "what a batch pays out", "batch")
    file = command("export", _export, "write a closed batch's file for the bank", "batch")
    file.add_argument("--form", choices=sorted(statements.FORMS), default="csv", help="both forms are ours")
    file.add_argument("--to", type=Path, help="a file to write; otherwise it is printed")
    back = command("returned", _returned, "ask that a payout which the bank sent back is owed again", "payout")
    command("ibans", _ibans, "where a merchant's money goes", "merchant_id")
    add = command("iban-add", _add, "ask for an IBAN of a merchant; another person approves it", "merchant_id", "iban")
    add.add_argument("--parts", type=int, default=1, help="of several IBANs, how many parts this one gets")
    again = command("iban-again", _again, "ask once more for an IBAN whose request nobody approved in time", "number")
    remove = command("iban-remove", _remove, "ask that no more money goes to an IBAN", "number")
    for parser in (back, add, again, remove):
        parser.add_argument("--by", required=True, help="who you are")
        parser.add_argument("--reason", required=True, help="why; one line")


def _list(gateway: Gateway, _: Arguments) -> None:
    before = statements.NEWEST
    while found := statements.list_batches(gateway, before=before):
        for each in found:
            print(f"{each.batch_id} · {each.business_day} · value {each.value_day} · {_sums(each)}")
        before = found[-1].batch_id


def _sums(each: Statement) -> str:
    if each.closed_at is None:
        return "open"
    return f"{each.lines} lines · gross {each.gross_rial:,} · charge {each.charge_rial:,} · net {each.net_rial:,} rial"


def _show(gateway: Gateway, chosen: Arguments) -> None:
    for one in statements.payouts_of(gateway, chosen.batch):
        back = f" · came back {one.returned_at:%Y-%m-%d %H:%M}" if one.returned_at else ""
        print(f"{one.payout_id} · {one.merchant_id} · {one.iban} · {one.amount_rial:,} rial{back}")


def _export(gateway: Gateway, chosen: Arguments) -> None:
    content = statements.export(gateway, chosen.batch, form=chosen.form)
    if chosen.to is None:
        print(content, end="")
    else:
        chosen.to.write_text(content)


def _returned(gateway: Gateway, chosen: Arguments) -> None:
    request, paid = settle.returned(gateway, chosen.payout, by=chosen.by, reason=chosen.reason)
    print(f"payout {paid.payout_id}: {paid.amount_rial:,} rial to {paid.iban} of {paid.merchant_id}, owed again")
    _asked(request)


def _ibans(gateway: Gateway, chosen: Arguments) -> None:
    for each in ibans.list_ibans(gateway, chosen.merchant_id):
        print(f"{each.iban_id} · {each.iban} · {each.parts} parts · {_stands(each)}")


def _stands(each: Iban) -> str:
    if each.removed_at is not None:
        return f"removed {each.removed_at:%Y-%m-%d %H:%M} UTC"
    return "asked for" if each.usable_from is None else f"from {each.usable_from:%Y-%m-%d %H:%M} UTC"


def _add(gateway: Gateway, chosen: Arguments) -> None:
    _asked(
        ibans.add_iban(gateway, chosen.merchant_id, chosen.iban, parts=chosen.parts, by=chosen.by, reason=chosen.reason)
    )


def _again(gateway: Gateway, chosen: Arguments) -> None:
    _asked(ibans.ask_again(gateway, chosen.number, by=chosen.by, reason=chosen.reason))


def _remove(gateway: Gateway, chosen: Arguments) -> None:
    _asked(approve.ask(gateway, Asked.REMOVE_IBAN, chosen.number, by=chosen.by, reason=chosen.reason))


def _asked(request: int) -> None:
    print(f"request {request}; somebody else says: python -m gateway reconcile approve {request} --by NAME")
