"""``python -m gateway refund list | approve | refuse``: the second pair of eyes on large refunds (D35)."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Callable
from typing import Any

from foundation.rial import Rial
from gateway.services import approve_refund
from gateway.services.gateway import Gateway

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway refund``; ``with_gateway`` opens the gateway for each."""
    commands.add_parser("list", help="refunds that wait for a second person").set_defaults(run=with_gateway(_list))
    approve = commands.add_parser("approve", help="let a refund go out")
    approve.add_argument("--amount", type=int, required=True, help="rials, as you read them in the list")
    approve.set_defaults(run=with_gateway(_approve))
    refuse = commands.add_parser("refuse", help="refuse a refund; the merchant has its money again")
    refuse.set_defaults(run=with_gateway(_refuse))
    for parser in (approve, refuse):
        parser.add_argument("number", type=int, help="of the refund, from the list")
        parser.add_argument("--by", help="who decides; without it the user of this machine")


def _list(gateway: Gateway, _: Arguments) -> None:
    for each in approve_refund.waiting_refunds(gateway):
        facts = (f"{each.amount_rial} rial", each.payment_id, each.merchant_id, each.refund_id, each.reason or "-")
        print(" · ".join((str(each.number), *facts, f"{each.asked_by} at {each.asked_at:%Y-%m-%d %H:%M}")))


def _approve(gateway: Gateway, chosen: Arguments) -> None:
    approve_refund.approve_refund(gateway, chosen.number, Rial(chosen.amount), by=_who(chosen))
    print(f"refund {chosen.number} goes out")


def _refuse(gateway: Gateway, chosen: Arguments) -> None:
    approve_refund.refuse_refund(gateway, chosen.number, by=_who(chosen))
    print(f"refund {chosen.number} is refused")


def _who(chosen: Arguments) -> str:
    return str(chosen.by or getpass.getuser())
