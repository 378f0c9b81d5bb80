"""``python -m gateway biller add`` and ``operator add``: who is owed what is paid for bills and for numbers."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from gateway.services import owed
from gateway.services.gateway import Gateway

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]


def add_billers_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the command to ``python -m gateway biller``; ``with_gateway`` opens the gateway for it."""
    add = commands.add_parser("add", help="let the bills of a company be paid to a merchant")
    for name in ("merchant-id", "company"):
        add.add_argument(f"--{name}", required=True)
    add.add_argument("--service", type=int, required=True, help="1 water … 9 traffic fine: as in the bill id")
    _who(add)
    add.set_defaults(run=with_gateway(_add_biller))


def add_operators_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the command to ``python -m gateway operator``; ``with_gateway`` opens the gateway for it."""
    add = commands.add_parser("add", help="let numbers of an operator be topped up, owed to a merchant")
    for name in ("operator", "merchant-id"):
        add.add_argument(f"--{name}", required=True)
    _who(add)
    add.set_defaults(run=with_gateway(_add_operator))


def _who(add: argparse.ArgumentParser) -> None:
    add.add_argument("--by", help="who you are; needed where another merchant is owed it now, which takes two people")
    add.add_argument("--reason", default="", help="why; one line, needed then as well")


def _add_biller(gateway: Gateway, chosen: Arguments) -> None:
    merchant, company = chosen.merchant_id, chosen.company
    request = owed.add_biller(gateway, merchant, chosen.service, company, by=chosen.by, reason=chosen.reason)
    _say(f"bills of company {company}, service {chosen.service}", merchant, request)


def _add_operator(gateway: Gateway, chosen: Arguments) -> None:
    merchant, operator = chosen.merchant_id, chosen.operator
    request = owed.add_operator(gateway, operator, merchant, by=chosen.by, reason=chosen.reason)
    _say(f"numbers of {operator}", merchant, request)


def _say(what: str, merchant_id: str, request: int | None) -> None:
    if request is None:
        print(f"{what}: owed to {merchant_id}")
    else:
        print(f"{what}: another merchant is owed them now; {merchant_id} will be, once another person approves it")
        print(f"request {request}; somebody else says: python -m gateway reconcile approve {request} --by NAME")
