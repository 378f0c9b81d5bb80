"""Destinations that payers let a merchant keep: named by a token of that merchant's alone, sealed, deleted (D16)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from foundation.pan import Pan
from gateway.domain import purposes
from gateway.domain.transfer_errors import DestinationNotFound
from gateway.services.gateway import Gateway
from gateway.services.take_card import TOKEN_BYTES
from gateway.store import destinations as store
from gateway.store.destinations import Destination as Destination
from gateway.store.directory import Caller


@dataclass(frozen=True, slots=True)
class DestinationPage:
    """Some destinations of a list, and where the next page begins (time, token); ``None`` at the end of the list."""

    destinations: list[Destination]
    next: tuple[dt.datetime, str] | None


def list_destinations(
    gateway: Gateway, caller: Caller, *, after: tuple[dt.datetime, str] | None = None, most: int = 100
) -> DestinationPage:
    """Return what the caller's merchant has saved, newest first."""
    with gateway.database.single() as connection:
        found = store.newest_first(connection, caller.merchant_id, after=after, most=most + 1)
    last = found[most - 1] if len(found) > most else None
    return DestinationPage(found[:most], None if last is None else (last.saved_at, last.token))


def delete_destination(gateway: Gateway, caller: Caller, token: str) -> None:
    """Delete a saved destination with its sealed number; a transfer that was named already goes on.

    Raises:
        DestinationNotFound: the caller's merchant has none under this token.
    """
    with gateway.database.single() as connection:
        done = store.delete(connection, caller.merchant_id, token)
    if not done:
        raise DestinationNotFound("your merchant has no saved destination with this token")


def saving(gateway: Gateway, merchant_id: str, pan: Pan) -> dict[str, object]:
    """Return the name of a destination for this merchant alone, and its number sealed for the row it may get."""
    data = f"destination|{merchant_id}|{pan.reveal()}".encode()
    token = "dest_" + gateway.keyring.mac(purposes.CARD_TOKEN, data)[:TOKEN_BYTES].hex()
    place = _place(merchant_id, token)
    sealed = gateway.keyring.seal(purposes.DESTINATION_PAN, pan.reveal().encode(), bound_to=place)
    return {"saving_token": token, "saving_sealed": sealed}


def open_saved(gateway: Gateway, merchant_id: str, token: str) -> Pan:
    """Open a saved destination's card number for a transfer to it, which lets it be kept its time anew.

    Raises:
        DestinationNotFound: it was deleted, by its merchant or after its time.
    """
    with gateway.database.single() as connection:
        sealed = store.use(connection, merchant_id, token)
    if sealed is None:
        raise DestinationNotFound("the saved destination was deleted")
    return Pan(gateway.keyring.open(sealed, bound_to=_place(merchant_id, token)).decode())


def _place(merchant_id: str, token: str) -> str:
    return f"destination|pan|{merchant_id}|{token}"
