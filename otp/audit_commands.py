"""``python -m otp audit verify | show``: is the trail as it was written, and what does it tell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from foundation.audit_commands import ACTS_MOST, print_acts, print_findings
from foundation.audit_heads import HeadRefused
from otp.services import audit_trail
from otp.services.bank import Bank


def add_to(audit: argparse.ArgumentParser) -> None:
    """Add the verbs to ``python -m otp audit``."""
    audit.description = "Examine and read the audit trail."
    verbs: Any = audit.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="find a changed, missing, reordered or cut row; exit 1 when there is one")
    verify.add_argument("--heads", metavar="FILE", type=Path, help="heads kept in a second place")
    show = verbs.add_parser("show", help=f"the newest {ACTS_MOST} acts, newest first")
    show.add_argument("--subject", help="of one subject only, such as psp:pooya or card:17")


def run(bank: Bank, chosen: argparse.Namespace) -> int:
    """Run one verb."""
    return {"verify": _verify, "show": _show}[chosen.verb](bank, chosen)


def _verify(bank: Bank, chosen: argparse.Namespace) -> int:
    heads = chosen.heads or bank.settings.audit_head_file
    try:
        with audit_trail.examined(bank, heads) as findings:
            number = print_findings(findings, with_heads=heads is not None)
    except (HeadRefused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(f"audit trail: {'as it was written' if number == 0 else f'{number} findings'}")
    return 0 if number == 0 else 1


def _show(bank: Bank, chosen: argparse.Namespace) -> int:
    print_acts(audit_trail.acts(bank, subject=chosen.subject, most=ACTS_MOST))
    return 0
