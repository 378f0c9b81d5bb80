"""Is what was entered a code of the card's app? Its root is opened for this look only (D14, D24)."""

from __future__ import annotations

from foundation.rial import Rial
from foundation.sensitive import Sensitive
from otp.domain.app_code import STEP_SECONDS, typed_purchase, typed_transfer
from otp.domain.app_match import AppKeys, AppMatch, can_be_of_app, match_entry
from otp.domain.binding import COMPLETE, Binding, TransactionType
from otp.domain.device import Clockwork
from otp.domain.pairing import ROOT_BYTES, Kept, kept_place
from otp.domain.verdict import AppFacts
from otp.services.desk import Desk
from otp.services.shown import Shown
from otp.store.accounts import Account, AppRow

_NOBODY = AppRow("", "", b"", 0, 0, 0, 0)


def app_facts(desk: Desk, shown: Shown, account: Account) -> AppFacts | None:
    """Return the card's app and what it makes of the entry; ``None`` where no app makes codes of this card.

    For a card without one the same codes are computed from a root that nobody has: that a card has an app is not told
    by the time an answer takes (D18).
    """
    row = account.app
    root = Sensitive(bytes(ROOT_BYTES)) if row is None else _root(desk, row)
    match = _match(shown, account, row or _NOBODY, root)
    if row is None or account.card is None:
        return None
    return AppFacts(
        card_ref=row.card_ref,
        device_id=row.device_id,
        wrong_codes=row.wrong_codes,
        ceiling=Rial(account.card.ceiling_rial),
        match=match,
        meant=shown.pin is not None and can_be_of_app(shown.pin),
    )


def _match(shown: Shown, account: Account, row: AppRow, root: Sensitive[bytes]) -> AppMatch | None:
    if shown.pin is None or shown.by_proof:
        return None
    clock = Clockwork(row.last_second_step, row.drift_steps)
    keys = AppKeys(root, row.card_ref, clock, row.last_bound_step)
    return match_entry(keys, shown.pin, int(account.now.timestamp()) // STEP_SECONDS, _questions(shown))


def _questions(shown: Shown) -> list[str]:
    """Name what is paid as the payment page's QR does, and as its holder types it (D24)."""
    whole = shown.aspects.get(COMPLETE)
    return [] if whole is None else [whole.canonical(), *_typed(shown, whole)]


def _typed(shown: Shown, whole: Binding) -> list[str]:
    """Name a purchase or a transfer as it is typed; nothing else is typed, nor a transfer that nobody says where to."""
    if whole.type is TransactionType.PURCHASE:
        return [typed_purchase(whole.total.amount, whole.terminal_id)]
    if whole.type is TransactionType.CARD_TRANSFER and shown.destination_tail is not None:
        return [typed_transfer(whole.total.amount, shown.destination_tail)]
    return []


def _root(desk: Desk, row: AppRow) -> Sensitive[bytes]:
    return Sensitive(desk.keys.open(row.code_root_sealed, bound_to=kept_place(Kept.CODE_ROOT, row.device_id)))
