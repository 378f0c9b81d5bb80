"""``python -m gateway stuck list``: money that nobody has answered for in the promised time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from gateway.domain.stuck import NEXT
from gateway.services.gateway import Gateway
from gateway.services.list_stuck import LISTED_MOST, Stuck, list_stuck

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]
MINUTE_SECONDS = 60
HOUR_MINUTES = 60


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the command to ``python -m gateway stuck``; ``with_gateway`` opens the gateway for it."""
    listing = commands.add_parser("list", help=f"the oldest {LISTED_MOST} with their age and what to do")
    listing.set_defaults(run=with_gateway(_list))


def _list(gateway: Gateway, _: Arguments) -> None:
    found = list_stuck(gateway)
    for each in found:
        print(_line(each))
    more = " and perhaps more" if len(found) == LISTED_MOST else ""
    print(f"{len(found)} stuck{more}, {sum(each.rial for each in found):,} rial")


def _line(each: Stuck) -> str:
    hours, minutes = divmod(each.age_seconds // MINUTE_SECONDS, HOUR_MINUTES)
    facts = (each.kind, each.payment_id, each.state, f"{each.rial:,} rial", f"{hours} h {minutes} min")
    return " · ".join((*facts, NEXT[each.kind][each.state]))
