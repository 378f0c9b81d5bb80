"""``python -m gateway ledger verify``: is every posting as it was chained?"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foundation.audit_commands import print_findings
from gateway.domain.errors import RefusedRow
from gateway.services.gateway import Gateway
from gateway.services.ledger import examined

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the command to ``python -m gateway ledger``; ``with_gateway`` opens the gateway for it."""
    verify = commands.add_parser(
        "verify", help="find a changed, missing, reordered or cut posting; exit 1 if there is one"
    )
    verify.add_argument("--heads", metavar="FILE", type=Path, help="heads kept in a second place")
    verify.set_defaults(run=with_gateway(_verify))


def _verify(gateway: Gateway, chosen: Arguments) -> None:
    heads = chosen.heads or gateway.settings.ledger_head_file
    with examined(gateway, heads) as findings:
        number = print_findings(findings, with_heads=heads is not None)
    if number:
        raise RefusedRow(f"the ledger is not as it was chained: {number} findings")
    print("ledger: as it was chained")
