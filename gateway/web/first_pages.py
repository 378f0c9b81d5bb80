"""The pages where people begin what no shop sent them for: bills, top-ups, balances and transfers."""

from __future__ import annotations

from collections.abc import Mapping

from foundation.rial import Rial
from gateway.domain.top_up import NAMES, Operator
from gateway.services.bills import BillLine
from gateway.web.challenges import OWN_TRANSFER, challenge_shown
from gateway.web.outcomes import Message
from gateway.web.rendering import language, mistakes_told, render
from gateway.web.transfer_form import FIELDS as TRANSFER_FIELDS

_TITLES_OF_BILLS = {"bill.paid": "bill.paid.title", "bill.being_paid": "bill.being_paid.title"}
"""Headings over what is no mistake in what was typed."""


def bills_page(
    bills: tuple[BillLine, ...], *, mistakes: tuple[Message, ...] = (), typed: Mapping[str, str] | None = None
) -> str:
    """Render the page where people pay bills: those in the list so far, and room for one more."""
    return render(
        "bill.html",
        bills=[(line.bill, line.name_fa if language() == "fa" else line.name_en) for line in bills],
        title=_TITLES_OF_BILLS.get(mistakes[0].key if mistakes else "", "bill.errors.title"),
        tone=mistakes[0].tone if mistakes else "",
        total=sum(line.bill.amount.amount for line in bills),
        **mistakes_told(mistakes),
        typed=typed or {},
    )


def top_up_page(
    offers: Mapping[Operator, tuple[Rial, ...]],
    *,
    mistakes: tuple[Message, ...] = (),
    typed: Mapping[str, str] | None = None,
) -> str:
    """Render the page where people top up numbers: whose, of which operator, how much."""
    return render(
        "topup.html",
        operators=[(operator, NAMES[operator][0 if language() == "fa" else 1]) for operator in offers],
        amounts=sorted({amount.amount for sold in offers.values() for amount in sold}),
        **mistakes_told(mistakes),
        typed=typed or {},
    )


def balance_start_page(fee: Rial) -> str:
    """Render what asking for a balance means and costs, and the button that begins."""
    return render("balance_start.html", fee=fee)


def transfer_page(
    *, mistakes: tuple[Message, ...] = (), typed: Mapping[str, str] | None = None, challenge: str = ""
) -> str:
    """Render the page where people send money: two cards and an amount."""
    shown = challenge_shown(OWN_TRANSFER, challenge, language())
    return render("transfer.html", asked=TRANSFER_FIELDS, **mistakes_told(mistakes), typed=typed or {}, **shown)
