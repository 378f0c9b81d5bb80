"""``python -m gateway ledger verify``: is every posting as it was chained?"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gateway.domain.errors import RefusedRow
from gateway.services.gateway import Gateway
from gateway.services.ledger import examined

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]
FINDINGS_MOST = 100


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the command to ``python -m gateway ledger``; ``with_gateway`` opens the gateway for it."""
    verify = commands.add_parser(
        "verify", help="find a changed, missing, reordered or cut posting; exit 1 if there is one"
    )
    verify.add_argument("--heads", metavar="FILE", type=Path, help="heads kept in a second place")
    verify.set_defaults(run=with_gateway(_verify))


def _verify(gateway: Gateway, chosen: Arguments) -> None:
    heads = chosen.heads or gateway.settings.ledger_head_file
    number = 0
    with examined(gateway, heads) as findings:
        for number, finding in enumerate(findings, start=1):
            print(f"{finding.fault}: {finding.says}")
            if number == FINDINGS_MOST:
                print(f"… and perhaps more; {FINDINGS_MOST} are shown")
                break
    if heads is None:
        print("no heads were given: a tail that was cut off together with its links is not found")
    if number:
        raise RefusedRow(f"the ledger is not as it was chained: {number} findings")
    print("ledger: as it was chained")
