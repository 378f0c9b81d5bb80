"""``python -m otp audit verify | show``: is the trail as it was written, and what does it tell."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from foundation.audit_heads import HeadRefused
from otp.services import audit_trail
from otp.services.bank import Bank

SHOWN_MOST = 200
FINDINGS_MOST = 100


def add_to(audit: argparse.ArgumentParser) -> None:
    """Add the verbs to ``python -m otp audit``."""
    audit.description = "Examine and read the audit trail."
    verbs: Any = audit.add_subparsers(dest="verb", required=True)
    verify = verbs.add_parser("verify", help="find a changed, missing, reordered or cut row; exit 1 when there is one")
    verify.add_argument("--heads", metavar="FILE", type=Path, help="heads kept in a second place")
    show = verbs.add_parser("show", help=f"the newest {SHOWN_MOST} acts, newest first")
    show.add_argument("--subject", help="of one subject only, such as psp:pooya or card:17")


def run(bank: Bank, chosen: argparse.Namespace) -> int:
    """Run one verb."""
    return {"verify": _verify, "show": _show}[chosen.verb](bank, chosen)


def _verify(bank: Bank, chosen: argparse.Namespace) -> int:
    heads = chosen.heads or bank.settings.audit_head_file
    number = 0
    try:
        with audit_trail.examined(bank, heads) as findings:
            for number, finding in enumerate(findings, start=1):
                print(f"{finding.fault}: {finding.says}")
                if number == FINDINGS_MOST:
                    print(f"… and perhaps more; {FINDINGS_MOST} are shown")
                    break
    except (HeadRefused, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    if heads is None:
        print("no heads were given: a tail that was cut off together with its links is not found")
    print(f"audit trail: {'as it was written' if number == 0 else f'{number} findings'}")
    return 0 if number == 0 else 1


def _show(bank: Bank, chosen: argparse.Namespace) -> int:
    for row in audit_trail.acts(bank, subject=chosen.subject, most=SHOWN_MOST):
        details = " ".join(f"{name}={value}" for name, value in row.act.details.items())
        why = f" because {row.act.reason}" if row.act.reason else ""
        print(f"{row.at:%Y-%m-%d %H:%M:%S%z} {row.act.actor} {row.act.action} {row.act.subject} {details}{why}")
    return 0
