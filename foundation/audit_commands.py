"""What commands say about a chain and about acts, whosever they are."""

from __future__ import annotations

from collections.abc import Iterable

from foundation.audit import Kept
from foundation.audit_proof import Finding

FINDINGS_MOST = 100
ACTS_MOST = 200


def print_findings(findings: Iterable[Finding], *, with_heads: bool) -> int:
    """Print a sentence for each finding, at most a hundred; return how many were printed."""
    number = 0
    for number, finding in enumerate(findings, start=1):
        print(f"{finding.fault}: {finding.says}")
        if number == FINDINGS_MOST:
            print(f"… and perhaps more; {FINDINGS_MOST} are shown")
            break
    if not with_heads:
        print("no heads were given: a tail that was cut off together with its links is not found")
    return number


def print_acts(kept: Iterable[Kept]) -> None:
    """Print acts, one a line: when, who, what, to what, and why."""
    for row in kept:
        details = " ".join(f"{name}={value}" for name, value in row.act.details.items())
        why = f" because {row.act.reason}" if row.act.reason else ""
        print(f"{row.at:%Y-%m-%d %H:%M:%S%z} {row.act.actor} {row.act.action} {row.act.subject} {details}{why}")
