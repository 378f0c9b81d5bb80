"""One asks, another approves: what two books differ about, where a merchant's money goes, what came back (D11, D35).

Each kind of request has an action: what it is about as it stands now, and what an approval does. The approval, its
checks and what it does are one transaction; the database refuses the same person, a late word, and a subject that is
not what it was when it was asked about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import structlog
from sqlalchemy import Connection

from foundation.audit import Details
from gateway.domain.errors import RefusedRow
from gateway.domain.four_eyes import Asked, check_name, check_reason, digest
from gateway.services.audit_trail import By, note
from gateway.services.gateway import Gateway
from gateway.store import exceptions, four_eyes, ibans, owed, settlements
from gateway.store.four_eyes import Request as Request

log = structlog.get_logger()

LISTED_MOST = 500

_REFUSALS: Mapping[type[Exception], str] = {
    four_eyes.SamePerson: "{by} asked for this; somebody else approves it",
    four_eyes.TooLate: "this request is more than a day old; ask again",
    four_eyes.Changed: "what this is about has changed since it was asked for; look, and ask again",
}


@dataclass(frozen=True, slots=True)
class Action:
    """What one kind of request is about and does.

    Args:
        now: hold the subject (by its number or name) and return the facts it stands on; ``None`` where nothing can be
            done.
        do: carry it out, in the approval's transaction.
    """

    now: Callable[[Connection, str], Mapping[str, object] | None]
    do: Callable[[Connection, Request], None]


def ask(
    gateway: Gateway,
    asks: Asked,
    name: int | str,
    *,
    by: str,
    reason: str,
    facts: Details | None = None,
) -> int:
    """Ask for something; return the request's number, which another person approves within a day.

    Raises:
        RefusedRow: there is no such subject or nothing to do, the same is asked for already, or a name or reason is
            no name or reason.
    """
    with gateway.database.begin() as connection:
        return ask_in(gateway, connection, asks, name, who=(check_name(by), check_reason(reason)), facts=facts or {})


def ask_in(
    gateway: Gateway,
    connection: Connection,
    asks: Asked,
    name: int | str,
    *,
    who: tuple[str, str],
    facts: Details,
) -> int:
    """Ask within a transaction of the caller's; otherwise as :func:`ask`."""
    subject = subject_of(asks, name)
    now = ACTIONS[asks].now(connection, str(name))
    if now is None:
        raise RefusedRow(f"there is nothing to do about {subject}: there is no such thing, or it is done")
    request_id = four_eyes.ask(connection, asks, subject, who, facts, digest(now))
    if request_id is None:
        raise RefusedRow("the same is asked for already; see: python -m gateway reconcile requests")
    details = {**facts, "asks": asks, "request": request_id}
    note(connection, gateway.keyring, By.operator(*who), "approval.asked", subject, details)
    log.info("approval_asked", request_id=request_id, asks=str(asks), subject=subject, by=who[0])
    return request_id


def approve(gateway: Gateway, request_id: int, *, by: str) -> Request:
    """Approve what somebody else asked for, and do it; an approval that is refused stands in the trail as well.

    Raises:
        RefusedRow: nothing waits under this number, it is one's own, its day is over, or its subject has changed.
    """
    check_name(by)
    try:
        with gateway.database.begin() as connection:
            request = _held(connection, request_id)
            action = ACTIONS[request.asks]
            now = action.now(connection, _name(request))
            four_eyes.approve(connection, request_id, by, digest(now or {}))
            action.do(connection, request)
            _note(gateway, connection, By.operator(by), "approval.approved", request)
    except (four_eyes.SamePerson, four_eyes.TooLate, four_eyes.Changed) as refusal:
        says = _REFUSALS[type(refusal)].format(by=by)
        with gateway.database.begin() as connection:
            _note(gateway, connection, By.operator(by, says), "approval.not_possible", _held(connection, request_id))
        raise RefusedRow(says) from None
    log.warning("approved", request_id=request_id, asks=str(request.asks), by=by, asked_by=request.maker)
    return request


