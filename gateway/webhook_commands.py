"""``python -m gateway webhook list | add | enable | disable | rotate | events | deliveries | redeliver``."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable
from typing import Any

from gateway.domain.webhooks import OVERLAP_SECONDS
from gateway.services import endpoints
from gateway.services.endpoints import Choice, Wish
from gateway.services.gateway import Gateway

Arguments = argparse.Namespace
Command = Callable[[Gateway, Arguments], None]
HOUR_SECONDS = 3_600


def add_to(commands: Any, with_gateway: Callable[[Command], Callable[..., None]]) -> None:
    """Add the commands to ``python -m gateway webhook``; ``with_gateway`` opens the gateway for each."""

    def command(name: str, run: Command, about: str, *positional: str) -> argparse.ArgumentParser:
        parser: argparse.ArgumentParser = commands.add_parser(name, help=about)
        for word in positional:
            parser.add_argument(word)
        parser.set_defaults(run=with_gateway(run))
        return parser

    command("list", _list, "every endpoint of a merchant", "merchant_id")
    add = command("add", _add, "add an endpoint; its secret is shown once", "merchant_id", "url")
    add.add_argument("--type", action="append", default=[], dest="types", help="repeat for several; none means all")
    command("enable", _enable, "send to an endpoint again", "endpoint_id")
    command("disable", _disable, "stop sending to an endpoint", "endpoint_id")
    rotate = command("rotate", _rotate, "give an endpoint a new secret; it is shown once", "endpoint_id")
    rotate.add_argument(
        "--overlap-hours",
        type=float,
        default=OVERLAP_SECONDS / HOUR_SECONDS,
        help="how long the old secret signs too; 0 for one that has leaked",
    )
    feed = command("events", _events, "events of a merchant, oldest first", "merchant_id")
    feed.add_argument("--since", type=_moment, help="2026-11-24T12:00:00+03:30")
    command("deliveries", _deliveries, "how an event fares, with every try", "merchant_id", "event_id")
    again = command("redeliver", _redeliver, "send an event, or all since a time, again", "endpoint_id")
    what = again.add_mutually_exclusive_group(required=True)
    what.add_argument("--event", dest="event_id")
    what.add_argument("--since", type=_moment, help="2026-11-24T12:00:00+03:30")


def _list(gateway: Gateway, chosen: Arguments) -> None:
    for each in endpoints.list_endpoints(gateway, chosen.merchant_id):
        stands = f"disabled ({each.disabled_why}) since {_minute(each.disabled_at)}" if each.disabled_at else "enabled"
        failing = f"failing since {_minute(each.failing_since)}" if each.failing_since else "well"
        print(" · ".join((each.endpoint_id, each.url, stands, failing, " ".join(each.event_types) or "all")))


def _add(gateway: Gateway, chosen: Arguments) -> None:
    wish = Wish(event_types=tuple(chosen.types))
    made = endpoints.add_endpoint(gateway, chosen.merchant_id, chosen.url, wish)
    print(made.endpoint.endpoint_id)
    print(made.secret)


def _enable(gateway: Gateway, chosen: Arguments) -> None:
    _switch(gateway, chosen.endpoint_id, enabled=True)


def _disable(gateway: Gateway, chosen: Arguments) -> None:
    _switch(gateway, chosen.endpoint_id, enabled=False)


def _switch(gateway: Gateway, endpoint_id: str, *, enabled: bool) -> None:
    merchant_id = endpoints.merchant_of_endpoint(gateway, endpoint_id)
    endpoints.change_endpoint(gateway, merchant_id, endpoint_id, Wish(enabled=enabled))
    print(f"{endpoint_id} is {'enabled' if enabled else 'disabled'}")


def _rotate(gateway: Gateway, chosen: Arguments) -> None:
    merchant_id = endpoints.merchant_of_endpoint(gateway, chosen.endpoint_id)
    seconds = round(chosen.overlap_hours * HOUR_SECONDS)
    made = endpoints.rotate_secret(gateway, merchant_id, chosen.endpoint_id, overlap_seconds=seconds)
    print(made.secret)


def _events(gateway: Gateway, chosen: Arguments) -> None:
    after: str | None = None
    more = True
    while more:
        found, more = endpoints.list_events(gateway, chosen.merchant_id, Choice(since=chosen.since, after=after))
        for event in found:
            print(f"{event.event_id} · {event.created_at:%Y-%m-%d %H:%M:%S} · {event.type} · {event.payment_id or '-'}")
            after = event.event_id


def _deliveries(gateway: Gateway, chosen: Arguments) -> None:
    for log in endpoints.deliveries_of(gateway, chosen.merchant_id, chosen.event_id):
        print(f"{log.endpoint_id} · {log.state} · {log.tries} tries")
        for at, found in log.attempts:
            print(f"  {at:%Y-%m-%d %H:%M:%S} · {found.duration_ms} ms · {found.error or found.status}")


def _redeliver(gateway: Gateway, chosen: Arguments) -> None:
    merchant_id = endpoints.merchant_of_endpoint(gateway, chosen.endpoint_id)
    if chosen.event_id:
        queued = endpoints.redeliver_event(gateway, merchant_id, chosen.event_id, endpoint_id=chosen.endpoint_id)
        print(f"{queued} queued")
        return
    done = endpoints.redeliver_since(gateway, merchant_id, chosen.endpoint_id, chosen.since)
    print(f"{done.queued} queued" + (f", the last of {done.until.isoformat()}" if done.until else ""))


def _minute(at: dt.datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"


def _moment(text: str) -> dt.datetime:
    moment = dt.datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("say the time zone, as in 2026-11-24T12:00:00+03:30")
    return moment
