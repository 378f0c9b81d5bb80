"""Two people: one asks, another approves, in time (D35). The database holds the same rules by constraints."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import StrEnum

from gateway.domain.errors import RefusedRow

LIFE_HOURS = 24
"""How long a request may be approved."""
REASON_LEAST, REASON_MOST = 5, 300

_NAME = re.compile(r"[a-z][a-z0-9.-]{1,31}")


class Asked(StrEnum):
    """What one person asks another to approve."""

    RESOLVE = "exception.resolve"
    ADD_IBAN = "iban.add"
    REMOVE_IBAN = "iban.remove"
    RETURN_PAYOUT = "payout.return"
    MOVE_BILLER = "biller.move"
    MOVE_OPERATOR = "operator.move"


def check_name(name: str) -> str:
    """Return who acts.

    Raises:
        RefusedRow: names are lower case, so that one person cannot be two.
    """
    if not _NAME.fullmatch(name):
        raise RefusedRow("a name is 2 to 32 lower-case letters, digits, dots and dashes, a letter first")
    return name


def check_reason(text: str) -> str:
    """Return why, on one line.

    Raises:
        RefusedRow: it says nothing, or too much.
    """
    reason = " ".join(text.split())
    if not REASON_LEAST <= len(reason) <= REASON_MOST or not reason.isprintable():
        raise RefusedRow(f"the reason has {REASON_LEAST} to {REASON_MOST} characters")
    return reason


def digest(facts: Mapping[str, object]) -> bytes:
    """Return what a request is about as 32 bytes: what was asked for is what is approved (D35)."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).digest()
