"""Hash anew what rows are found by, in small transactions, while everybody looks under both keys (D41).

Each hash is made again from what is sealed beside it: a card's number, a phone's, a national code. Whoever waits for a
row that is just being hashed anew finds it under the other key. Cut anywhere, it goes on with what is left.
"""

from __future__ import annotations

from otp.domain import purposes
from otp.services.bank import Bank
from otp.store import pins, tokens
from otp.store.tokens import TokenColumn

HASHED_AT_ONCE = 200
"""Rows that are held at once, for some milliseconds."""
_FOUND = "rows are found by it; run: python -m otp keys reseal {purpose}"
_WHY = {
    purposes.PIN_VERIFICATION: (
        "PINs are kept under it; each moves when the right one is shown, or its holder chooses another"
    ),
    purposes.CUSTOMER_TOKEN: f"{_FOUND}; customers from before national codes were kept need: keys customers FILE",
}


def rehash(bank: Bank, purpose: str) -> int:
    """Hash anew what is under another than the writing key; return how many rows."""
    key_id, number = bank.keys.active_id(purpose), 0
    for where in tokens.COLUMNS.get(purpose, ()):
        after = 0
        while done := _batch(bank, key_id, where, after):
            number, after = number + len(done), done[-1]
    return number


def remaining(bank: Bank, purpose: str) -> int:
    """Count what is still under another than the writing key and cannot be hashed anew by us, or not yet."""
    key_id = bank.keys.active_id(purpose)
    with bank.database.begin() as connection:
        if purpose == purposes.PIN_VERIFICATION:
            return pins.not_under(connection, key_id)
        return sum(tokens.not_under(connection, where, key_id) for where in tokens.COLUMNS.get(purpose, ()))


def why_kept(bank: Bank, purpose: str) -> str | None:
    """Say why an old key of this purpose cannot go, or nothing."""
    number = remaining(bank, purpose)
    if not number:
        return None
    return f"{number} {_WHY.get(purpose, _FOUND).format(purpose=purpose)}"


def _batch(bank: Bank, key_id: str, where: TokenColumn, after: int) -> list[int]:
    keys = bank.keys
    with bank.database.begin() as connection:
        found = tokens.under_other_keys(connection, where, key_id, after=after, most=HASHED_AT_ONCE)
        fresh = [(row.row_id, keys.mac_with(key_id, keys.open(row.sealed, bound_to=row.place))) for row in found]
        if fresh:
            tokens.write(connection, where, key_id, fresh)
    return [row.row_id for row in found]
