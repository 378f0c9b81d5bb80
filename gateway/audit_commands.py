"""``python -m gateway audit verify | show``: is the approvals trail as it was written, and what does it tell."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

from foundation.audit_commands import ACTS_MOST, print_acts, print_findings
from gateway.domain.errors import RefusedRow
from gateway.services.audit_trail import acts, examined
from gateway.services.gateway import Gateway

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway audit``; ``with_gateway`` opens the gateway for each."""
    verify = commands.add_parser("verify", help="find a changed, missing, reordered or cut row; exit 1 if there is one")
    verify.add_argument("--heads", metavar="FILE", type=Path, help="heads kept in a second place")
    verify.set_defaults(run=with_gateway(_verify))
    show = commands.add_parser("show", help=f"the newest {ACTS_MOST} acts, newest first")
    show.add_argument("--subject", help="of one subject only, such as exception:12, iban:3, refund:7 or issuer:two")
    show.set_defaults(run=with_gateway(_show))


def _verify(gateway: Gateway, chosen: Arguments) -> None:
    heads = chosen.heads or gateway.settings.audit_head_file
    with examined(gateway, heads) as findings:
        number = print_findings(findings, with_heads=heads is not None)
    if number:
        raise RefusedRow(f"the audit trail is not as it was written: {number} findings")
    print("audit trail: as it was written")


def _show(gateway: Gateway, chosen: Arguments) -> None:
    print_acts(acts(gateway, subject=chosen.subject, most=ACTS_MOST))