def refuse(gateway: Gateway, request_id: int, *, by: str, reason: str) -> Request:
    """End a request without doing it; whoever asked may take it back by this too.

    Raises:
        RefusedRow: nothing waits under this number, or a name or reason is no name or reason.
    """
    who = By.operator(check_name(by), check_reason(reason))
    with gateway.database.begin() as connection:
        request = _held(connection, request_id)
        four_eyes.end(connection, request_id)
        _note(gateway, connection, who, "approval.refused", request)
    log.warning("approval_refused", request_id=request_id, asks=str(request.asks), by=by, asked_by=request.maker)
    return request


def subject_of(asks: Asked, name: int | str) -> str:
    """Return what a request of this kind is about, as the trail calls it: ``iban:3``, ``operator:mci``."""
    return f"{asks.partition('.')[0]}:{name}"


def waiting(gateway: Gateway) -> list[Request]:
    """Return what can be approved now, oldest first."""
    with gateway.database.single() as connection:
        return four_eyes.waiting(connection, most=LISTED_MOST)


def _held(connection: Connection, request_id: int) -> Request:
    request = four_eyes.hold(connection, request_id)
    if request is None:
        raise RefusedRow(f"no request {request_id} waits; see: python -m gateway reconcile requests")
    return request


def _note(gateway: Gateway, connection: Connection, by: By, action: str, request: Request) -> None:
    who: Details = {"request": request.request_id, "asked_by": request.maker, "because": request.reason}
    facts: Details = request.facts
    details = {**facts, **who, "asks": str(request.asks)}
    note(connection, gateway.keyring, by, action, request.subject, details)


def _name(request: Request) -> str:
    return request.subject.partition(":")[2]


def _number(request: Request) -> int:
    return int(_name(request))


def _exception_now(connection: Connection, number: str) -> Mapping[str, object] | None:
    exceptions.hold(connection, int(number))
    found = exceptions.one(connection, int(number))
    if found is None or found.resolved_at is not None:
        return None
    return {"difference": found.difference, "rial": found.rial, "theirs": found.theirs, "ours": found.ours}


def _resolve(connection: Connection, request: Request) -> None:
    exceptions.resolve(connection, _number(request), settle=bool(request.facts.get("settle", False)))


def _iban_now(connection: Connection, number: str, *, added: bool) -> Mapping[str, object] | None:
    row: dict[str, Any] | None = ibans.hold(connection, int(number))
    if row is None or row["removed_at"] is not None or (row["usable_from"] is not None) is not added:
        return None
    return {name: row[name] for name in ("merchant_id", "iban", "parts")}


def _payout_now(connection: Connection, number: str) -> Mapping[str, object] | None:
    paid = settlements.paid_out(connection, int(number))
    return None if paid is None else asdict(paid)


def _take_back(connection: Connection, request: Request) -> None:
    settlements.take_back(connection, _number(request), request.request_id, by=request.maker, reason=request.reason)


def _owed_now(connection: Connection, name: str, *, asks: Asked) -> Mapping[str, object] | None:
    merchant_id = owed.hold(connection, asks, name)
    return None if merchant_id is None else {"merchant": merchant_id}


def _move(connection: Connection, request: Request) -> None:
    merchant_id = str(request.facts["merchant"])
    owed.move(connection, request.asks, _name(request), merchant_id, request.request_id)


ACTIONS: dict[Asked, Action] = {
    Asked.RESOLVE: Action(_exception_now, _resolve),
    Asked.ADD_IBAN: Action(
        lambda connection, number: _iban_now(connection, number, added=False),
        lambda connection, request: ibans.admit(connection, _number(request), request.request_id),
    ),
    Asked.REMOVE_IBAN: Action(
        lambda connection, number: _iban_now(connection, number, added=True),
        lambda connection, request: ibans.remove(connection, _number(request), request.request_id),
    ),
    Asked.RETURN_PAYOUT: Action(_payout_now, _take_back),
    Asked.MOVE_BILLER: Action(partial(_owed_now, asks=Asked.MOVE_BILLER), _move),
    Asked.MOVE_OPERATOR: Action(partial(_owed_now, asks=Asked.MOVE_OPERATOR), _move),
}
