"""How often codes may be asked for: per card, mobile, terminal, PSP and the bank's own budget (D19, D20).

Requests with and without card proof are counted apart, so that a stranger who knows a card number can never use up what
belongs to its holder (D19).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Span(StrEnum):
    """A window of the clock in Tehran."""

    HOUR = "hour"
    DAY = "day"


class Holder(StrEnum):
    """Whom a limit belongs to."""

    CARD = "card"
    MOBILE = "mobile"
    TERMINAL = "terminal"
    PSP = "psp"
    BANK = "bank"


SHARDS: Mapping[Holder, int] = MappingProxyType({Holder.PSP: 16, Holder.BANK: 16, Holder.TERMINAL: 4})
"""Rows that everybody, or everybody at a busy merchant, would count on are split; each part gets its share, so the sum
stays a hard limit. A terminal has few parts: the more, the sooner one of them is full before the others."""

PART_LEAST = 50
"""A limit is split only so far that each part allows as many, for cards do not spread evenly over few requests."""


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` requests per window.

    Args:
        silent: reaching it changes nothing in the answer: it belongs to what a stranger must not learn (D19).
    """

    holder: Holder
    span: Span
    most: int
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits of requests with card proof, and of those without."""

    proven: tuple[Limit, ...]
    unproven: tuple[Limit, ...]


ACTIVATION_LIMITS = (Limit(Holder.CARD, Span.DAY, 5), Limit(Holder.MOBILE, Span.DAY, 10))
"""Activation codes and confirmations, for each channel apart."""
SERVICE_LIMITS = (Limit(Holder.CARD, Span.DAY, 10),)
TYPED_NUMBER_LIMITS = (Limit(Holder.CARD, Span.DAY, 3), Limit(Holder.MOBILE, Span.DAY, 3))
"""Services of the cash machine that change something, and codes to a number that was typed there."""


@dataclass(frozen=True, slots=True)
class Charge:
    """One row to count on: its name, its window, its limit."""

    scope: str
    span: Span
    most: int
    silent: bool


def default_limits(*, terminal_per_hour: int, psp_per_hour: int, sms_per_day: int) -> Limits:
    """Return the bank's table; strangers get a tenth of what terminal, PSP and budget allow to holders."""
    return Limits(
        proven=(
            Limit(Holder.CARD, Span.HOUR, 10),
            Limit(Holder.CARD, Span.DAY, 20),
            Limit(Holder.MOBILE, Span.DAY, 20),
            Limit(Holder.TERMINAL, Span.HOUR, terminal_per_hour),
            Limit(Holder.PSP, Span.HOUR, psp_per_hour),
            Limit(Holder.BANK, Span.DAY, sms_per_day),
        ),
        unproven=(
            Limit(Holder.CARD, Span.HOUR, 3),
            Limit(Holder.CARD, Span.DAY, 5),
            Limit(Holder.MOBILE, Span.DAY, 10, silent=True),
            Limit(Holder.TERMINAL, Span.HOUR, max(1, terminal_per_hour // 10)),
            Limit(Holder.PSP, Span.HOUR, max(1, psp_per_hour // 10)),
            Limit(Holder.BANK, Span.DAY, max(1, sms_per_day // 10)),
        ),
    )


def charges(limits: Limits, names: Mapping[Holder, str], *, proven: bool, shard: int) -> tuple[Charge, ...]:
    """Name the rows that one request is counted on, in the order in which they are locked.

    ``names`` say who asks (a keyed hash for card and mobile, never the number itself); ``shard`` is any number that is
    spread evenly over cards.
    """
    kind = "proven" if proven else "unproven"
    return _rows(kind, limits.proven if proven else limits.unproven, names, shard)


def wrong_charges(
    terminal: str, psp_id: str | None, *, terminal_per_hour: int, psp_per_hour: int, shard: int
) -> tuple[Charge, ...]:
    """Name the rows that a wrong try is counted on: of a code, of card data, of a card (D20).

    Only wrong ones count, so that a busy terminal is not one with many.

    Args:
        terminal: of its acquirer.
        psp_id: who has codes checked; ``None`` of a message of the host.
        terminal_per_hour: how many wrong tries of it are heard.
        psp_per_hour: how many in checks of this PSP.
        shard: any number that is spread evenly over cards.
    """
    names = {Holder.TERMINAL: terminal, **({} if psp_id is None else {Holder.PSP: psp_id})}
    most = {Holder.TERMINAL: terminal_per_hour, Holder.PSP: psp_per_hour}
    return _rows("wrong", tuple(Limit(holder, Span.HOUR, most[holder]) for holder in names), names, shard)


def _rows(kind: str, limits: tuple[Limit, ...], names: Mapping[Holder, str], shard: int) -> tuple[Charge, ...]:
    rows = [
        Charge(
            scope=f"{limit.holder}|{kind}|{limit.span}|{names[limit.holder]}{_part(limit, shard)}",
            span=limit.span,
            most=limit.most // _parts(limit),
            silent=limit.silent,
        )
        for limit in limits
    ]
    return tuple(sorted(rows, key=lambda row: row.scope))


def _parts(limit: Limit) -> int:
    return max(1, min(SHARDS.get(limit.holder, 1), limit.most // PART_LEAST))


def _part(limit: Limit, shard: int) -> str:
    parts = _parts(limit)
    return f"|{shard % parts}" if parts > 1 else ""


def budget_scopes(proof: str) -> tuple[str, ...]:
    """Name every row that the bank's budget of a day may be counted on, however many parts it has.

    Args:
        proof: ``proven``, which whatever is no request of a PSP counts on as well, or ``unproven``.
    """
    whole = f"{Holder.BANK}|{proof}|{Span.DAY}|sms"
    return (whole, *(f"{whole}|{part}" for part in range(SHARDS[Holder.BANK])))


def activation_charges(
    channel: str, names: Mapping[Holder, str], *, sms_per_day: int, shard: int
) -> tuple[Charge, ...]:
    """Name the rows that one activation code is counted on (D20).

    Card and mobile are counted apart from codes of payments, the bank's budget of messages together with them.
    """
    own = [
        Charge(
            f"{limit.holder}|activation-{channel}|{limit.span}|{names[limit.holder]}",
            limit.span,
            limit.most,
            silent=False,
        )
        for limit in ACTIVATION_LIMITS
    ]
    budget = Limits(proven=(Limit(Holder.BANK, Span.DAY, sms_per_day),), unproven=())
    shared = charges(budget, {Holder.BANK: "sms"}, proven=True, shard=shard)
    return tuple(sorted((*own, *shared), key=lambda row: row.scope))


INBOUND_LIMITS: Mapping[str, tuple[Holder, Span, int]] = MappingProxyType(
    {
        "code": (Holder.CARD, Span.DAY, 5),
        "wrong_card": (Holder.MOBILE, Span.DAY, 3),
        "told": (Holder.MOBILE, Span.HOUR, 3),
    }
)
"""By text message (D26): codes of a card, wrong digits of a number, and answers that are no code; then silence."""


HOLDER_LIMITS = (("asker", Span.DAY, 50), ("card", Span.DAY, 200))
"""Questions for a holder's name (D28): by the card that wants to send, and about one card."""


def holder_charges(acquirer_id: str, asker: str, card: str, *, per_hour: int, shard: int) -> tuple[Charge, ...]:
    """Name the rows that a question for a holder's name is counted on.

    Args:
        acquirer_id: who asks on this link.
        asker: the acquirer's keyed token of the card that wants to send.
        card: the bank's own keyed token of the card that is asked about.
        per_hour: what one acquirer may ask.
        shard: any number that is spread evenly over cards.
    """
    names = {"asker": f"{acquirer_id}/{asker}", "card": card}
    own = [Charge(f"holder|{who}|{span}|{names[who]}", span, most, silent=False) for who, span, most in HOLDER_LIMITS]
    psp = Limits(proven=(Limit(Holder.PSP, Span.HOUR, per_hour),), unproven=())
    shared = charges(psp, {Holder.PSP: f"holder/{acquirer_id}"}, proven=True, shard=shard)
    return tuple(sorted((*own, *shared), key=lambda row: row.scope))


def inbound_charges(use: str, name: str, *, sms_per_day: int, shard: int) -> tuple[Charge, ...]:
    """Name the rows that an answer to a text message is counted on; ``name`` is a keyed hash of whom ``use`` counts."""
    holder, span, most = INBOUND_LIMITS[use]
    own = Charge(f"{holder}|inbound-{use}|{span}|{name}", span, most, silent=True)
    budget = Limits(proven=(Limit(Holder.BANK, Span.DAY, sms_per_day, silent=True),), unproven=())
    shared = charges(budget, {Holder.BANK: "sms"}, proven=True, shard=shard)
    return tuple(sorted((own, *shared), key=lambda row: row.scope))


def service_charges(names: Mapping[Holder, str], *, texting: bool, sms_per_day: int, shard: int) -> tuple[Charge, ...]:
    """Name the rows that one service of the cash machine is counted on (D20).

    Args:
        names: of the card, and of the mobile that would be texted a code.
        texting: whether a number is texted that the holder has typed; few of those, for it may be anybody's.
        sms_per_day: the bank's budget.
        shard: any number that is spread evenly over cards.
    """
    limits = TYPED_NUMBER_LIMITS if texting else SERVICE_LIMITS
    kind = "typed-number" if texting else "service"
    own = [
        Charge(f"{limit.holder}|{kind}|{limit.span}|{names[limit.holder]}", limit.span, limit.most, silent=False)
        for limit in limits
    ]
    budget = Limits(proven=(Limit(Holder.BANK, Span.DAY, sms_per_day),), unproven=())
    shared = charges(budget, {Holder.BANK: "sms"}, proven=True, shard=shard)
    return tuple(sorted((*own, *shared), key=lambda row: row.scope))
