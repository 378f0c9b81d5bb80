"""What a merchant's key may do, as a table. A key without a scope is answered 403 with the scope's name."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from gateway.domain.errors import RefusedRow, ScopeMissing


class Scope(StrEnum):
    """One permission of a key; the words are part of the published contract."""

    PAYMENTS_READ = "payments:read"
    PAYMENTS_WRITE = "payments:write"
    PAYMENTS_CONFIRM = "payments:confirm"
    PAYMENTS_REVERSE = "payments:reverse"
    PAYMENTS_REFUND = "payments:refund"
    TRANSFERS_READ = "transfers:read"
    TRANSFERS_WRITE = "transfers:write"
    WEBHOOKS_READ = "webhooks:read"
    WEBHOOKS_WRITE = "webhooks:write"


MEANS: dict[Scope, tuple[str, str]] = {
    Scope.PAYMENTS_READ: ("دیدن پرداخت‌ها و رویدادهایشان", "see payments and their events"),
    Scope.PAYMENTS_WRITE: ("باز کردن پرداخت", "open payments"),
    Scope.PAYMENTS_CONFIRM: ("تأیید پرداخت", "confirm payments"),
    Scope.PAYMENTS_REVERSE: ("بازگرداندن پول پیش از تسویه", "give money back before settlement"),
    Scope.PAYMENTS_REFUND: ("بازپرداخت همه یا بخشی از پرداخت", "refund payments, whole or in part"),
    Scope.TRANSFERS_READ: ("دیدن انتقال‌ها و کارت‌های مقصد ذخیره‌شده", "see transfers and saved destinations"),
    Scope.TRANSFERS_WRITE: ("باز کردن انتقال و حذف کارت مقصد", "open transfers and delete saved destinations"),
    Scope.WEBHOOKS_READ: ("دیدن نشانی‌های وب‌هوک و گزارش ارسال", "see webhook endpoints and their log"),
    Scope.WEBHOOKS_WRITE: ("تغییر نشانی‌های وب‌هوک و ارسال دوباره", "change webhook endpoints and redeliver"),
}
"""Each scope in Persian and English."""

ALL = frozenset(Scope)


def check_scopes(names: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of these names; none means all.

    Raises:
        RefusedRow: a name is no scope.
    """
    wanted = set(names)
    if unknown := wanted - ALL:
        raise RefusedRow(f"there is no scope {', '.join(sorted(unknown))}; scopes are {', '.join(sorted(ALL))}")
    return frozenset(map(Scope, wanted)) or ALL


def require(held: frozenset[str], needed: Scope) -> None:
    """Raise :class:`ScopeMissing` unless a key that holds ``held`` may do what ``needed`` names."""
    if needed not in held:
        raise ScopeMissing(needed)
