"""``python -m gateway reconcile import | list | show | resolve | requests | approve | refuse``: compare, decide."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.domain.four_eyes import Asked
from gateway.domain.reconciliation import MEANS, PROPOSES
from gateway.services import approve, reconcile
from gateway.services.approve import Request
from gateway.services.gateway import Gateway
from gateway.services.reconcile import Found

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]
HOUR_SECONDS = 3_600
DAY_HOURS = 24


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway reconcile``; ``with_gateway`` opens the gateway for each."""

    def command(name: str, run: Command, about: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        parser.set_defaults(run=with_gateway(run))
        return parser

    take = command("import", _import, "compare a bank's clearing file with our attempts; the same again does nothing")
    take.add_argument("file", type=Path)
    take.add_argument("--issuer", required=True, help="whose file it is")
    command("list", _list, "what the books differ about and nobody has resolved")
    show = command("show", _show, "one exception: both sides, and what bank, gateway and merchant know")
    resolve = command("resolve", _resolve, "ask for an exception to be closed; another person approves it")
    resolve.add_argument("--settle", action="store_true", help="its payment is settled as our books have it")
    resolve.add_argument("--reason", required=True, help="what was found out; one line")
    for parser in (show, resolve):
        parser.add_argument("exception", type=int)
    command("requests", _requests, "what waits for a second person")
    agree = command("approve", _approve, "approve what somebody else asked for")
    no = command("refuse", _refuse, "end a request without doing it")
    no.add_argument("--reason", required=True, help="why not; one line")
    for parser in (agree, no):
        parser.add_argument("request", type=int)
    for parser in (resolve, agree, no):
        parser.add_argument("--by", required=True, help="who you are")


def _import(gateway: Gateway, chosen: Arguments) -> None:
    done = reconcile.import_file(gateway, chosen.issuer, chosen.file.read_bytes())
    if done.again:
        print(f"{done.day}: this file was imported before; nothing was changed")
        return
    print(f"{done.day}: {done.lines} lines" + "".join(f", {n} {name}" for name, n in sorted(done.verdicts.items())))
    for name, count in sorted(done.differences.items()):
        print(f"{count} {name}; see: python -m gateway reconcile list")


def _list(gateway: Gateway, _: Arguments) -> None:
    after, number = 0, 0
    while found := reconcile.list_exceptions(gateway, after=after):
        for each in found:
            number += 1
            print(_line(each))
        after = found[-1].exception_id
    print(f"{number} exceptions")


def _line(each: Found) -> str:
    side = each.theirs or each.ours or {}
    key = "/".join(str(side.get(name, "-")) for name in ("terminal_id", "stan", "rrn"))
    here = "-" if each.ours is None else f"{each.ours['state']} {each.ours['total_rial']:,}"
    there = "-" if each.theirs is None else f"{each.theirs['state']} {each.theirs['amount_rial']:,}"
    head = f"{each.exception_id} · {each.issuer_id} · {each.day} · {each.difference} · {each.rial:,} rial · {key}"
    return f"{head} · here {here} · there {there} · {_age(each.age_seconds)} old · {PROPOSES[each.difference]}"


def _age(seconds: int) -> str:
    days, hours = divmod(seconds // HOUR_SECONDS, DAY_HOURS)
    return f"{days} d {hours} h"


def _show(gateway: Gateway, chosen: Arguments) -> None:
    found, history = reconcile.show_exception(gateway, chosen.exception)
    print(_line(found))
    print(MEANS[found.difference])
    for side, at, what in history:
        print(f"  {at:%Y-%m-%d %H:%M:%S} · {side} · {what}")


def _resolve(gateway: Gateway, chosen: Arguments) -> None:
    facts = {"settle": chosen.settle}
    request = approve.ask(gateway, Asked.RESOLVE, chosen.exception, by=chosen.by, reason=chosen.reason, facts=facts)
    print(f"request {request}; somebody else says: python -m gateway reconcile approve {request} --by NAME")


def _requests(gateway: Gateway, _: Arguments) -> None:
    for each in approve.waiting(gateway):
        until = f"until {each.expires_at:%Y-%m-%d %H:%M} UTC"
        print(f"{each.request_id} · {_about(each)} · {each.maker}: {each.reason} · {until}")


def _about(each: Request) -> str:
    facts = " ".join(f"{name}={value}" for name, value in each.facts.items())
    return f"{each.asks} · {each.subject} · {facts}"


def _approve(gateway: Gateway, chosen: Arguments) -> None:
    done = approve.approve(gateway, chosen.request, by=chosen.by)
    print(f"{_about(done)} · approved and done")


def _refuse(gateway: Gateway, chosen: Arguments) -> None:
    done = approve.refuse(gateway, chosen.request, by=chosen.by, reason=chosen.reason)
    print(f"{_about(done)} · refused; nothing was done")
