"""What the keys of the cash machine do: the PIN by ISO 8583, everything else by the bank's own services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from foundation.digits import only_digits
from foundation.sensitive import Sensitive
from otp.domain.cash_machine import Refusal
from otp.domain.financial import MessageKey
from otp.services import card_services
from otp.services.bank import Bank
from otp.services.change_mobile import ask_mobile, confirm_mobile
from otp.services.issue_activation import Issued
from sandbox.terminals.hall import Hall, Visit
from sandbox.terminals.network import APPROVED

Form = Mapping[str, str]
TERMINAL = "ATM00001"
KEEPS_CARD_IN = frozenset({"117", "127", "181", "126"})
"""Answers after which the PIN can be typed again; after every other one the card comes back."""
TOLD = KEEPS_CARD_IN | {"101", "104", "106", "115"}
"""Answers that have a sentence of their own."""


def enter_pin(hall: Hall, visit: Visit, form: Form) -> None:
    """Ask the card's bank about the PIN; the check that was right is the key to the services."""
    key = hall.network.new_key(TERMINAL, hall.now())
    code = hall.network.check_pin(key, visit.pan, _typed(form, "pin"))
    if code == APPROVED:
        visit.check = key
        _go(visit, "menu")
        return
    said = f"no_answer.{code}" if code in TOLD else "no_answer"
    _go(visit, "pin" if code in KEEPS_CARD_IN else "", said, mistaken=True)


def issue_slip(hall: Hall, visit: Visit, _form: Form) -> None:
    """Print a slip for the app."""
    issued = card_services.activate_app_at_machine(hall.bank, _check(visit))
    if isinstance(issued, Refusal):
        _refused(visit, issued)
        return
    _go(visit, "slip")
    visit.slip = _slip(issued)


def ask_for_mobile(hall: Hall, visit: Visit, form: Form) -> None:
    """Have a code sent to the number that was typed."""
    visit.mobile = form.get("mobile", "").strip()[:20]
    refusal = ask_mobile(hall.bank, _check(visit), visit.mobile)
    if refusal is None:
        _go(visit, "mobile_code")
    else:
        _refused(visit, refusal)


def set_static(hall: Hall, visit: Visit, form: Form) -> None:
    """Allow a static second PIN, once its text was accepted."""
    if form.get("agree") != "1":
        _go(visit, "static", "not_agreed", mistaken=True)
        return
    typed, again = _typed(form, "pin"), _typed(form, "again")
    _done(visit, card_services.set_static_pin(hall.bank, _check(visit), typed, again), "static")


def set_first(hall: Hall, visit: Visit, form: Form) -> None:
    """Change the first PIN."""
    typed, again = _typed(form, "pin"), _typed(form, "again")
    _done(visit, card_services.change_first_pin(hall.bank, _check(visit), typed, again), "first")


def enter_code(hall: Hall, visit: Visit, form: Form) -> None:
    """Confirm the new number."""
    _done(visit, confirm_mobile(hall.bank, _check(visit), _typed(form, "code")), "mobile")


def _simple(serve: Callable[[Bank, MessageKey], Refusal | None], name: str) -> Callable[[Hall, Visit, Form], None]:
    def do(hall: Hall, visit: Visit, _form: Form) -> None:
        _done(visit, serve(hall.bank, _check(visit)), name)

    return do


DEEDS: Mapping[tuple[str, str], Callable[[Hall, Visit, Form], None]] = MappingProxyType(
    {
        ("pin", "enter"): enter_pin,
        ("app", "yes"): issue_slip,
        ("sms", "yes"): _simple(card_services.activate_sms, "sms"),
        ("end", "end_app"): _simple(card_services.end_app, "end_app"),
        ("end", "end_sms"): _simple(card_services.end_sms, "end_sms"),
        ("end", "end_static"): _simple(card_services.end_static_pin, "end_static"),
        ("mobile", "enter"): ask_for_mobile,
        ("mobile_code", "enter"): enter_code,
        ("static", "enter"): set_static,
        ("first", "enter"): set_first,
    }
)
"""By screen and key."""

_STAYS = frozenset(
    {
        *(Refusal.PIN_SHAPE, Refusal.PIN_WEAK, Refusal.PINS_DIFFER),
        *(Refusal.MOBILE_SHAPE, Refusal.MOBILE_SAME, Refusal.CODE_WRONG),
    }
)
"""Refusals of what was typed: it can be typed again."""


def go_plainly(visit: Visit, screen: str) -> None:
    """Show another screen."""
    _go(visit, screen)


def refuse_gift(visit: Visit) -> None:
    """Say that a gift card has no services."""
    _refused(visit, Refusal.GIFT_CARD)


def _done(visit: Visit, refusal: Refusal | None, name: str) -> None:
    if refusal is None:
        _go(visit, "done", f"done.{name}")
    else:
        _refused(visit, refusal)


def _refused(visit: Visit, refusal: Refusal) -> None:
    if refusal is Refusal.VISIT_OVER:
        visit.check = None
        screen = "pin"
    else:
        screen = visit.screen if refusal in _STAYS else "done"
    _go(visit, screen, f"no.{refusal}", mistaken=True)


def _go(visit: Visit, screen: str, said: str = "", *, mistaken: bool = False) -> None:
    visit.screen, visit.said, visit.mistaken, visit.slip = screen, said, mistaken, None


def _check(visit: Visit) -> MessageKey:
    if visit.check is None:
        raise LookupError("no PIN was right on this visit")
    return visit.check


def _typed(form: Form, name: str) -> Sensitive[str]:
    return Sensitive(only_digits(form.get(name, ""))[:16])


def _slip(issued: Issued) -> dict[str, object]:
    return {
        "id": issued.activation_id,
        "part": "" if issued.slip is None else issued.slip.reveal(),
        "mobile": issued.mobile_last_two,
        "until": issued.expires_at,
    }
