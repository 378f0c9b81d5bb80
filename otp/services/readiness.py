"""Whether this process can issue codes now, by named part; each part is pinged, none is assumed."""

from __future__ import annotations

from sqlalchemy.exc import SQLAlchemyError

from foundation.keys import UnknownKey
from otp.domain import purposes
from otp.services.bank import Bank


def readiness(bank: Bank) -> dict[str, bool]:
    """Return which of the parts that a code needs answer: database, keys, directory of PSPs."""
    return {"database": bank.database.ping(), "keys": _keys(bank), "directory": _directory(bank)}


def redis_answers(bank: Bank) -> bool | None:
    """Tell whether Redis answers, ``None`` where none is used; reported only, every outcome is the same (D20)."""
    return None if bank.wake is None else bank.wake.ping()


def _keys(bank: Bank) -> bool:
    try:
        for purpose in purposes.SYMMETRIC:
            bank.keys.active_id(purpose)
    except UnknownKey:
        return False
    return True


def _directory(bank: Bank) -> bool:
    try:
        bank.psps.now()
    except SQLAlchemyError:
        return False
    return True
