"""Money past its promised time: what each kind of it is called, and the one thing to do about it."""

from __future__ import annotations

from enum import StrEnum


class Waiting(StrEnum):
    """What has no answer."""

    DEBIT = "debit"
    CREDIT = "credit"
    TOP_UP = "top_up"
    REFUND = "refund"


_WORKER = "see that a worker runs: nobody has taken it up"
_ISSUER = "see that the issuer's host answers (python -m gateway check), and call the bank; it is asked again by itself"
_BANK = "call the bank; its yes to the reversal ends it by itself"
_DESTINATION = "call the destination's bank; it is asked again by itself, and its no frees the debit"
_PROVIDER = "call the provider; it is asked again by itself, and its no frees the debit"

NEXT: dict[Waiting, dict[str, str]] = {
    Waiting.DEBIT: {"submitted": _WORKER, "unknown": _ISSUER, "voiding": _ISSUER, "disputed": _BANK},
    Waiting.CREDIT: {"owed": _DESTINATION, "reversing": _DESTINATION},
    Waiting.TOP_UP: {"owed": _PROVIDER, "reversing": _PROVIDER},
    Waiting.REFUND: {"requested": _WORKER, "sent": _ISSUER, "unknown": _ISSUER},
}
"""By state."""
